"""The V2 format against PyPI's hdrhistogram, and every way in which hostile bytes can be wrong."""

from __future__ import annotations

import base64
import random
import struct
import zlib

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.errors import UntrustedError
from bizra_gate.model import Distribution
from bizra_gate.stats.histogram import Caps, decode, encode, is_hdr
from bizra_gate.stats.layout import DEFAULT, Layout

LAYOUTS = [(1, 3_600_000_000_000, 3), (1, 3_600_000_000, 2), (1000, 10**12, 3), (1, 2**62, 1), (7, 10**9, 4), (1, 2, 5)]
HEAD = struct.Struct(">IIIIQQd")
INNER, OUTER = 0x1C849313, 0x1C849314


def binned(values: list[int], layout: Layout = DEFAULT) -> Distribution:
    """`values` in the bins of `layout`, made one by one."""
    counts: dict[int, int] = {}
    for value in values:
        counts[layout.index(value)] = counts.get(layout.index(value), 0) + 1
    edges = [layout.edges(index) for index in sorted(counts)]
    return Distribution(
        tuple(low for low, _ in edges), tuple(high for _, high in edges), tuple(counts[i] for i in sorted(counts))
    )


def wrapped(stream: bytes, *, head: bytes | None = None, cookie: int = OUTER, after: bytes = b"", cut: int = 0) -> str:
    """A payload around `stream`, right except for what is asked to be wrong."""
    inner = head if head is not None else HEAD.pack(INNER, len(stream), 0, 3, 1, 3_600_000_000_000, 1.0)
    packed = zlib.compress(inner + stream, 9) + after
    packed = packed[: len(packed) - cut]
    return base64.b64encode(struct.pack(">II", cookie, len(packed)) + packed).decode()


@pytest.mark.parametrize(("lowest", "highest", "digits"), LAYOUTS)
def test_every_value_lies_where_hdrhistogram_puts_it(lowest: int, highest: int, digits: int) -> None:
    layout, oracle = Layout(lowest, highest, digits), HdrHistogram(lowest, highest, digits)
    assert layout.length == oracle.counts_len
    generator = random.Random(3)
    edges = [2**k + d for k in range(62) for d in (-1, 0, 1)]
    values = [v for v in edges + [generator.randrange(2**62) for _ in range(300)] if 0 <= v <= highest]
    for value in values:
        index = layout.index(value)
        assert index == oracle._counts_index_for(value)
        low, high = layout.edges(index)
        assert low <= value <= high
        assert low == oracle.get_lowest_equivalent_value(value)
        assert high == oracle.get_highest_equivalent_value(value)


@pytest.mark.parametrize("wrong", [(0, 100, 3), (1, 1, 3), (1, 2**63, 3), (1, 100, 0), (1, 100, 6), (2**55, 2**62, 3)])
def test_a_layout_that_hdrhistogram_would_not_make_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"digits|highest"):
        Layout(*wrong)


@given(st.lists(st.integers(0, 3_600_000_000_000), max_size=200))
@settings(max_examples=60, deadline=None)
def test_what_is_encoded_is_decoded(values: list[int]) -> None:
    distribution = binned(values)
    assert is_hdr(distribution)
    assert decode(encode(distribution)) == distribution


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=200), st.sampled_from(LAYOUTS[:2]))
@settings(max_examples=40, deadline=None)
def test_counts_written_by_hdrhistogram_are_read_as_they_were(values: list[int], layout: tuple[int, int, int]) -> None:
    oracle = HdrHistogram(*layout)
    for value in values:
        oracle.record_value(value)
    assert decode(oracle.encode().decode()) == binned(values, Layout(*layout))


def test_hdrhistogram_reads_what_is_encoded_here() -> None:
    generator = random.Random(5)
    values = [int(generator.lognormvariate(14, 2)) for _ in range(3000)]
    distribution = binned(values)
    oracle = HdrHistogram.decode(encode(distribution))
    assert oracle.get_total_count() == 3000
    for low, count in zip(distribution.low, distribution.count, strict=True):
        assert oracle.get_count_at_value(low) == count


def test_counts_up_to_the_largest_of_63_bits_survive() -> None:
    for count in (1, 63, 64, 8191, 8192, 2**31, 2**48 - 1, 2**55, 2**56, 2**62, 2**63 - 1):
        distribution = Distribution((1_000_000 >> 9 << 9,), ((1_000_000 >> 9 << 9) + 511,), (count,))
        assert decode(encode(distribution)).count == (count,)
    with pytest.raises(ValueError, match="63 bits"):
        encode(Distribution((5,), (5,), (2**63,)))


def test_a_bin_that_is_none_of_the_layout_is_not_encoded_silently() -> None:
    assert not is_hdr(Distribution((10_000,), (20_000,), (1,)))
    assert not is_hdr(Distribution((5 * 10**12,), (5 * 10**12,), (1,)))
    with pytest.raises(ValueError, match="not one of"):
        encode(Distribution((10_000,), (20_000,), (1,)))
    with pytest.raises(ValueError, match="share one bin"):
        encode(Distribution.of([10_000, 10_001]))


