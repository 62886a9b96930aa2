"""The two spellings of a document: canonical bytes to sign, and the one readable rendering to review.

`canonical` is the JSON Canonicalization Scheme (RFC 8785, JCS). `render` lays the same tokens out for people: take
the white space outside strings away and the canonical bytes remain. Section numbers refer to RFC 8785.

The C encoder of the standard library already writes strings as 3.2.2.2 asks, and integers too; only small floats,
integral floats and keys beyond the Basic Multilingual Plane need care. Package `rfc8785` is the independent check:
`cross_checked` compares whenever something is signed, and the tests compare over generated documents.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from json.encoder import encode_basestring as _quote

from bizra_gate.attest.strict import MAX_DEPTH, SAFE_INTEGER, float_problem
from bizra_gate.errors import UntrustedError

COLUMNS = 100
"""An array of scalars that would end beyond this column is filled on several lines."""

_NOT_ASTRAL = bytes(range(0xF0))
"""Every byte of UTF-8 except the first one of a character beyond the Basic Multilingual Plane."""
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_PYTHON_ENDING = re.compile(r"e-0[0-9]|\.0(?![0-9])")
"""How a float ends that Python spells in its own way; looked for by its end, because digits begin everywhere."""
_CONTAINERS = frozenset({dict, list, tuple})
_CONSTANTS = {None: "null", True: "true", False: "false"}

_Put = Callable[[str], None]


def canonical(value: object) -> bytes:
    """The JCS bytes of `value` (dict, list, tuple, str, int, float, bool, None; exact types, nested).

    Raises `UntrustedError` with code ``malformed``, naming the path, where a value has no canonical form or one that
    reads back differently: unsafe integers, non-finite floats, lone surrogates, keys that are not text.
    """
    _require_json(value, "$", 0)
    return canonical_parsed(value)


def canonical_parsed(value: object) -> bytes:
    """`canonical` without its checks, for what `strict.parse` returned: that has refused all of them already."""
    text = _encode(value, sort_keys=True)
    if not text.isascii() and text.encode("utf-8").translate(None, _NOT_ASTRAL):
        text = _encode(_in_jcs_order(value), sort_keys=False)
    if "e-0" in text or ".0," in text or ".0]" in text or ".0}" in text or text.endswith(".0"):
        text = _respell_floats(text)
    return text.encode("utf-8")


def cross_checked(value: object) -> bytes:
    """`canonical(value)`, agreed upon by the independent implementation in package `rfc8785`; used when signing."""
    import rfc8785

    ours = canonical(value)
    if rfc8785.dumps(value) != ours:  # type: ignore[arg-type]
        raise UntrustedError("two implementations of RFC 8785 disagree about this document; nothing was signed")
    return ours


def render(document: object) -> bytes:
    """The readable file: JCS key order and tokens, two spaces of indent, LF, one newline at the end.

    Every member of an object has its own line. An array that holds only scalars stays on its line if that ends
    within `COLUMNS` columns, and is filled on lines of at most `COLUMNS` otherwise; a longer token has its own line.
    Raises as `canonical` does.
    """
    _require_json(document, "$", 0)
    return render_parsed(document)


def render_parsed(document: object) -> bytes:
    """`render` without its checks, for what `strict.parse` returned."""
    pieces: list[str] = []
    _lay_out(document, "\n", 0, pieces.append)
    pieces.append("\n")
    return "".join(pieces).encode("utf-8")


def _encode(value: object, *, sort_keys: bool) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"), check_circular=False)


def jcs_sorted(keys: Iterable[str]) -> list[str]:
    """Keys by their UTF-16 code units (3.2.3), which differs from Python's order only beyond ASCII."""
    ordered = sorted(keys)
    return ordered if "".join(ordered).isascii() else sorted(ordered, key=lambda key: key.encode("utf-16-be"))


def _in_jcs_order(value: object) -> object:
    if isinstance(value, dict):
        return {key: _in_jcs_order(value[key]) for key in jcs_sorted(value)}
    if isinstance(value, list | tuple):
        return [_in_jcs_order(element) for element in value]
    return value


def _respell_floats(text: str) -> str:
    """Turn Python's spelling of floats into ECMAScript's everywhere outside strings."""
    if "\\" in text:
        strings, bare = _STRING.findall(text), _STRING.sub("\0", text)
    else:  # the quotes alone tell where strings are, fifty times faster
        parts = text.split('"')
        strings, bare = [f'"{part}"' for part in parts[1::2]], "\0".join(parts[::2])
    outside = "".join(_respelled(bare)).split("\0")
    return "".join(piece for pair in zip(outside, [*strings, ""], strict=True) for piece in pair)


def _respelled(bare: str) -> Iterator[str]:
    """Pieces of a document without strings, every float as ECMAScript spells it."""
    done = 0
    for ending in _PYTHON_ENDING.finditer(bare):
        before = bare[done : ending.start()]
        kept = before.rstrip("-.0123456789")
        yield kept
        yield ecmascript(before[len(kept) :] + ending[0])
        done = ending.end()
    yield bare[done:]


