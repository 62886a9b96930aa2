"""A plan as JSON values and back, and the digest that binds evidence to a gate's ``[measure]``.

The document holds texts, whole numbers, true and false only. Rates are decimal texts: a float would read back as
another number in another language, and the digest would differ for the same plan.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from bizra_gate.errors import UntrustedError
from bizra_gate.model import ClosedLoop, CommandOptions, HttpRequest, OpenLoop, Plan
from bizra_gate.model.plan import public_target

Json = Any

LOOPS = {"closed": ClosedLoop, "open": OpenLoop}
MAX_SAFE_INTEGER = 2**53 - 1
SECRET_HEADERS = ("authorization", "cookie", "token", "secret", "api-key", "apikey", "password")
"""Headers whose names hold one of these are sent and not written down."""
WITHHELD = "(withheld)"


def plan_document(plan: Plan) -> dict[str, Json]:
    """`plan` as JSON values; members that are None are left out, and so are secrets.

    A password in a URL, a token in a header: they are no part of what was measured, and an artifact is public.
    """
    document: dict[str, Json] = _encode(plan)
    for key in {"target", "against"} & set(document):
        document[key] = public_target(document[key])
    if plan.http is not None:
        document["http"]["headers"] = [[name, _public(name, value)] for name, value in plan.http.headers]
    loop = "open" if isinstance(plan.load, OpenLoop) else "closed"
    return document | {"load": {"loop": loop, **document["load"]}}


def plan_digest(plan: Plan) -> str:
    """SHA-256 (hex) over the canonical JSON of `plan`.

    The name is left out: calling a gate something else does not change what was measured. So are HTTP and command
    options that say nothing but the defaults, which is what leaving them out says too.
    """
    document = plan_document(plan)
    document.pop("name", None)
    for key, default in (("http", HttpRequest()), ("command", CommandOptions())):
        if document.get(key) == _encode(default):
            del document[key]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def plan_from_document(document: Json) -> Plan:
    """The plan that `plan_document` wrote; anything else raises `UntrustedError` naming the place."""
    if not isinstance(document, dict) or not isinstance(document.get("load"), dict):
        raise _refusal("plan", document, "a plan with its load")
    load = dict(document["load"])
    loop = load.pop("loop", None)
    if loop not in LOOPS:
        raise _refusal("plan.load.loop", loop, '"closed" or "open"')
    decoded = _noun(LOOPS[loop], load, "plan.load")
    rest = {name: value for name, value in document.items() if name != "load"}
    plan: Plan = _noun(Plan, rest, "plan", load=decoded)
    return plan


def _public(name: str, value: str) -> str:
    """The value of a header, unless its name says that it is a secret."""
    return WITHHELD if any(word in name.lower() for word in SECRET_HEADERS) else value


# ── encoding ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _encode(value: object) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {name: _encode(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_encode(item) for item in value]
    return decimal_text(value) if isinstance(value, float) else value


def decimal_text(value: float) -> str:
    """The shortest text that reads back as `value`; a whole number has no point."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not finite and cannot be part of a plan")
    return str(int(value)) if value.is_integer() and abs(value) <= MAX_SAFE_INTEGER else repr(value)


# ── decoding ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _noun(kind: type[Any], document: Json, where: str, **given: object) -> Any:
    """An instance of the dataclass `kind`; unknown members and missing ones without a default are refused."""
    if not isinstance(document, dict):
        raise _refusal(where, document, "an object")
    hints, optional = _hints(typing.cast("typing.Hashable", kind)), _optional(typing.cast("typing.Hashable", kind))
    unknown = sorted(name for name in document if name not in optional or name in given)
    if unknown:
        raise _refusal(f"{where}.{unknown[0]}", document[unknown[0]], "no such member")
    for name in optional:
        if name not in document and not optional[name] and name not in given:
            raise _refusal(f"{where}.{name}", None, "a value")
    values = {name: _value(hints[name], item, f"{where}.{name}") for name, item in document.items()}
    return kind(**values, **given)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Annotations of a dataclass as types; reading them costs more than reading a plan."""
    return typing.get_type_hints(kind)


@cache
def _optional(kind: Any) -> dict[str, bool]:
    """Whether each field of a dataclass has a default."""
    missing = dataclasses.MISSING
    return {
        field.name: field.default is not missing or field.default_factory is not missing
        for field in dataclasses.fields(kind)
    }


def _value(hint: Any, document: Json, where: str) -> Any:
    """`document` as a value of the annotation `hint`."""
    origin, arguments, noun = _anatomy(hint)
    if origin is types.UnionType:  # X | None: None is left out of documents, so only X can stand here
        return _value(next(one for one in arguments if one is not type(None)), document, where)
    if noun:
        return _noun(typing.cast("type[Any]", hint), document, where)
    if origin is tuple:
        return _tuple(arguments, document, where)
    if origin is typing.Literal:
        if document not in arguments or isinstance(document, bool):
            raise _refusal(where, document, " or ".join(map(str, arguments)))
        return document
    if origin is not None:
        return _mapping(arguments[1], document, where)
    return _scalar(hint, document, where)


@cache
def _anatomy(hint: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """Origin and arguments of an annotation, and whether it is a noun."""
    return typing.get_origin(hint), typing.get_args(hint), dataclasses.is_dataclass(hint)


def _tuple(arguments: tuple[Any, ...], document: Json, where: str) -> tuple[Any, ...]:
    if not isinstance(document, list):
        raise _refusal(where, document, "an array")
    kinds = (arguments[0],) * len(document) if arguments[-1] is Ellipsis else arguments
    if len(kinds) != len(document):
        raise _refusal(where, document, f"an array of {len(kinds)}")
    pairs = enumerate(zip(kinds, document, strict=True))
    return tuple(_value(kind, item, f"{where}[{i}]") for i, (kind, item) in pairs)


def _mapping(kind: Any, document: Json, where: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _refusal(where, document, "an object")
    return {str(key): _value(kind, item, f"{where}.{key}") for key, item in document.items()}


def _scalar(kind: type, document: Json, where: str) -> Any:
    if kind is float:
        return _decimal(document, where)
    if type(document) is not kind:
        raise _refusal(where, document, {str: "a text", int: "a whole number", bool: "true or false"}[kind])
    if isinstance(document, int) and not 0 <= document <= MAX_SAFE_INTEGER:
        raise _refusal(where, document, "a whole number from 0 to 2^53 - 1")
    return document


def _decimal(document: Json, where: str) -> float:
    """A rate: only the text that `decimal_text` writes, so that one rate has one spelling."""
    try:
        value = float(document) if isinstance(document, str) and len(document) < 40 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0 or decimal_text(value) != document:
        raise _refusal(where, document, "a decimal number as text, in its shortest spelling")
    return value


def _refusal(where: str, got: object, expected: str) -> UntrustedError:
    return UntrustedError(f"{where}: got {repr(got)[:80]}; expected {expected}", code="malformed")
