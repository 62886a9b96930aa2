"""Strict JSON: the one profile in which everything that is signed is read.

Every rule closes a door through which two readers could see two different documents in the same bytes: duplicate
keys, ``NaN``, integers that a double cannot hold, ``-0``, numbers that overflow or vanish, lone surrogates, a byte
order mark, bottomless nesting. The profile is a subset of RFC 8259 and of I-JSON (RFC 7493).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NoReturn

from bizra_gate.errors import UntrustedError

MAX_BYTES = 8 * 2**20
MAX_DEPTH = 32
SAFE_INTEGER = 2**53 - 1
"""Largest integer that every JSON reader keeps exactly (RFC 7493 section 2.2)."""
FLOAT_WINDOW = (2.0**53, 1e21)
"""Floats of this magnitude are written by RFC 8785 as plain digits and would be read back as unsafe integers."""

RESTORE = "it was cut or edited after it was written: restore it from version control, or make it anew"

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, or one without an end up to the end of the data: else its every quote would be tried as a beginning, and a
file of 40 KiB would take a minute to refuse."""
_NUMBER = re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_NONZERO = re.compile(rb"[1-9]")
_DIGITS_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_BRACKETS_ALIKE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LONG = b"0" * 16


def parse(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> object:
    """Read `data` as one strict JSON value; every number in it survives a round trip through `canonical`.

    Raises `UntrustedError` with code ``malformed``, naming line and column, for anything outside the profile.
    """
    text = _decode(data, max_bytes)
    skeleton = _skeleton(data)
    if not skeleton.isascii():
        _refuse_outside_strings(data)
    _check_depth(data, skeleton, max_depth)
    if _has_unusual_numbers(skeleton):
        _check_numbers(data)
    if _SURROGATE_ESCAPE.search(data):
        _check_surrogates(data)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except _DuplicateKeyError as error:
        _refuse(data, _second_occurrence(data), f"key {error.key!r} appears twice in one object")
    except _ConstantError as error:
        outside = re.search(rb"-?(?:NaN|Infinity)", _masked(data))
        _refuse(data, outside.start() if outside else 0, f"{error.name} is not JSON")
    except json.JSONDecodeError as error:
        raise _malformed(f"line {error.lineno} column {error.colno}: {error.msg}") from None


def _skeleton(data: bytes) -> bytes:
    """`data` with every string emptied. Without escapes the quotes alone tell where strings are, fifty times faster."""
    parts = data.split(b'"')
    if len(parts) % 2 and b"\\" not in data:
        return b'""'.join(parts[::2])
    return _STRING.sub(b'""', data)


def _decode(data: bytes, max_bytes: int) -> str:
    if len(data) > max_bytes:
        raise _malformed(f"{len(data):,} bytes; at most {max_bytes:,} are read")
    if data.startswith(b"\xef\xbb\xbf"):
        raise _malformed("begins with a byte order mark; save the file as UTF-8 without one")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed(f"byte {error.start} is not UTF-8 ({error.reason})") from None


def _check_depth(data: bytes, skeleton: bytes, max_depth: int) -> None:
    """Refuse deep nesting before any recursive reader sees it: every round removes the innermost level."""
    nest = skeleton.translate(_BRACKETS_ALIKE, _NOT_BRACKETS)
    for _ in range(max_depth):
        if not nest:
            return
        nest = nest.replace(b"[]", b"")
    if not nest:
        return
    depth = 0
    for match in re.finditer(rb"[\[\]{}]", _masked(data)):
        depth += 1 if match[0] in b"[{" else -1
        if depth > max_depth:
            _refuse(data, match.start(), f"nested more than {max_depth} levels deep")


def _has_unusual_numbers(skeleton: bytes) -> bool:
    """Whether a number could be unsafe: cheap byte searches that let every everyday document pass.

    A safe integer has at most 16 digits, so fewer than 16 in a row need no look; sixteen digits after a point are
    only precision. An exponent matters when it is positive or has three digits.
    """
    digits = skeleton.translate(_DIGITS_ALIKE)
    if any(after.startswith((b"0", b"+", b"-000")) for after in digits.split(b"e")[1:]):
        return True
    signed = skeleton.split(b"-")
    if any(after.startswith(b"0") and not before.endswith(b"e") for before, after in pairwise(signed)):
        return True
    return _has_long_integer(digits)


def may_hold_an_unsafe_integer(skeleton: bytes) -> bool:
    """Whether a document without what is in its strings has an integer of 16 digits, the fewest that are unsafe."""
    return _has_long_integer(skeleton.translate(_DIGITS_ALIKE))


def _has_long_integer(digits: bytes) -> bool:
    return _LONG in digits and _LONG in digits.replace(b"." + _LONG, b".")


def _check_numbers(data: bytes) -> None:
    for match in _NUMBER.finditer(_masked(data)):
        reason = _number_problem(match[0], is_float=match[1] is not None or match[2] is not None)
        if reason:
            shown = match[0][:40].decode("ascii") + ("…" if len(match[0]) > 40 else "")
            _refuse(data, match.start(), f"number {shown}: {reason}")


def _number_problem(token: bytes, *, is_float: bool) -> str:
    if not is_float:
        if token == b"-0":
            return "negative zero has two spellings; write 0"
        unsafe = len(token.lstrip(b"-")) > 16 or abs(int(token)) > SAFE_INTEGER
        return "integers must lie within ±(2^53 − 1)" if unsafe else ""
    value = float(token)
    if not math.isfinite(value):
        return "too large for a double"
    if value == 0:
        if token.startswith(b"-"):
            return "negative zero has two spellings; write 0"
        mantissa = re.split(rb"[eE]", token)[0]
        return "too small for a double" if _NONZERO.search(mantissa) else ""
    return float_problem(value)


def float_problem(value: float) -> str:
    """Why a finite float could be signed but never read back, or an empty string."""
    low, high = FLOAT_WINDOW
    return "a float between 2^53 and 10^21 would be read back as an unsafe integer" if low <= abs(value) < high else ""


def _check_surrogates(data: bytes) -> None:
    for match in _STRING.finditer(data):
        if not _SURROGATE_ESCAPE.search(match[0]):
            continue
        try:
            json.loads(match[0]).encode("utf-8")
        except UnicodeEncodeError:
            _refuse(data, match.start(), "a string holds half of a surrogate pair")
        except json.JSONDecodeError:
            continue  # the reader proper will name it


def _refuse_outside_strings(data: bytes) -> NoReturn:
    match = re.search(rb"[\x80-\xff]", _masked(data))
    _refuse(data, match.start() if match else 0, "a character that is not ASCII outside a string")


class _DuplicateKeyError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _ConstantError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        raise _DuplicateKeyError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return result


def _no_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


def _second_occurrence(data: bytes) -> int:
    """Offset of the first key that repeats an earlier key of its own object, in a document that is otherwise JSON."""
    levels: list[set[str]] = []
    for offset, token in _keys_and_braces(data):
        if token == "{":
            levels.append(set())
        elif token == "}":
            levels.pop()
        elif token in levels[-1]:
            return offset
        else:
            levels[-1].add(token)
    return 0


def _keys_and_braces(data: bytes) -> Iterator[tuple[int, str]]:
    for match in re.finditer(rb'("[^"\\]*(?:\\.[^"\\]*)*")\s*(:?)|[{}]', data, re.DOTALL):
        if match[1] is None:
            yield match.start(), match[0].decode("ascii")
        elif match[2]:
            yield match.start(), "key " + json.loads(match[1])


def _masked(data: bytes) -> bytes:
    """`data` with every string blanked out, so that offsets still fit."""
    return _STRING.sub(lambda match: b" " * len(match[0]), data)


def _refuse(data: bytes, offset: int, reason: str) -> NoReturn:
    before = data[:offset].decode("utf-8", "replace")
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    raise _malformed(f"line {line} column {column}: {reason}")


def _malformed(reason: str) -> UntrustedError:
    return UntrustedError(f"malformed JSON: {reason}", code="malformed", hint=RESTORE)
