"""Digests, pre-authentication encoding, instants."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.attest.digest import manifest_sha256, sha256_hex
from bizra_gate.attest.dsse import PAYLOAD_TYPE, pae
from bizra_gate.attest.instant import format_instant, parse_instant
from bizra_gate.errors import UntrustedError

_A, _B = sha256_hex(b"a"), sha256_hex(b"b")


def test_a_manifest_is_the_digest_of_its_sorted_lines() -> None:
    lines = f"100644 {_A} src/a.py\n100755 {_B} bin/b\n"
    expected = hashlib.sha256("".join(sorted(lines.splitlines(keepends=True))).encode()).hexdigest()
    assert manifest_sha256([("100755", _B, "bin/b"), ("100644", _A, "src/a.py")]) == expected
    assert manifest_sha256([("100644", _A, "src/a.py"), ("100755", _B, "bin/b")]) == expected


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [("100644", _A, "a\n100644 " + _B + " b")],
        [("100644", _A, "")],
        [("100644", _A.upper(), "a")],
        [("100644", _A[:-1], "a")],
        [("644", _A, "a")],
        [("100644", _A, "a"), ("100755", _B, "a")],
    ],
)
def test_a_manifest_that_could_be_read_in_two_ways_is_refused(entries: list[tuple[str, str, str]]) -> None:
    with pytest.raises(ValueError, match="source manifest"):
        manifest_sha256(entries)


@pytest.mark.parametrize(
    ("payload_type", "body", "encoded"),
    [
        ("http://example.com/HelloWorld", b"hello world", b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
        ("", b"", b"DSSEv1 0  0 "),
        ("t", "ಠ".encode(), b"DSSEv1 1 t 3 \xe0\xb2\xa0"),
        (PAYLOAD_TYPE, b"x y", b"DSSEv1 28 application/vnd.in-toto+json 3 x y"),
    ],
)
def test_pre_authentication_encoding_counts_bytes(payload_type: str, body: bytes, encoded: bytes) -> None:
    assert pae(payload_type, body) == encoded


def test_a_payload_type_that_libraries_count_differently_is_refused() -> None:
    with pytest.raises(UntrustedError, match="not ASCII"):
        pae("application/vnd.café+json", b"")


@settings(max_examples=60)
@given(st.tuples(st.from_regex(r"[ -~]{0,9}", fullmatch=True), st.binary(max_size=9)),
       st.tuples(st.from_regex(r"[ -~]{0,9}", fullmatch=True), st.binary(max_size=9)))  # fmt: skip
def test_different_envelopes_never_share_their_encoding(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    assert (pae(*one) == pae(*other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T04:00:00Z", datetime(2026, 11, 22, 4, tzinfo=UTC)),
        ("2026-11-22T05:30:00+01:30", datetime(2026, 11, 22, 4, tzinfo=UTC)),
        ("2026-11-22T04:00:00.123456789Z", datetime(2026, 11, 22, 4, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-22T04:00:00.5Z", datetime(2026, 11, 22, 4, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, moment: datetime) -> None:
    assert parse_instant(text) == moment
    assert parse_instant(format_instant(moment)) == moment


@pytest.mark.parametrize(
    "text",
    ["2026-11-22", "2026-11-22T04:00:00", "2026-11-22 04:00:00Z", "2026-13-22T04:00:00Z", "2026-11-22T24:00:01Z", "now",
     "", "2026-11-22T04:00:00z", "20261122T040000Z", "2026-11-22T04:00:00+0100", "٢٠٢٦-11-22T04:00:00Z",
     "0001-01-01T00:00:00+23:59", "2026-11-22T04:00:00Z\n"],
)  # fmt: skip
def test_what_is_not_an_instant_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2026-11-22T04:00:00Z"):
        parse_instant(text)


def test_an_instant_is_written_in_utc_and_never_without_a_zone() -> None:
    east = datetime(2026, 11, 22, 6, 30, tzinfo=timezone(timedelta(hours=2, minutes=30)))
    assert format_instant(east) == "2026-11-22T04:00:00Z"
    assert format_instant(datetime(2026, 1, 1, 0, 0, 0, 250000, tzinfo=UTC)) == "2026-01-01T00:00:00.25Z"
    with pytest.raises(ValueError, match="zone"):
        format_instant(datetime(2026, 1, 1))
