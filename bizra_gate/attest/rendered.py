"""Whether bytes are the one rendering of what they say, told without rendering them anew.

    recognise(data) -> Recognised | None    None says nothing: `strict.parse` and `canonical.render_parsed` decide

A document without a backslash has little freedom. Its strings have one spelling each, and so have its integers; there
remain the floats (spelled anew one by one), the order of keys, and the layout. Arrays of scalars on several lines are
looked at one by one. What is left is the skeleton: the text with every string and every other scalar shrunk to one
sign. Artifacts of one kind have few skeletons, so what is said of a skeleton is kept. Whatever is not certainly right
here, and everything that is wrong, is left to the slow way, which also has the words for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from bizra_gate.attest.canonical import COLUMNS, ecmascript, fill, jcs_sorted
from bizra_gate.attest.strict import MAX_DEPTH, float_problem, may_hold_an_unsafe_integer

MAX_BYTES = 2**20
"""Larger files are so rare that nothing is gained by a quick way, and much memory could be lost."""
_DEEPEST = MAX_DEPTH - 1
"""One level less, because an array on one line, or closed up, is not counted."""
_KEPT_BYTES = 2**16
"""Nothing is kept about larger skeletons: those that are kept must not fill the memory."""
_EXACT_DIGITS = 15
"""Decimals of so many digits all have a double of their own, so none of them has a shorter spelling."""

_TOKEN = re.compile(r'"[^"]*+"|[-+.0-9a-z]++')
_TOO_LONG = re.compile(rf"\](?<=[^\n]{{{COLUMNS}}})(?<!\[\]),?\n")
"""The end of an array with elements, on whose line there is no room for a comma. No string has a line break."""
_MINUS_ZERO = re.compile(rb"-0(?!\.)")
_BARE = b"+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BARE_ALIKE = bytes.maketrans(_BARE, b"0" * len(_BARE))
_LINE = re.compile(rb'( *)(?:(": )?(?:[1"]|\{\}|\["*\]|\[[1"](?:, [1"])*\]|([{\[]))|([}\]])),?')
"""A line of a skeleton: indent, key, and a value or what opens one; or what closes one."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A document and the bytes that `canonical` gives for it."""

    document: object
    canonical: bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """What a skeleton that is laid out as `render` does says of the strings."""

    keys: tuple[int, ...]
    """Which of the strings are keys."""
    objects: tuple[tuple[int, ...], ...]
    """Which of the keys every object has."""


class _GiveWayError(ValueError):
    """Something that the slow way has to look at."""


def recognise(data: bytes) -> Recognised | None:
    """What `data` says, if it is certain that `strict.parse` takes it and that `render_parsed` gives it back."""
    if len(data) > MAX_BYTES or b"\\" in data or b"\t" in data or b"\r" in data:
        return None
    parts = data.split(b'"')
    outside = b'"'.join(parts[::2])
    try:
        text = data.decode("utf-8")
        if len(parts) % 2 == 0 or not _is_laid_out(outside, parts[1::2]) or _TOO_LONG.search(text):
            return None
        document = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    outside = outside.translate(None, b" \n")
    if may_hold_an_unsafe_integer(outside) or (b"-" in outside and _MINUS_ZERO.search(outside)):
        return None
    parts[::2] = outside.split(b'"')
    return Recognised(document, b'"'.join(parts))


def _float(token: str) -> float:
    value = float(token)
    fixed = "e" not in token and "E" not in token
    if fixed and len(token) <= _EXACT_DIGITS + 1 and token[-1] != "0" and abs(value) >= 1e-6:
        return value  # a fraction that is spelled as short as it can be
    if ecmascript(repr(value)) != token or float_problem(value):
        raise _GiveWayError
    return value


def _no_constant(name: str) -> float:
    raise _GiveWayError(name)


_DECODER = json.JSONDecoder(parse_float=_float, parse_constant=_no_constant)


def _is_laid_out(outside: bytes, strings: list[bytes]) -> bool:
    """Whether a text with `strings`, and with `outside` around them, has its keys, line breaks and spaces in order.

    That is so if it is JSON at all. That brackets fit each other, that members have keys and elements have none, where
    commas stand, and what a number is, the reader of JSON sees to.
    """
    closed_up = _with_arrays_closed_up(outside, strings)
    if closed_up is None:
        return False
    bare = closed_up.translate(_BARE_ALIKE)
    # Of every scalar its last sign stays, if it stands where one may end; else none, and a value is missing.
    skeleton = bare.replace(b"0,", b"1,").replace(b"0\n", b"1\n").replace(b"0]", b"1]").translate(None, b"0")
    if len(skeleton) > _KEPT_BYTES:
        layout = _layout(skeleton)
        return layout is not None and _are_in_order(layout, _keys(layout, strings))
    layout = _kept_layout(skeleton)
    return layout is not None and _kept_are_in_order(layout, _keys(layout, strings))


def _keys(layout: _Layout, strings: list[bytes]) -> bytes:
    return b'"'.join([strings[at] for at in layout.keys])


