"""Strict JSON: two readers can never see two documents in bytes that pass."""

from __future__ import annotations

import json
import math

import pytest
from attest_invalid_json import INVALID, VALID
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.attest.strict import MAX_DEPTH, parse
from bizra_gate.errors import UntrustedError


@pytest.mark.parametrize(("name", "data"), INVALID, ids=[name for name, _ in INVALID])
def test_every_invalid_document_is_refused_with_a_sentence(name: str, data: bytes) -> None:
    with pytest.raises(UntrustedError) as refusal:
        parse(data)
    assert refusal.value.code == "malformed"
    assert refusal.value.exit_code == 4
    assert "malformed JSON: " in refusal.value.message


def test_there_are_at_least_188_invalid_documents_and_no_two_are_alike() -> None:
    assert len({data for _, data in INVALID}) == len(INVALID) >= 188


@pytest.mark.parametrize(("data", "value"), VALID[:-1])
def test_every_valid_document_is_read_as_what_it_says(data: bytes, value: object) -> None:
    read = parse(data)
    assert read == value
    assert type(read) is type(value)


def test_32_levels_are_read_and_33_are_refused_with_their_place() -> None:
    parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    parse(b'{"a":[' * 16 + b"1" + b"]}" * 16)
    with pytest.raises(UntrustedError, match="line 1 column 33: nested more than 32 levels"):
        parse(b"[" * 33 + b"]" * 33)


@pytest.mark.parametrize("opening", [b'["', b'[1e5, "', b'["\\ud83d', b'{"a":1,"'])
def test_a_string_of_quotes_without_an_end_is_refused_at_once(opening: bytes) -> None:
    """In time that grows with the square of its length this would take an hour."""
    for tail in (b"", b"\\", b"\xc3\xa9"):
        with pytest.raises(UntrustedError, match="malformed"):
            parse(opening + b'\\"' * 100_000 + tail)


def test_brackets_in_strings_are_not_depth() -> None:
    assert parse(b'["' + b"[{" * 50 + b'"]') == ["[{" * 50]


def test_the_size_cap_comes_before_everything_else() -> None:
    with pytest.raises(UntrustedError, match="at most 10 are read"):
        parse(b"\xff" * 11, max_bytes=10)
    assert parse(b"1234567890", max_bytes=10) == 1234567890


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'{\n  "a": 1,\n  "b": -0\n}', r"line 3 column 8: number -0"),
        (b'{\n  "a": 1,\n  "b": [1, 1e400]\n}', r"line 3 column 12: number 1e400: too large"),
        (b'{\n  "a": {"k": 1},\n  "k": 1,\n  "k": 2\n}', r"line 4 column 3: key 'k' appears twice"),
        (b'{\n  "\xc3\xa9": NaN}', r"line 2 column 8: NaN is not JSON"),
        (b'["NaN",\n Infinity]', r"line 2 column 2: Infinity"),
        (b'["x",\n "\\ud800"]', r"line 2 column 2: a string holds half of a surrogate pair"),
        (b'["x",\n 9007199254740993]', r"line 2 column 2: number 9007199254740993: integers"),
        (b'["x",\n tru]', r"line 2 column 2: Expecting value"),
        ('["١",\n ١]'.encode(), r"line 2 column 2: a character that is not ASCII outside a string"),
    ],
)
def test_a_refusal_names_line_and_column(data: bytes, place: str) -> None:
    with pytest.raises(UntrustedError, match=place):
        parse(data)


def test_a_long_number_is_not_printed_in_full() -> None:
    with pytest.raises(UntrustedError) as refusal:
        parse(b"1" * 100_000)
    assert len(refusal.value.message) < 200


_TOKENS = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"',
        "\\",
        "-0",
        "1e400",
        "9007199254740992",
        "NaN",
        "0.5",
        "true",
        "é",
        "\n",
        '"a"',
        "0",
    ]
)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=80), st.lists(_TOKENS, max_size=24).map(lambda tokens: "".join(tokens).encode())))
def test_any_bytes_are_read_as_the_standard_library_reads_them_or_refused(data: bytes) -> None:
    try:
        value = parse(data)
    except UntrustedError:
        return
    assert repr(json.loads(data)) == repr(value)


@settings(max_examples=300)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True))
def test_a_number_is_read_exactly_when_it_is_safe(token: str) -> None:
    value = json.loads(token)
    if isinstance(value, int):
        fine = abs(value) <= 2**53 - 1 and token != "-0"
    else:
        mantissa = token.lower().split("e")[0]
        vanished = value == 0 and any(digit in mantissa for digit in "123456789")
        fine = math.isfinite(value) and not 2**53 <= abs(value) < 1e21 and not vanished
        fine = fine and not (value == 0 and token.startswith("-"))
    for document in (token, f"[{token}]", f'{{"a":{token},"b":"x"}}', f"[1,{token},-0.5,1e-07,0.12345678901234567]"):
        if fine:
            assert repr(parse(document.encode())) == repr(json.loads(document))
        else:
            with pytest.raises(UntrustedError):
                parse(document.encode())
