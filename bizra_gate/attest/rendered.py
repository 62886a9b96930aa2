"""Whether bytes are the one rendering of what they say, told without rendering them anew.

    recognise(data) -> Recognised | None    None says nothing: `strict.parse` and `canonical.render_parsed` decide

A document without a backslash has little freedom. Its strings have one spelling each, and so have its integers; there
remain the floats (spelled anew one by one), the order of keys (compared as objects are read), and the layout, which is
a regular language. Whatever is not certainly right here, and everything that is wrong, is left to the slow way, which
also has the words for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from bizra_gate.attest.canonical import COLUMNS, ecmascript, fill, fill_numbers, jcs_sorted
from bizra_gate.attest.strict import MAX_DEPTH, float_problem, may_hold_an_unsafe_integer

MAX_BYTES = 2**20
"""A regular expression remembers every turn of a loop; for larger files that is too much memory."""
_DEEPEST = MAX_DEPTH - 2
"""Two levels less, because neither leaves nor arrays on one line are counted."""

_TEXT = r'"[^"]*+"'
_SCALAR = rf"(?:{_TEXT}|[-+.0-9a-z]++)"
_WITHIN_COLUMNS = rf"(?<![^\n]{{{COLUMNS}}})"
"""Here, on its line, there is still room for a comma."""
_ON_ITS_LINE = rf"(?:{_SCALAR}|\[\]|\{{\}}|\[{_SCALAR}(?:, {_SCALAR})*\]{_WITHIN_COLUMNS})"
_ENDS = r"((?:\n *[\]}])+)(,?)"
_KEY = f"{_TEXT}: "
_LEAF = rf"\{{\1  {_KEY}{_ON_ITS_LINE}(?:,\1  {_KEY}{_ON_ITS_LINE})*\1\}}"
"""An object with nothing but such members, on the lines below the one with this indent."""


def _lines(key: str) -> re.Pattern[str]:
    """Lines of one object or array, up to the next one that is opened within it, or to its end and those of others."""
    return re.compile(rf"(\n *){key}(?:(?:{_ON_ITS_LINE}|{_LEAF}),\1{key})*(?:([\[{{])(?=\n)|{_ON_ITS_LINE}{_ENDS})")


_LINES = {"{": _lines(_KEY), "[": _lines("")}
_NUMBERS = re.compile(r"(\n *)([-+.0-9a-z][-+.0-9a-z, \n]*)\n *\]")
_SCALARS = re.compile(rf"(\n *)((?:{_SCALAR}(?:, |,\1)?)+)\n *\]")
_TOKEN = re.compile(_SCALAR)
_END_OF_MANY = re.compile(_ENDS)
_MINUS_ZERO = re.compile(rb"-0(?!\.)")


@dataclass(frozen=True, slots=True)
class Recognised:
    """A document and the bytes that `canonical` gives for it."""

    document: object
    canonical: bytes


class _GiveWayError(ValueError):
    """Something that the slow way has to look at."""


def recognise(data: bytes) -> Recognised | None:
    """What `data` says, if it is certain that `strict.parse` takes it and that `render_parsed` gives it back."""
    if len(data) > MAX_BYTES or b"\\" in data:
        return None
    try:
        text = data.decode("utf-8")
        if not _is_laid_out(text):
            return None
        document, members = _read(text)
    except (ValueError, RecursionError):
        return None
    parts = data.split(b'"')
    outside = b'"'.join(parts[::2])
    if outside.count(b":") != members:  # a key that its object has twice is read once
        return None
    if may_hold_an_unsafe_integer(outside) or (b"-0" in outside and _MINUS_ZERO.search(outside)):
        return None
    parts[::2] = outside.translate(None, b" \n").split(b'"')
    return Recognised(document, b'"'.join(parts))


def _float(token: str) -> float:
    value = float(token)
    python = repr(value)
    if python == token and "e" not in python and not python.endswith(".0"):
        return value  # a fraction, which Python and ECMAScript spell alike
    if ecmascript(python) != token or float_problem(value):
        raise _GiveWayError
    return value


def _no_constant(name: str) -> float:
    raise _GiveWayError(name)


def _read(text: str) -> tuple[object, int]:
    """What `text` says, and how many members all its objects have; `_GiveWayError` where keys are out of order."""
    lengths: list[int] = []
    order = sorted if text.isascii() else jcs_sorted

    def ordered(members: dict[str, object]) -> dict[str, object]:
        if list(members) != order(members):
            raise _GiveWayError
        lengths.append(len(members))
        return members

    decoder = json.JSONDecoder(object_hook=ordered, parse_float=_float, parse_constant=_no_constant)
    return decoder.decode(text), sum(lengths)


def _is_laid_out(text: str) -> bool:
    """Whether `text`, if it is JSON at all, has its line breaks and spaces where `render` puts them.

    That brackets fit each other, that members have keys and elements have none, and what a number is, the reader of
    JSON sees to.
    """
    if not text.startswith("{\n"):
        return False
    at, within = 1, ["{"]
    while found := _LINES[within[-1]].match(text, at):
        inner, opened, ends, comma = found.groups()
        depth = len(within)
        if len(inner) != 1 + 2 * depth:
            return False
        at = found.end()
        if opened:
            if depth == _DEEPEST:
                return False
            within.append(opened)
            if opened == "{" or (rows := _NUMBERS.match(text, at) or _SCALARS.match(text, at)) is None:
                continue
            if not _is_filled(text, rows, depth + 1) or not (found := _END_OF_MANY.match(text, rows.end(2))):
                return False
            at = found.end()
            ends, comma = found.groups()
        for line in ends[1:].split("\n"):
            if len(line) != 2 * len(within) - 1:
                return False
            within.pop()
        if not comma or not within:
            return not comma and not within and text[at:] == "\n"
    return False


def _is_filled(text: str, rows: re.Match[str], depth: int) -> bool:
    """Whether the lines of an array of scalars, whose elements stand at `depth`, are as full as they can be."""
    inner, filled = rows.group(1, 2)
    width = COLUMNS - 2 * depth
    if len(inner) != 1 + 2 * depth:
        return False
    column = rows.start() - 1 - (text.rfind("\n", 0, rows.start()) + 1)
    if rows.re is _SCALARS:
        tokens = _TOKEN.findall(filled)
        lines = fill(tokens, width)
        return column + len(", ".join(tokens)) + 3 > COLUMNS and f",{inner}".join(lines) == filled
    numbers = filled.replace(f",{inner}", ", ")
    if "\n" in numbers or not numbers.count(", ") == numbers.count(",") == numbers.count(" "):
        return False
    return column + len(numbers) + 3 > COLUMNS and f",{inner}".join(fill_numbers(numbers, width)) == filled
