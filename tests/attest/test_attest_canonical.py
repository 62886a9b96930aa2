"""Canonical bytes and the one rendering: RFC 8785 by its own vectors, and by an independent implementation."""

from __future__ import annotations

import enum
import json
import re
import struct

import numpy
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.attest.canonical import (
    COLUMNS,
    canonical,
    canonical_parsed,
    cross_checked,
    render,
    render_parsed,
)
from bizra_gate.attest.strict import MAX_DEPTH, parse
from bizra_gate.errors import UntrustedError

# RFC 8785 appendix B: the bits of an IEEE-754 double and its ECMAScript spelling.
_NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("433fffffffffffff", "9007199254740991"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("3ee4f8b588e368f1", "0.00001"),
    ("3e7ad7f29abcaf48", "1e-7"),
    ("3ddb7cdfd9d7bdbb", "1e-10"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
    ("3ff0000000000000", "1"),
    ("c024000000000000", "-10"),
    ("40091eb851eb851f", "3.14"),
]

# Appendix B values that are canonical there and refused here: they would be read back as unsafe integers.
_WINDOW = ["4340000000000000", "c340000000000000", "4430000000000000", "444b1ae4d6e2ef4e", "444b1ae4d6e2ef4f"]


def _double(bits: str) -> float:
    value: float = struct.unpack(">d", bytes.fromhex(bits))[0]
    return value


@pytest.mark.parametrize(("bits", "spelling"), _NUMBERS)
def test_a_double_is_spelled_as_ecmascript_spells_it(bits: str, spelling: str) -> None:
    value = _double(bits)
    assert canonical(value) == spelling.encode()
    assert canonical({"a": [value, 0.5], "b": value}) == f'{{"a":[{spelling},0.5],"b":{spelling}}}'.encode()
    assert render([value, 1]) == f"[{spelling}, 1]\n".encode()


@pytest.mark.parametrize("bits", [*_WINDOW, "7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_a_double_that_would_not_read_back_is_refused_wherever_it_stands(bits: str) -> None:
    for document in (_double(bits), [_double(bits)], {"a": {"b": [1, _double(bits)]}}):
        for function in (canonical, render):
            with pytest.raises(UntrustedError, match=r"no canonical form: \$"):
                function(document)


def test_keys_are_ordered_by_utf16_code_units() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    document = {key: index for index, key in enumerate(keys)}
    assert list(json.loads(canonical({"x": [document]}))["x"][0]) == ordered
    assert list(json.loads(render(document))) == ordered
    assert canonical(document) == rfc8785.dumps(document)


def test_strings_escape_only_what_must_be() -> None:
    text = '\u20ac$\u000f\nA\'B"\\"/\x7f\u2028<script>'
    assert canonical(text) == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/\x7f\u2028<script>"'.encode()
    assert canonical("".join(map(chr, range(32)))) == rfc8785.dumps("".join(map(chr, range(32))))


def test_what_looks_like_a_float_inside_a_string_stays_as_it_is() -> None:
    document = {"a": "1.0, [2.0] 1e-05", "b": 1e-05, "1.0": 'e-07 "3.0"', "c": [1.0, 2.5, "4.0,"]}
    assert canonical(document) == rfc8785.dumps(document)


class _Colour(enum.StrEnum):
    RED = "red"


class _Level(enum.IntEnum):
    LOW = 1


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"a": {1: 2}}, r"\$\.a: key 1 is not text"),
        ({None: 1}, "key None"),
        ({"a": [0, {"b": 2**53}]}, r"\$\.a\[1\]\.b: 9007199254740992 is outside"),
        ({"a": "\ud800"}, r"\$\.a: text holds half"),
        ({"\ud800": 1}, "text holds half"),
        ([b"x"], r"\$\[0\]: builtins.bytes is not a JSON type"),
        ([{1}], "builtins.set"),
        ([numpy.float64(1.5)], "numpy.float64 is not a JSON type; convert it first"),
        ([numpy.int64(1)], "numpy.int64"),
        (_Colour.RED, "Colour"),
        ([_Level.LOW], "Level"),
        (float("nan"), "not a number that JSON can hold"),
    ],
)
def test_a_value_without_a_canonical_form_is_refused_with_its_path(value: object, complaint: str) -> None:
    for function in (canonical, render, cross_checked):
        with pytest.raises(UntrustedError, match=complaint):
            function(value)