def ecmascript(python: str) -> str:
    """3.2.2.3: the digits are the same shortest ones, the point and the exponent stand elsewhere."""
    if python.endswith(".0"):
        return "0" if python == "-0.0" else python[:-2]
    mantissa, minus, exponent = python.partition("e-")
    if not minus:
        return python
    places = int(exponent)
    if places > 6:
        return f"{mantissa}e-{places}"
    sign = "-" if mantissa.startswith("-") else ""
    return f"{sign}0.{'0' * (places - 1)}{mantissa.lstrip('-').replace('.', '')}"


def _token(value: object) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    return ecmascript(repr(value)) if isinstance(value, float) else repr(value)


def _lay_out(value: object, line: str, column: int, put: _Put) -> None:
    """Write `value`, which starts in `column`; `line` is a line break and the indent of what encloses it."""
    if isinstance(value, dict):
        _lay_out_object(value, line, put)
    elif not isinstance(value, list | tuple):
        put(_token(value))
    elif not value:
        put("[]")
    elif _CONTAINERS.isdisjoint(kinds := set(map(type, value))):
        _lay_out_scalars(value, kinds, line, column, put)
    else:
        _lay_out_array(value, line, put)


def _lay_out_object(value: dict[str, object], line: str, put: _Put) -> None:
    if not value:
        put("{}")
        return
    inner = line + "  "
    start = "{" + inner
    for key in jcs_sorted(value):
        member, name = value[key], _quote(key) + ": "
        kind = type(member)
        if kind is str:
            put(start + name + _quote(member))  # type: ignore[arg-type]
        elif kind is int:
            put(start + name + repr(member))
        elif kind is float:
            put(start + name + ecmascript(repr(member)))
        else:
            put(start + name)
            _lay_out(member, inner, len(inner) - 1 + len(name), put)
        start = "," + inner
    put(line + "}")


def _lay_out_array(value: list[object] | tuple[object, ...], line: str, put: _Put) -> None:
    inner = line + "  "
    start = "[" + inner
    for element in value:
        put(start)
        _lay_out(element, inner, len(inner) - 1, put)
        start = "," + inner
    put(line + "]")


def _lay_out_scalars(
    value: list[object] | tuple[object, ...], kinds: set[type], line: str, column: int, put: _Put
) -> None:
    only_numbers = kinds <= {int, float}
    tokens = [] if only_numbers else [_token(element) for element in value]
    body = _numbers(value) if only_numbers else ", ".join(tokens)
    if column + len(body) + 3 <= COLUMNS:  # two brackets, and the comma that may follow
        put(f"[{body}]")
        return
    inner = line + "  "
    width = COLUMNS - (len(inner) - 1)
    lines = fill_numbers(body, width) if only_numbers else fill(tokens, width)
    put(f"[{inner}{(',' + inner).join(lines)}{line}]")


def _numbers(value: Iterable[object]) -> str:
    """Numbers with comma and space between: the list's own C repr, unless a float in it is spelled differently."""
    text = repr(list(value))[1:-1]
    if "e-0" in text or ".0," in text or text.endswith(".0"):
        return ", ".join([_token(element) for element in value])
    return text


def fill_numbers(body: str, width: int) -> list[str]:
    """What `fill` gives, for tokens that hold no spaces and are all shorter than a line, in one regular expression."""
    return _filled_lines(width).findall(body + ", ")


@cache
def _filled_lines(width: int) -> re.Pattern[str]:
    return re.compile(rf"(.{{1,{width - 1}}}), ", re.DOTALL)


def fill(tokens: Iterable[str], width: int) -> list[str]:
    """Join tokens by comma and space into lines of at most `width` columns, a closing comma included."""
    lines: list[str] = []
    current = ""
    for token in tokens:
        if current and len(current) + 2 + len(token) + 1 > width:
            lines.append(current)
            current = token
        else:
            current = f"{current}, {token}" if current else token
    return [*lines, current]


def _require_json(value: object, path: str, depth: int) -> None:
    kind = type(value)
    if kind is str:
        _require_text(value, path)  # type: ignore[arg-type]
    elif kind is int or kind is float:
        _require_number(value, path)  # type: ignore[arg-type]
    elif kind in _CONTAINERS:
        _require_members(value, path, depth + 1)
    elif value is not None and kind is not bool:
        raise _refusal(path, f"{kind.__module__}.{kind.__qualname__} is not a JSON type; convert it first")


def _require_members(value: object, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _refusal(path, f"nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        for key, member in value.items():
            if type(key) is not str:
                raise _refusal(path, f"key {key!r} is not text")
            _require_text(key, path)
            _require_json(member, f"{path}.{key}", depth)
    elif isinstance(value, list | tuple):
        for index, element in enumerate(value):
            _require_json(element, f"{path}[{index}]", depth)


def _require_number(value: int | float, path: str) -> None:
    if isinstance(value, int):
        if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
            raise _refusal(path, f"{value} is outside ±(2^53 − 1)")
    elif not math.isfinite(value):
        raise _refusal(path, f"{value} is not a number that JSON can hold")
    elif problem := float_problem(value):
        raise _refusal(path, f"{value!r}: {problem}")


def _require_text(value: str, path: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _refusal(path, "text holds half of a surrogate pair") from None


def _refusal(path: str, reason: str) -> UntrustedError:
    return UntrustedError(f"no canonical form: {path}: {reason}", code="malformed")
