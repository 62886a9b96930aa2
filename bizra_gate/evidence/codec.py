"""Frozen nouns to JSON values and back, strictly.

The shape of the file follows from the annotations of the nouns, so that a field cannot be written and then forgotten
on reading. What is at its default is left out; an unknown member, a wrong type or a number that is not finite is
refused.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ..errors import UntrustedError
from ..model import Distribution, Intervals
from ..stats import histogram
from . import columns, sound

MAX_SAFE_INTEGER = 2**53 - 1
Json = Any
Decoder = Callable[[Json, str], Any]


def encode(value: object) -> Json:
    """`value` (a noun, a container of nouns, or a scalar) as JSON values without what is at its default."""
    if isinstance(value, Distribution):
        return _encode_distribution(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        document = {field.name: encode(item) for field, item in pairs if not _is_default(field, item)}
        return columns.packed(value, document) if isinstance(value, Intervals) else document
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written: a record holds finite numbers only")
        return int(value) if value.is_integer() and abs(value) <= MAX_SAFE_INTEGER else value
    return value


def _is_default(field: dataclasses.Field[Any], item: object) -> bool:
    """What reads back as the same when it is left out. An empty mapping is not None: it was measured, and zero."""
    if field.default is not dataclasses.MISSING:
        return item == field.default and type(item) is type(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return bool(item == field.default_factory())
    return item is None


def _encode_distribution(value: Distribution) -> Json:
    """HDR bins travel as one V2 payload; any other bins (foreign buckets, exact samples) as three columns."""
    document: dict[str, Json] = {"minimum": value.minimum, "maximum": value.maximum, "total_ns": value.total_ns}
    if value.total_ns is not None and value.total_ns > MAX_SAFE_INTEGER:
        del document["total_ns"]
    layout = histogram.layout_of(value) if value.n else None
    if layout is not None:
        document["hdr"] = histogram.encode(value, layout)
    else:
        document |= {"low": list(value.low), "high": list(value.high), "count": list(value.count)}
    return {name: item for name, item in document.items() if item is not None}


def decode(kind: type[Any], document: Json, where: str) -> Any:
    """An instance of the noun `kind` from `document`; raises `UntrustedError` naming the place below `where`."""
    return _decoder(typing.cast("typing.Hashable", kind))(document, where)


def members(kind: type[Any], document: Json, where: str) -> dict[str, Any]:
    """The members that `document` has of the noun `kind`, decoded as `decode` does it, for those who make another."""
    return _members(typing.cast("typing.Hashable", kind))(document, where)


def _refuse(where: str, got: object, expected: str) -> UntrustedError:
    shown = repr(got)
    return UntrustedError(f"{where}: got {shown[:80]}, expected {expected}", code="malformed")


@cache
def _decoder(annotation: Any) -> Decoder:
    """The decoder of one annotation; built once a process, because a thousand artifacts share it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Distribution:
        return _decode_distribution
    if dataclasses.is_dataclass(annotation):
        return _noun(typing.cast("type[Any]", annotation))
    if origin in (types.UnionType, typing.Union):
        return _optional(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(arguments[1])
    if origin is typing.Literal:
        return _literal(arguments)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    raise TypeError(f"no decoder for {annotation!r}")


def _noun(kind: type[Any]) -> Decoder:
    decode_members = _members(typing.cast("typing.Hashable", kind))
    check = sound.CHECKS.get(kind)

    def decode_noun(document: Json, where: str) -> Any:
        made = kind(**decode_members(document, where))
        if check is not None:
            check(made, where)
        return made

    return decode_noun


@cache
def _members(kind: Any) -> Callable[[Json, str], dict[str, Any]]:
    hints = typing.get_type_hints(kind)
    fields = dataclasses.fields(kind)
    required = [
        field.name
        for field in fields
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    needed = frozenset(name for name in required if not _may_be_empty(hints[name]))
    empty: dict[str, Any] = {name: () for name in required if _may_be_empty(hints[name])}
    known: dict[str, tuple[frozenset[type], bool, Decoder]] = {}

    def decode_members(document: Json, where: str) -> dict[str, Any]:
        if kind is Intervals:
            document = columns.unpacked(document, where)
        if not isinstance(document, dict):
            raise _refuse(where, document, f"an object ({kind.__name__})")
        if not known:  # on first use: nouns hold each other
            known.update({field.name: _by_type(hints[field.name]) for field in fields})
        values = empty.copy()
        for name, item in document.items():
            if name not in known:
                raise _refuse(f"{where}.{name}", name, f"one of {', '.join(sorted(known))}")
            as_it_stands, widened, decoder = known[name]
            if type(item) in as_it_stands:
                values[name] = item
            elif widened and type(item) is int:
                values[name] = float(item)
            else:
                values[name] = decoder(item, f"{where}.{name}")
        if not values.keys() >= needed:
            missing = next(name for name in required if name not in values)
            raise _refuse(where, sorted(document), f"a member {missing!r}")
        return values

    return decode_members


def _by_type(annotation: Any) -> tuple[frozenset[type], bool, Decoder]:
    """Types of JSON values taken as they stand, whether whole numbers are made floats, and who decodes the others."""
    unchanged = _unchanged(annotation)
    return unchanged, float in unchanged and int not in unchanged, _decoder(annotation)


def _unchanged(annotation: Any) -> frozenset[type]:
    """Types of JSON values that `annotation` takes as they stand, so that no decoder needs to be asked."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        return frozenset().union(*(_unchanged(item) for item in typing.get_args(annotation)))
    return frozenset({annotation}) if annotation in (int, float, str, bool, type(None)) else frozenset()


def _may_be_empty(annotation: Any) -> bool:
    return typing.get_origin(annotation) is tuple


def _optional(arguments: tuple[Any, ...]) -> Decoder:
    inner = [item for item in arguments if item is not type(None)]
    nullable = len(inner) < len(arguments)
    if len(inner) != 1:
        raise TypeError(f"no decoder for a union of {arguments}")
    decoder = _decoder(inner[0])

    def decode_optional(document: Json, where: str) -> Any:
        return None if nullable and document is None else decoder(document, where)

    return decode_optional


def _tuple(arguments: tuple[Any, ...]) -> Decoder:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return _column(arguments[0])
    parts = [(i, *_by_type(item)) for i, item in enumerate(arguments)]

    def decode_fixed(document: Json, where: str) -> Any:
        if not isinstance(document, list) or len(document) != len(parts):
            raise _refuse(where, document, f"an array of {len(parts)}")
        return tuple([
            item if type(item) in as_it_stands
            else float(item) if widened and type(item) is int
            else decoder(item, f"{where}[{i}]")
            for item, (i, as_it_stands, widened, decoder) in zip(document, parts, strict=True)
        ])  # fmt: skip

    return decode_fixed


def _column(element: Any) -> Decoder:
    decoder = _decoder(element)

    def decode_column(document: Json, where: str) -> Any:
        if not isinstance(document, list):
            raise _refuse(where, document, "an array")
        if element is int and set(map(type, document)) <= _WHOLE:
            return tuple(document)
        return tuple(decoder(item, f"{where}[{i}]") for i, item in enumerate(document))

    return decode_column


def _mapping(element: Any) -> Decoder:
    decoder = _decoder(element)

    def decode_mapping(document: Json, where: str) -> Any:
        if not isinstance(document, dict):
            raise _refuse(where, document, "an object")
        return {name: decoder(item, f"{where}.{name}") for name, item in document.items()}

    return decode_mapping


def _literal(choices: tuple[Any, ...]) -> Decoder:
    def decode_literal(document: Json, where: str) -> Any:
        if document not in choices or isinstance(document, bool):
            raise _refuse(where, document, f"one of {', '.join(map(str, choices))}")
        return document

    return decode_literal


def _scalar(accepted: tuple[type, ...], name: str, convert: Callable[[Any], Any] | None = None) -> Decoder:
    def decode_scalar(document: Json, where: str) -> Any:
        if type(document) not in accepted:
            raise _refuse(where, document, name)
        return convert(document) if convert else document

    return decode_scalar


_WHOLE = {int}
"""A column of whole numbers (and no truth values, which are whole numbers to Python) is taken as it stands."""
_SCALARS: dict[Any, Decoder] = {
    int: _scalar((int,), "an integer"),
    float: _scalar((int, float), "a number", float),
    str: _scalar((str,), "a string"),
    bool: _scalar((bool,), "true or false"),
}


def _decode_distribution(document: Json, where: str) -> Distribution:
    if not isinstance(document, dict):
        raise _refuse(where, document, "an object (Distribution)")
    allowed = {"hdr", "low", "high", "count", "minimum", "maximum", "total_ns"}
    if unknown := set(document) - allowed:
        raise _refuse(where, sorted(unknown), f"only {', '.join(sorted(allowed))}")
    edges = {
        name: _SCALARS[int](document[name], f"{where}.{name}")
        for name in ("minimum", "maximum", "total_ns")
        if name in document
    }
    if "hdr" in document:
        if {"low", "high", "count"} & set(document):
            raise _refuse(where, sorted(document), "either hdr or low, high and count")
        stored = histogram.decode(_SCALARS[str](document["hdr"], f"{where}.hdr"))
        result = histogram.with_exact(stored, edges.get("minimum"), edges.get("maximum"), edges.get("total_ns"))
    else:
        bins = [_column(int)(document.get(name, []), f"{where}.{name}") for name in ("low", "high", "count")]
        result = Distribution(*bins, **edges)
        _check_bins(result, where)
    _check_edges(result, where)
    return result


def _check_bins(value: Distribution, where: str) -> None:
    """Bins ascend, do not overlap and hold something; an HDR payload gives nothing else."""
    if not len(value.low) == len(value.high) == len(value.count):
        raise _refuse(where, (len(value.low), len(value.high), len(value.count)), "columns of one length")
    if any(count <= 0 for count in value.count):
        raise _refuse(f"{where}.count", min(value.count), "counts above zero")
    if any(low > high for low, high in zip(value.low, value.high, strict=True)) or any(
        high >= low for high, low in zip(value.high, value.low[1:], strict=False)
    ):
        raise _refuse(f"{where}.low", "bins out of order", "ascending bins that do not overlap")
    if value.low and value.low[0] < 0:
        raise _refuse(f"{where}.low", value.low[0], "values of at least 0 ns")


def _check_edges(value: Distribution, where: str) -> None:
    """The exact extremes lie in the outermost bins."""
    for name, stated, place, index in (("minimum", value.minimum, "first", 0), ("maximum", value.maximum, "last", -1)):
        if value.bins and stated is not None:
            low, high = value.edges(index)
            if not low <= stated <= high:
                raise _refuse(f"{where}.{name}", stated, f"a value in the {place} bin, {low}…{high}")