def test_nesting_is_bounded_even_in_a_circle() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(UntrustedError, match=f"more than {MAX_DEPTH} levels"):
        canonical(circle)


def test_sealing_notices_when_two_implementations_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc8785, "dumps", lambda value: b"other")
    with pytest.raises(UntrustedError, match="disagree"):
        cross_checked({"a": 1})


_FLOATS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda f: not 2.0**53 <= abs(f) < 1e21)
_INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_SCALARS = st.one_of(
    st.none(), st.booleans(), _INTEGERS, _FLOATS, st.sampled_from([1e-5, 1.5e-6, 1e-7, -3.0, 0.1, 1e21]), _TEXT
)
_VALUES = st.recursive(
    st.one_of(_SCALARS, st.lists(_INTEGERS, max_size=60), st.lists(_FLOATS, max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(_TEXT, inner, max_size=5)),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(_VALUES)
def test_canonical_bytes_are_what_the_independent_implementation_makes(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(_VALUES)
def test_the_rendering_without_white_space_is_the_canonical_form(value: object) -> None:
    assert _squeezed(render(value)) == canonical(value)


@settings(max_examples=200, deadline=None)
@given(_VALUES)
def test_what_was_rendered_reads_back_and_renders_as_the_same_bytes(value: object) -> None:
    text, body = render(value), canonical(value)
    assert render_parsed(parse(text)) == render_parsed(parse(body)) == text
    assert canonical_parsed(parse(text)) == canonical_parsed(parse(body)) == body
    assert parse(text) == parse(body) == value


@settings(max_examples=200, deadline=None)
@given(st.lists(_SCALARS, min_size=1, max_size=80), st.integers(0, 6))
def test_an_array_of_scalars_is_filled_as_far_as_the_columns_allow(values: list[object], depth: int) -> None:
    document: object = values
    for _ in range(depth):
        document = {"k": document}
    text = render(document).decode()
    tokens = [canonical(value).decode() for value in values]
    assert _filled(tokens, depth) in text


def test_a_filled_array_looks_like_this() -> None:
    text = render({"counts": list(range(100, 140)), "empty": [], "none": {}, "rows": [[1, 2], [3, "x"]]}).decode()
    assert text == (
        "{\n"
        '  "counts": [\n'
        "    100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118,\n"
        "    119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137,\n"
        "    138, 139\n"
        "  ],\n"
        '  "empty": [],\n'
        '  "none": {},\n'
        '  "rows": [\n'
        "    [1, 2],\n"
        '    [3, "x"]\n'
        "  ]\n"
        "}\n"
    )


@pytest.mark.parametrize("length", range(85, 105))
def test_an_array_stays_on_its_line_exactly_while_it_ends_within_the_columns(length: int) -> None:
    value = {"a": ["x" * (length - len('  "a": [""],'))]}
    line = render(value).decode().split("\n")[1]
    assert (line == f'  "a": {json.dumps(value["a"])}') == (length <= COLUMNS)


def _filled(tokens: list[str], depth: int) -> str:
    """An independent, slow account of the layout rule."""
    start = 2 * depth + (len('"k": ') if depth else 0)
    flat = "[" + ", ".join(tokens) + "]"
    if start + len(flat) + 1 <= COLUMNS:
        return flat
    indent, lines = " " * (2 * depth + 2), [""]
    for index, token in enumerate(tokens):
        longer = f"{lines[-1]}, {token}" if lines[-1] else token
        if lines[-1] and len(indent) + len(longer) + 1 > COLUMNS:
            lines.append(tokens[index])
        else:
            lines[-1] = longer
    return "[\n" + ",\n".join(indent + line for line in lines) + "\n" + " " * (2 * depth) + "]"


def _squeezed(text: bytes) -> bytes:
    return re.sub(rb'("(?:[^"\\]|\\.)*")|[ \n]+', lambda match: match[1] or b"", text)