def test_an_empty_histogram_is_empty_and_not_zero() -> None:
    empty = decode(encode(Distribution((), (), ())))
    assert (empty.n, empty.mean, empty.quantile(0.99)) == (0, None, None)


REFUSED = {
    "not base64": "%%%%",
    "a lone character of base64": "A",
    "text after the padding": encode(binned([5])) + "AAAA",
    "a line break": encode(binned([5])) + "\n",
    "characters beyond ASCII": "é" * 40,
    "nothing at all": "",
    "a header and no more": base64.b64encode(struct.pack(">I", OUTER)).decode(),
    "the cookie of V1": wrapped(b"\x02", cookie=0x1C849302),
    "a wrong inner cookie": wrapped(b"\x02", head=HEAD.pack(0x1C849301, 1, 0, 3, 1, 10**9, 1.0)),
    "a zlib stream cut short": wrapped(b"\x02" * 50, cut=5),
    "bytes after the zlib stream": wrapped(b"\x02", after=b"x"),
    "garbage for zlib": base64.b64encode(struct.pack(">II", OUTER, 4) + b"abcd").decode(),
    "no room for the inner header": base64.b64encode(struct.pack(">II", OUTER, 11) + zlib.compress(b"abc")).decode(),
    "a payload shorter than stated": wrapped(b"\x02", head=HEAD.pack(INNER, 2, 0, 3, 1, 10**9, 1.0)),
    "a payload longer than stated": wrapped(b"\x02\x02", head=HEAD.pack(INNER, 1, 0, 3, 1, 10**9, 1.0)),
    "a shifted histogram": wrapped(b"\x02", head=HEAD.pack(INNER, 1, 7, 3, 1, 10**9, 1.0)),
    "another ratio": wrapped(b"\x02", head=HEAD.pack(INNER, 1, 0, 3, 1, 10**9, 1e6)),
    "a ratio that is no number": wrapped(b"\x02", head=HEAD.pack(INNER, 1, 0, 3, 1, 10**9, float("nan"))),
    "no digits": wrapped(b"\x02", head=HEAD.pack(INNER, 1, 0, 0, 1, 10**9, 1.0)),
    "nine digits": wrapped(b"\x02", head=HEAD.pack(INNER, 1, 0, 9, 1, 10**9, 1.0)),
    "a lowest value of zero": wrapped(b"\x02", head=HEAD.pack(INNER, 1, 0, 3, 0, 10**9, 1.0)),
    "a highest value beyond 63 bits": wrapped(b"\x02", head=HEAD.pack(INNER, 1, 0, 3, 1, 2**64 - 1, 1.0)),
    "a run of zeros past the end": wrapped(b"\xff\xff\x7f\x02"),
    "the longest run there is": wrapped(b"\xff" * 9),
    "a count that is cut off": wrapped(b"\x02\x80"),
    "a count with idle bytes": wrapped(b"\x82\x00"),
    "counts that add up to more than 63 bits": wrapped(b"\xfe" + b"\xff" * 8 + b"\xfe" + b"\xff" * 8),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_malformed_bytes_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UntrustedError, match=r"HDR histogram: got .+; expected .+") as caught:
        decode(text)
    assert caught.value.code == "malformed"
    assert caught.value.exit_code == 4


def test_the_frame_around_the_refused_ones_is_itself_accepted() -> None:
    """Guards the table above: its frame is right, so that each case is refused for the one thing wrong with it."""
    assert decode(wrapped(b"\x02")).count == (1,)
    assert decode(wrapped(b"\xfe" + b"\xff" * 8)).count == (2**63 - 1,)
    assert decode(wrapped(b"\x01\x02")).low == decode(wrapped(b"\x00\x02")).low == (1,)


def test_a_bomb_is_refused_at_the_cap() -> None:
    bomb = wrapped(b"\x00" * (64 << 20))
    assert len(bomb) < 100_000
    with pytest.raises(UntrustedError, match="after inflation"):
        decode(bomb)
    with pytest.raises(UntrustedError, match="characters"):
        decode("A" * 200, caps=Caps(text=100))
    with pytest.raises(UntrustedError, match="bins in use"):
        decode(encode(binned(list(range(50)))), caps=Caps(bins=49))


@given(st.binary(max_size=120))
@settings(max_examples=150, deadline=None)
def test_any_stream_of_counts_is_read_or_refused_but_never_crashes(stream: bytes) -> None:
    try:
        distribution = decode(wrapped(stream))
    except UntrustedError:
        return
    assert distribution.n == sum(distribution.count)
    assert all(count > 0 for count in distribution.count)
    assert all(low <= high for low, high in zip(distribution.low, distribution.high, strict=True))
    assert all(high < low for high, low in zip(distribution.high, distribution.low[1:], strict=False))


def test_no_flipped_bit_changes_what_is_read() -> None:
    """zlib leaves a few bits uncovered (its level hint, the padding of the last byte); they say nothing."""
    honest = binned([10, 1000, 1001, 5_000_000] * 3)
    whole = base64.b64decode(encode(honest))
    refused = 0
    for position in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[position // 8] ^= 1 << position % 8
        try:
            assert decode(base64.b64encode(bytes(damaged)).decode()) == honest
        except UntrustedError:
            refused += 1
    assert refused > len(whole) * 8 - 12
