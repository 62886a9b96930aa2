"""The quick way to recognise a rendering: it says yes only where the slow way, which defines what is right, does."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from attest_keys import ALICE, BOB, small_statement
from attest_mutations import bit_flips, mutations
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.attest import envelope, read, render, seal
from bizra_gate.attest.canonical import canonical_parsed, render_parsed
from bizra_gate.attest.rendered import MAX_BYTES, recognise
from bizra_gate.attest.strict import MAX_DEPTH, parse
from bizra_gate.errors import UntrustedError

_INTEGERS = st.one_of(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(-3, 300))
_FLOATS = st.one_of(
    st.floats(-1e14, 1e14),
    st.floats(-1.0, 1.0),
    st.floats(1e21, allow_infinity=False),
    st.sampled_from([1e-5, 1.5e-6, 1e-7, -3.0, 0.1, -0.0, 1e21, 5e-324]),
)
_PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\\', min_codepoint=32), max_size=9)
_TEXT = st.one_of(_PLAIN, st.sampled_from(["[1, 2]", "], [", ": ", "{", "},", "a, b", "1e-05", "-0", "true", "é"]))
_SCALARS = st.one_of(st.none(), st.booleans(), _INTEGERS, _FLOATS, _TEXT)
_VALUES = st.recursive(
    st.one_of(
        _SCALARS,
        st.lists(_INTEGERS, max_size=90),
        st.lists(_FLOATS, max_size=30),
        st.lists(_SCALARS, max_size=40),
        st.lists(st.sampled_from([7, 1234, True, None]), max_size=40),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(_TEXT, inner, max_size=5)),
    max_leaves=20,
)
_DOCUMENTS = st.dictionaries(_TEXT, _VALUES, min_size=1, max_size=5)


def _agrees(data: bytes) -> bool:
    """Whether `data` is recognised; fails where it is and the slow way has another opinion."""
    found = recognise(data)
    if found is None:
        return False
    document = parse(data)
    assert render_parsed(document) == data
    assert repr(found.document) == repr(document)  # the same types and the same order of keys as well
    assert found.canonical == canonical_parsed(document)
    assert repr(json.loads(found.canonical)) == repr(document)
    return True


@settings(max_examples=60, deadline=None)
@given(_DOCUMENTS, st.integers(0, 40))
def test_as_deep_as_is_allowed_the_slow_way_decides(document: dict[str, Any], depth: int) -> None:
    value: object = document
    for level in range(depth):
        value = {"k": value} if level % 2 else [value]
    try:
        data = render({"top": value})
    except UntrustedError:
        return
    assert _agrees(data) or depth > MAX_DEPTH // 2


_HOSTILE = [
    b" ", b"  ", b"\n", b"\t", b"\r\n", b",", b", ", b"[", b"]", b"{}", b"[]", b'"', b"\\", b"\\ud800", b"\x00",
    b"\x7f", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xc2\xa0", b"-0", b"-0.0", b"0.0", b"1.0", b"1e400",
    b"1e-400", b"1E5", b"1e5", b"1e+16", b"1e-07", b"00", b"+1", b".5", b"NaN", b"-Infinity", b"Infinity",
    b"9007199254740992", b"9007199254740993.0", b"123456789012345678901234567890", b"true", b"nul", b"0.10",
    b"/**/", b"{", b"}",
]  # fmt: skip

_RESPELLED = [
    (b": ", b":"), (b", ", b","), (b",\n", b", "), (b"[", b"[ "), (b"{}", b"{\n}"), (b"0", b"-0"), (b"1", b"1.0"),
    (b"e", b"E"), (b"\n", b"\n "),
]  # fmt: skip


def _tampered(data: bytes, dice: random.Random) -> bytes:
    """`data` with something done to it that a reader might not notice."""
    lines = data.split(b"\n")
    line, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    at, to = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
    match dice.randrange(12):
        case 0:
            return data[:at] + dice.choice(_HOSTILE) + data[at:]
        case 1:
            return data[:at] + dice.choice(_HOSTILE) + data[at + dice.randrange(4) :]
        case 2:
            return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
        case 3:
            return data[:at] + data[min(to, at + 5) :]
        case 4:
            lines.insert(other, lines[line])
        case 5:
            lines[line], lines[other] = lines[other], lines[line]
        case 6:
            del lines[line]
        case 7:
            lines[line : line + 2] = [
                dice.choice([b"", b" "]).join([one.lstrip(b" ") for one in lines[line : line + 2]])
            ]
        case 8:
            indent = lines[line][: len(lines[line]) - len(lines[line].lstrip(b" "))]
            lines[line] = lines[line].replace(b", ", b",\n" + indent, 1)
        case 9:
            lines[line] = dice.choice([b" " + lines[line], lines[line][1:], lines[line] + b" ", lines[line] + b"\r"])
        case 10:
            return data + dice.choice(_HOSTILE)
        case _:
            old, new = dice.choice(_RESPELLED)
            lines[line] = lines[line].replace(old, new, 1)
    return b"\n".join(lines)


@settings(max_examples=400, deadline=None)
@given(_DOCUMENTS, st.randoms(use_true_random=False))
def test_a_rendering_is_recognised_and_whatever_is_done_to_it_only_where_the_slow_way_takes_it(
    document: dict[str, Any], dice: random.Random
) -> None:
    data = render(document)
    assert b"\\" not in data
    assert _agrees(data)
    for _ in range(12):
        _agrees(_tampered(data, dice))
    for indent in (dice.randrange(5), None):
        _agrees(json.dumps(document, indent=indent, sort_keys=dice.random() < 0.5, ensure_ascii=False).encode() + b"\n")


_EVERY_KIND: dict[str, Any] = {
    "": {"a b": -1, "ab": 0.5, "c": [], "d": {}, "e": [True, "x, y", None]},
    "counts": list(range(60)),
    "fractions": [0.25 + at for at in range(30)],
    "leaf": {"k": 1, "l": {"m": "n"}},
    "nested": [[1, 2], {"k": [{}, 7, "[1]"]}, [], "x", {"a": 1}],
    "texts": ["text"] * 20,
    "z": 1e-05,
}


def test_nothing_added_or_taken_away_at_any_place_is_recognised_where_the_slow_way_refuses_it() -> None:
    data = render(_EVERY_KIND)
    assert _agrees(data)
    changed = 0
    for at in range(len(data) + 1):
        for added in (b" ", b"\n", b"\n ", b",", b", ", b"0", b"-", b".0", b"[", b"}", b'"'):
            changed += _agrees(data[:at] + added + data[at:])
        for taken in range(1, 8):
            changed += _agrees(data[:at] + data[at + taken :])
        changed += _agrees(data[:at] + b"\n" + data[at + 1 :])
    assert changed > 100  # a digit or a letter more or less is as right as before


@settings(max_examples=200, deadline=None)
@given(st.lists(_SCALARS, min_size=1, max_size=60), st.integers(1, 40), st.integers(0, 3))
def test_an_array_with_its_lines_broken_elsewhere_is_not_recognised(
    values: list[object], every: int, deep: int
) -> None:
    """Every `every` elements a line: by chance that may be the right one, and then both ways agree."""
    tokens = [canonical_parsed(value).decode() for value in values]
    inner = "\n" + "  " * (deep + 2)
    rows = [", ".join(tokens[at : at + every]) for at in range(0, len(tokens), every)]
    head = "".join(f'{{\n{"  " * (level + 1)}"k": ' for level in range(deep + 1))
    tail = "".join(f"\n{'  ' * level}}}" for level in reversed(range(deep + 1)))
    for array in (f"[{inner}{f',{inner}'.join(rows)}{inner[:-2]}]", f"[{', '.join(tokens)}]", f"[{','.join(tokens)}]"):
        data = f"{head}{array}{tail}\n".encode()
        assert _agrees(data) == (render_parsed(parse(data)) == data)


@pytest.mark.parametrize(
    "document",
    [
        '{\n  "a": 1,\n  "a": 1\n}\n',
        '{\n  "b": 1,\n  "a": 1\n}\n',
        '{\n  "\U0001f600": 1,\n  "\ufb33": 1\n}\n',
        '{\n  "\ufb33": 1,\n  "\U0001f600": 1\n}\n',
        '{\n  "a b": 1,\n  "ab": 1\n}\n',
        '{\n  "ab": 1,\n  "a b": 1\n}\n',
        '{\n  "a": -0\n}\n',
        '{\n  "a": -0.5\n}\n',
        '{\n  "a": [-0, 1]\n}\n',
        '{\n  "a": 0.0\n}\n',
        '{\n  "a": 1e+22\n}\n',
        '{\n  "a": 1e+16\n}\n',
        '{\n  "a": 1e400\n}\n',
        '{\n  "a": NaN\n}\n',
        '{\n  "a": Infinity\n}\n',
        '{\n  "a": 9007199254740991\n}\n',
        '{\n  "a": 9007199254740992\n}\n',
        '{\n  "a": 0.12345678901234568\n}\n',
        '{\n  "a": [9007199254740993, 0.5]\n}\n',
        '{\n  "a": [0.12345678901234568, 12345678901234567]\n}\n',
        '{\n  "a": [\n    1\n  ]\n}\n',
        '{\n  "a": [\n    "x"\n  ]\n}\n',
        '{\n  "a": [\n    {}\n  ]\n}\n',
        '{\n  "a": [\n    [],\n    1\n  ]\n}\n',
        '{\n  "a": [[]]\n}\n',
        '{\n  "a": [{}]\n}\n',
        '{\n  "a": {\n  }\n}\n',
        '{\n  "a": [\n  ]\n}\n',
        '{\n  "a": {\n    "b": 1\n  }}\n',
        '{\n  "a": {"b": 1}\n}\n',
        '{\n  "a": 1, "b": 2\n}\n',
        '{\n  "a": 1\n}',
        '{\n  "a": 1\n}\n\n',
        '{\n  "a": 1\n}\n}\n',
        '{\n  "a": 1\n]\n',
        '{\n  "a": 1\n},\n',
        '{\n  "a": 1,\n}\n',
        '{\n   "a": 1\n}\n',
        '{\n  "a":  1\n}\n',
        '{\n  "a" : 1\n}\n',
        '{\n  "a": [1 , 2]\n}\n',
        '{\n  "a": [1,2]\n}\n',
        '{\n  "a": "b\nc"\n}\n',
        '{\n  "a": "b\tc"\n}\n',
        "{}\n",
        "[]\n",
        "{\n}\n",
        "",
    ],
)
def test_both_ways_agree_on_edges(document: str) -> None:
    data = document.encode()
    recognised = _agrees(data)
    try:
        right = render_parsed(parse(data)) == data
    except UntrustedError:
        right = False
    exempt = data == b"{}\n" or b"9007199254740991" in data or not document.startswith("{")
    assert recognised == right or (right and exempt)


def test_a_line_with_an_array_may_be_as_long_as_the_columns_and_no_longer() -> None:
    for length in range(80, 110):
        for last in ("", ',\n  "b": 1'):
            data = f'{{\n  "a": ["{"x" * length}"]{last}\n}}\n'.encode()
            assert _agrees(data) == (render_parsed(parse(data)) == data)


@pytest.mark.parametrize("hostile", [b"[" * 100_000, b'{"a":' * 100_000, b'{\n  "a": [\n' * 50_000, b'"' * 100_001])
def test_bottomless_nesting_and_endless_strings_are_left_to_the_slow_way(hostile: bytes) -> None:
    assert recognise(b"{\n" + hostile) is None
    assert recognise(hostile) is None


def test_a_rendering_that_is_very_large_is_left_to_the_slow_way() -> None:
    data = render({"a": list(range(MAX_BYTES // 6))})
    assert len(data) > MAX_BYTES
    assert recognise(data) is None


_FILE = seal(
    small_statement(
        counts=list(range(300, 370)), note="naïve 😀", nested={"a": [1.5, None, True], "b": [{"c": []}, 0.00001]}
    ),
    [ALICE, BOB],
)


def _outcome(data: bytes) -> tuple[object, ...]:
    try:
        sealed = read(data, "a.json")
        return sealed.body, sealed.signatures, sealed.sha256, repr(sealed.unverified_statement())
    except UntrustedError as refusal:
        return refusal.message, refusal.code, refusal.hint


def test_an_artifact_that_was_tampered_with_is_refused_with_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(11)
    small = seal(small_statement(), [ALICE])
    files = [_FILE, small, *(data for _, data in mutations(_FILE, seed=7, count=1500))]
    files += [_tampered(_FILE, dice) for _ in range(1500)]
    files += [data for _, data in bit_flips(small)][::3]
    quick = [_outcome(data) for data in files]
    assert recognise(_FILE) is not None
    monkeypatch.setattr(envelope, "recognise", lambda data: None)
    assert [_outcome(data) for data in files] == quick
    assert {len(outcome) for outcome in quick} == {3, 4}


def test_what_is_handed_out_is_what_the_signed_bytes_say() -> None:
    for data in (_FILE, seal(small_statement(note='"quoted" and \n escaped'), [ALICE])):
        sealed = read(data)
        assert repr(sealed.unverified_statement()) == repr(json.loads(sealed.body))
