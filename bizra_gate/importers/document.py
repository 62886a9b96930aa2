"""JSON that another tool wrote, taken apart with messages that name file and path.

A value that is absent or null is None; a value of the wrong kind is a `FormatError`; a number that is not finite
counts as not said (JSON knows none, some tools write it anyway).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import FormatError
from ..model import Figure

MAX_COUNT = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document and where it stands, for messages."""

    value: Any
    where: str
    """File and path, e.g. ``run.json: latency.p99``."""

    def __getitem__(self, key: str) -> Node:
        """The member `key` of an object; a Node of None where it is absent or this is no object."""
        member = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(member, f"{self.where}.{key}" if self.where.count(": ") else f"{self.where}: {key}")

    def __bool__(self) -> bool:
        return self.value is not None

    def members(self) -> Iterator[tuple[str, Node]]:
        """Key and value of each member of an object, in order; nothing where the object is absent."""
        if self.value is None:
            return
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        for key in self.value:
            yield key, self[key]

    def elements(self) -> Iterator[Node]:
        """The elements of an array; nothing where it is absent."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.wrong("an array")
        for index, value in enumerate(self.value):
            yield Node(value, f"{self.where}[{index}]")

    def number(self) -> float | None:
        """A finite number, or None where it is absent, null or not finite."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.wrong("a number")
        try:
            found = float(self.value)
        except OverflowError:
            raise self.wrong("a number of sane size") from None
        return found if math.isfinite(found) else None

    def count(self) -> int | None:
        """A whole number from 0 to 2^53 - 1, also where it is written as 12.0 or (as protobuf does) as "12"."""
        value = self.value
        if isinstance(value, str) and value.isdecimal() and len(value) < 20:
            value = int(value)
        found = Node(value, self.where).number()
        if found is None:
            return None
        if found != int(found) or not 0 <= found <= MAX_COUNT:
            raise self.wrong("a count")
        return int(value)

    def text(self) -> str | None:
        """A string, or None where it is absent."""
        if self.value is None or isinstance(self.value, str):
            return self.value
        raise self.wrong("a string")

    def figure(self, factor: float = 1.0, quantum: float = 0.0) -> Figure | None:
        """The number times `factor`, with a resolution of `quantum` times `factor`; None where it is absent."""
        found = self.number()
        if found is None:
            return None
        if not math.isfinite(found * factor):
            raise self.wrong("a number of sane size")
        return Figure(found * factor, quantum * factor)

    def counts(self) -> dict[str, int]:
        """An object of counts, without the members that are zero."""
        return {key: n for key, node in self.members() if (n := node.count())}

    def wrong(self, expected: str) -> FormatError:
        """The error to raise where this value is not `expected`."""
        shown = json.dumps(self.value, default=str)
        return FormatError(f"{self.where}: got {shown if len(shown) < 60 else shown[:57] + '…'}; expected {expected}")


def parse(data: bytes, name: str) -> Node:
    """The document in `data`. Duplicate keys are refused: such a file says two things at once."""
    try:
        return Node(json.loads(data, object_pairs_hook=_unique), name)
    except json.JSONDecodeError as error:
        raise FormatError(f"{name}: {_explain(error)}") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: not readable as JSON: {error}") from None


def parse_several(data: bytes, name: str) -> Iterator[Node]:
    """The documents in `data`, one after the other, as tools write them that append to their output file."""
    decoder = json.JSONDecoder(object_pairs_hook=_unique)
    text = data.decode("utf-8", "replace")
    position = _skip_space(text, 0)
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise FormatError(f"{name}: {_explain(error)}") from None
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{name}: not readable as JSON: {error}") from None
        yield Node(value, name)
        position = _skip_space(text, end)


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _explain(error: json.JSONDecodeError) -> str:
    if not error.doc[error.pos + 1 :].strip() or "Unterminated" in error.msg:
        return f"ends in the middle of its JSON (line {error.lineno}); the file was cut"
    if error.msg == "Extra data" and error.doc[error.pos] in "{[":
        return f"a second document begins in line {error.lineno}: two files in one; split it there"
    return f"not readable as JSON: {error.msg} in line {error.lineno}, column {error.colno}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return found