def _layout(skeleton: bytes) -> _Layout | None:
    """What `skeleton` says of the strings, or None where a line is not one of `render` or has a wrong indent."""
    first, *lines, last = skeleton.split(b"\n")
    kinds = {line: _kind(line) for line in set(lines)}  # most lines are like others
    keys: list[int] = []
    objects: list[tuple[int, ...]] = []
    within: list[list[int]] = [[]]
    opened, strings = True, 0
    for line in lines:
        kind = kinds[line]
        if kind is None or not within:
            return None
        indent, has_key, opens, closes, quotes = kind
        if closes:
            if opened:
                return None
            objects.append(tuple(within.pop()))
        if indent != 2 * len(within) or len(within) > _DEEPEST:
            return None
        if has_key:
            within[-1].append(len(keys))
            keys.append(strings)
        if opens:
            within.append([])
        opened, strings = opens, strings + quotes
    return None if within or first != b"{" or last else _Layout(tuple(keys), tuple(objects))


def _kind(line: bytes) -> tuple[int, bool, bool, bool, int] | None:
    """Indent, whether it has a key, whether it opens or closes something, and the number of its strings."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    indent, key, opens, closes = found.groups()
    return len(indent), bool(key), bool(opens), bool(closes), line.count(b'"')


_kept_layout = lru_cache(maxsize=64)(_layout)


def _are_in_order(layout: _Layout, keys: bytes) -> bool:
    """Whether every object has its keys in order, and none twice; `keys` are all of them with quotes between."""
    names = keys.decode("utf-8").split('"')
    for one in layout.objects:
        own = [names[at] for at in one]
        if own != jcs_sorted(set(own)):
            return False
    return True


_kept_are_in_order = lru_cache(maxsize=64)(_are_in_order)


def _with_arrays_closed_up(outside: bytes, strings: list[bytes]) -> bytes | None:
    """`outside` with every array of scalars that has several lines on one, or None where those are not as they should.

    Of the elements only the quotes stay: one for every string.
    """
    first, *pieces = outside.split(b"[\n")
    kept = [first]
    doubtful: list[tuple[int, bytes, bytes]] = []
    for piece in pieces:
        rows, bracket, rest = piece.partition(b"]")
        if not bracket or b"{" in rows or b"[" in rows:
            kept.append(b"[\n" + piece)
            continue
        before = kept[-1][kept[-1].rfind(b"\n") + 1 :]
        if before.lstrip(b" ") not in (b"", b'": '):
            return None
        if b'"' in rows or not _are_filled_numbers(rows, before.count(b" ") - before.count(b":")):
            doubtful.append((len(kept), before, rows))
        kept.append(b"[" + b'"' * rows.count(b'"') + b"]" + rest)
    return b"".join(kept) if not doubtful or _are_filled(doubtful, kept, strings) else None


def _are_filled_numbers(rows: bytes, indent: int) -> bool:
    """Whether `rows`, the lines of an array of numbers, are certainly as full as they can be, and no two too many."""
    start, end = b" " * (indent + 2), b"\n" + b" " * indent
    if not rows.startswith(start) or not rows.endswith(end):
        return False
    lines = rows[len(start) : -len(end)].split(b",\n" + start)
    body = b", ".join(lines)
    if len(body.translate(None, b", \n")) + 2 * body.count(b", ") != len(body):
        return False
    width, lengths = COLUMNS - len(start), list(map(len, lines))
    heads = [line.find(b",") + 1 or len(line) + 1 for line in lines[1:]]  # with a comma
    return (
        indent + len(body) + 3 > COLUMNS
        and max(lengths) < width
        and all(length + 2 + head > width for length, head in zip(lengths, heads, strict=False))
    )


def _are_filled(arrays: list[tuple[int, bytes, bytes]], kept: list[bytes], strings: list[bytes]) -> bool:
    """Whether arrays of scalars are laid out on their lines as `render` does it.

    Every one is given by its place in `kept`, what stands before it on its line, and its lines, without `strings`.
    """
    strings_before = list(accumulate((piece.count(b'"') for piece in kept), initial=0))
    for place, before, rows in arrays:
        at = strings_before[place]
        pieces = rows.split(b'"')
        parts = [b""] * (2 * len(pieces) - 1)
        parts[::2], parts[1::2] = pieces, strings[at : at + len(pieces) - 1]
        text = b'"'.join(parts).decode("utf-8")
        indent = before.count(b" ") - before.count(b":")
        column = len(before) + (1 + len(strings[at - 1].decode("utf-8")) if before.endswith(b'": ') else 0)
        inner, tokens = "\n" + " " * (indent + 2), _TOKEN.findall(text)
        lines = fill(tokens, COLUMNS - indent - 2)
        if f"\n{text}" != f"{inner}{f',{inner}'.join(lines)}{inner[:-2]}" or not tokens:
            return False
        if column + len(", ".join(tokens)) + 3 <= COLUMNS:
            return False
    return True
