"""Frozen nouns that are made in half the time, and sent to another process in a third of it.

Because assignment is refused, a frozen dataclass has `object.__setattr__` look up every member by its name, and where
it is pickled it asks for its fields one by one. Here the slots themselves are told their values. `verify` makes two
hundred nouns of every artifact, which is a fifteenth of its time.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import Any, TypeVar

_Noun = TypeVar("_Noun")


def quick(noun: type[_Noun]) -> type[_Noun]:
    """`noun`, a frozen dataclass with slots, with an ``__init__`` of the same signature that fills the slots directly.

    Raises TypeError for any other class, and for one that does more than take its members.
    """
    fields = dataclasses.fields(noun)  # type: ignore[arg-type]
    frozen = noun.__dataclass_params__.frozen  # type: ignore[attr-defined]
    plain = all(field.init and not field.kw_only for field in fields) and not hasattr(noun, "__post_init__")
    slots = [noun.__dict__.get(field.name) for field in fields]
    if not (fields and frozen and plain and all(hasattr(slot, "__set__") for slot in slots)):
        raise TypeError(f"{noun.__name__} is no frozen dataclass with slots that only takes its members")
    puts = [slot.__set__ for slot in slots]  # type: ignore[union-attr]
    scope: dict[str, Any] = {f"put_{field.name}": put for field, put in zip(fields, puts, strict=True)}
    scope |= {f"default_{field.name}": field.default for field in fields}
    scope |= {f"make_{field.name}": field.default_factory for field in fields}
    scope["MISSING"] = dataclasses.MISSING
    parameters, body = zip(*map(_member, fields), strict=True)
    exec(f"def __init__(self, {', '.join(parameters)}):\n{''.join(body)}", scope)
    made = scope["__init__"]
    made.__qualname__, made.__annotations__ = f"{noun.__qualname__}.__init__", noun.__init__.__annotations__
    members = attrgetter(*[field.name for field in fields])

    def __getstate__(self: _Noun) -> Any:
        return members(self) if len(puts) > 1 else (members(self),)

    def __setstate__(self: _Noun, state: Any) -> None:
        for put, value in zip(puts, state, strict=True):
            put(self, value)

    for method in (made, __getstate__, __setstate__):
        setattr(noun, method.__name__, method)
    return noun


def _member(field: dataclasses.Field[Any]) -> tuple[str, str]:
    """The parameter for `field`, and the line that puts it in its place."""
    name = field.name
    if field.default_factory is not dataclasses.MISSING:
        return f"{name}=MISSING", f"    put_{name}(self, make_{name}() if {name} is MISSING else {name})\n"
    default = "" if field.default is dataclasses.MISSING else f"=default_{name}"
    return f"{name}{default}", f"    put_{name}(self, {name})\n"
