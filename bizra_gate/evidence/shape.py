"""The JSON Schema of an artifact, derived from the same annotations that write and read it.

``python -m bizra_gate.evidence.shape > schemas/artifact.schema.json`` makes the published file anew.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from typing import Any

from ..model import ClosedLoop, Distribution, Intervals, Measurement, OpenLoop, Plan
from . import benchmark, columns

Json = dict[str, Any]

_SCALARS: dict[Any, Json] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bool: {"type": "boolean"},
}
_DECIMAL: Json = {"type": "string", "pattern": "^[0-9][0-9.e+-]*$"}
"""A decimal number as text, as plans write rates."""
_HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def artifact_schema() -> Json:
    """JSON Schema (2020-12) of ``artifacts/*.json`` that hold a benchmark."""
    definitions: dict[str, Json] = {}
    predicate = _predicate(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://bizra.dev/schemas/artifact.schema.json",
        "title": "bizra-gate artifact v1",
        "description": "A signed benchmark: an in-toto Statement v1 beside Ed25519 signatures over its DSSE PAE.",
        **_closed(
            {
                "format": {"const": "bizra-gate/artifact/v1"},
                "payloadType": {"const": "application/vnd.in-toto+json"},
                "signatures": {"type": "array", "minItems": 1, "items": _closed({
                    "keyid": {"type": "string", "pattern": "^SHA256:[A-Za-z0-9+/]{43}$"},
                    "sig": {"type": "string", "pattern": "^[A-Za-z0-9+/]{86}==$"},
                })},
                "statement": _closed({
                    "_type": {"const": "https://in-toto.io/Statement/v1"},
                    "predicateType": {"const": benchmark.PREDICATE_TYPE},
                    "subject": {"type": "array", "minItems": 1, "maxItems": 1, "items": _closed({
                        "name": {"type": "string"},
                        "digest": _closed({"sha256": _HEX}),
                    })},
                    "predicate": predicate,
                }),
            }
        ),
        "$defs": {name: definitions[name] for name in sorted(definitions)},
    }  # fmt: skip


def _predicate(definitions: dict[str, Json]) -> Json:
    members: dict[str, Json] = {
        "schema": {"const": benchmark.SCHEMA},
        "run_id": {"type": "string"},
        "finished_at": {"type": "string", "format": "date-time"},
        "tool": _shape(benchmark.Tool, definitions),
        "subject": {"type": "object", "additionalProperties": {"type": "string"}},
        "source": _shape(benchmark.Origin, definitions),
        "measurement": _shape(Measurement, definitions),
        "against": _shape(Measurement, definitions),
        "summary": {"type": "array", "items": _shape(benchmark._Row, definitions)},
        "gate": _shape(benchmark.GateReference, definitions),
        "plan": _plan(definitions),
    }
    return _closed(members, optional=("against", "gate", "plan"))


def _plan(definitions: dict[str, Json]) -> Json:
    """As `gates.plan_document` writes it: rates are decimal texts, and the load says which loop it is."""
    loops = {"closed": ClosedLoop, "open": OpenLoop}
    reference = _shape(Plan, definitions, _DECIMAL)
    for loop, kind in loops.items():
        shape = definitions[kind.__name__] = _object(kind, definitions, _DECIMAL)
        shape["properties"]["loop"] = {"const": loop}
        shape["required"] = sorted([*shape.get("required", ()), "loop"])
    either = [{"$ref": f"#/$defs/{kind.__name__}"} for kind in loops.values()]
    definitions["Plan"]["properties"]["load"] = {"oneOf": either}
    return reference


def _closed(members: dict[str, Json], optional: tuple[str, ...] = ()) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(set(members) - set(optional)),
        "properties": members,
    }


def _shape(annotation: Any, definitions: dict[str, Json], number: Json | None = None) -> Json:
    """The schema of one annotation; `number` is how this part of the file writes a number that is not whole."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Distribution:
        definitions.setdefault("Distribution", _distribution())
        return {"$ref": "#/$defs/Distribution"}
    if dataclasses.is_dataclass(annotation):
        name = typing.cast("type[Any]", annotation).__name__.lstrip("_")
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = _object(typing.cast("type[Any]", annotation), definitions, number)
        return {"$ref": f"#/$defs/{name}"}
    if origin in (types.UnionType, typing.Union):
        inner = [item for item in arguments if item is not type(None)]
        shape = _shape(inner[0], definitions, number)
        return {"anyOf": [shape, {"type": "null"}]} if len(inner) < len(arguments) else shape
    if origin is tuple:
        if arguments[1:] == (Ellipsis,):
            return {"type": "array", "items": _shape(arguments[0], definitions, number)}
        parts = [_shape(argument, definitions, number) for argument in arguments]
        return {"type": "array", "prefixItems": parts, "minItems": len(parts), "items": False}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _shape(arguments[1], definitions, number)}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    return number if annotation is float and number is not None else _SCALARS[annotation]


def _object(kind: type[Any], definitions: dict[str, Json], number: Json | None = None) -> Json:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    required = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and typing.get_origin(hints[field.name]) is not tuple
    ]
    shape: Json = {"type": "object", "additionalProperties": False}
    if required:
        shape["required"] = sorted(required)
    # the plan and the printed summary stand beside the measurement, not in it
    left_out = ("plan", "printed") if kind is Measurement else ()
    shape["properties"] = {
        field.name: _shape(hints[field.name], definitions, number) for field in fields if field.name not in left_out
    }
    if kind is Intervals:
        for name in columns.COLUMNS:
            shape["properties"][name] = {"anyOf": [shape["properties"][name], {"type": "integer", "minimum": 0}]}
    return shape


def _distribution() -> Json:
    column = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    edges = {name: {"type": "integer", "minimum": 0} for name in ("minimum", "maximum", "total_ns")}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {"hdr": {"type": "string"}, "low": column, "high": column, "count": column, **edges},
    }


if __name__ == "__main__":
    print(json.dumps(artifact_schema(), indent=2, ensure_ascii=False))
