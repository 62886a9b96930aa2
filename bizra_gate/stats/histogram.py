"""HdrHistogram's V2 compressed format (``HISTFAAAA…``), read as the untrusted input that it is.

base64( cookie, length, zlib( cookie, payload length, offset, digits, lowest, highest, ratio, ZigZag-LEB128 counts ))

Reading inflates no more than the caps allow, follows no run past the last bin, and takes nothing that is left over:
a signature says who wrote the bytes, not that they are harmless. Everything refused is an `UntrustedError`.
"""

from __future__ import annotations

import binascii
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ..errors import UntrustedError
from ..model import Distribution
from . import arrays
from .layout import COARSE, DEFAULT, Layout

_OUTER_COOKIE = 0x1C849304 | 0x10
_INNER_COOKIE = 0x1C849303 | 0x10
_OUTER = struct.Struct(">II")
_INNER = struct.Struct(">IIIIQQd")
_MAX_COUNT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Caps:
    """The most that one histogram may take. The defaults hold every honest one with room to spare."""

    text: int = 1 << 20
    """Characters of base64."""
    payload: int = 1 << 20
    """Bytes after inflation."""
    bins: int = 1 << 17
    """Bins that hold something."""


DEFAULT_CAPS = Caps()


def is_hdr(distribution: Distribution, layout: Layout = DEFAULT) -> bool:
    """Whether every bin is one of `layout`, so that encoding loses nothing."""
    edges, index = layout.edges, layout.index
    pairs = zip(distribution.low, distribution.high, strict=True)
    return all(0 <= low <= layout.highest and edges(index(low)) == (low, high) for low, high in pairs)


def layout_of(distribution: Distribution) -> Layout | None:
    """The one of our layouts, the finer first, whose bins those of `distribution` are; None for other bins."""
    return next((layout for layout in (DEFAULT, COARSE) if is_hdr(distribution, layout)), None)


def coarsened(distribution: Distribution, layout: Layout = COARSE) -> Distribution:
    """The same values counted in the wider bins of `layout`; what was exact beside the bins stays exact.

    Raises ValueError where a bin of `distribution` lies across an edge of `layout`.
    """
    counts: dict[int, int] = {}
    for low, high, count in zip(distribution.low, distribution.high, distribution.count, strict=True):
        index = layout.index(low)
        if layout.index(high) != index:
            raise ValueError(f"the bin {low}…{high} lies across an edge of the wider bins")
        counts[index] = counts.get(index, 0) + count
    low_edges, high_edges = _edges(list(counts), layout)
    return replace(distribution, low=low_edges, high=high_edges, count=tuple(counts.values()))


def encode(distribution: Distribution, layout: Layout = DEFAULT) -> str:
    """The counts as V2 base64; exact minimum, maximum and sum are not part of the format.

    Raises ValueError where a bin of `distribution` spans several of `layout`, or lies above its highest value.
    """
    stream = bytearray()
    following = 0
    for low, high, count in zip(distribution.low, distribution.high, distribution.count, strict=True):
        index = layout.index(low)
        if low < 0 or layout.index(high) != index or index >= layout.length:
            raise ValueError(f"the bin {low}…{high} is not one of a histogram from 0 to {layout.highest}")
        if index < following:
            raise ValueError(f"the bins at {low} share one bin of the histogram: fold the values instead")
        if index > following:
            zeros = index - following
            _append(stream, 0 if zeros == 1 else -zeros)
        _append(stream, count)
        following = index + 1
    head = _INNER.pack(_INNER_COOKIE, len(stream), 0, layout.digits, layout.lowest, layout.highest, 1.0)
    packed = zlib.compress(head + bytes(stream), 9)
    return binascii.b2a_base64(_OUTER.pack(_OUTER_COOKIE, len(packed)) + packed, newline=False).decode("ascii")


def _append(stream: bytearray, value: int) -> None:
    """ZigZag LEB128 of 64 bits in at most nine bytes, the ninth of which carries eight bits."""
    if value > _MAX_COUNT:
        raise ValueError(f"a count of {value} does not fit in 63 bits")
    raw = (value << 1) ^ (value >> 63)
    for _ in range(8):
        if raw < 0x80:
            stream.append(raw)
            return
        stream.append(raw & 0x7F | 0x80)
        raw >>= 7
    stream.append(raw)


def decode(text: str, *, caps: Caps = DEFAULT_CAPS) -> Distribution:
    """The distribution that V2 base64 `text` holds, without exact minimum, maximum and sum.

    Raises `UntrustedError` (code ``malformed``) on anything that a correct encoder would not write.
    """
    return decode_with_layout(text, caps=caps)[0]


def with_exact(
    distribution: Distribution, minimum: int | None, maximum: int | None, total_ns: int | None
) -> Distribution:
    """`distribution` with what its recorder kept beside the bins."""
    if distribution.columns is not None:
        return Distribution.in_columns(distribution.columns, minimum, maximum, total_ns)
    return replace(distribution, minimum=minimum, maximum=maximum, total_ns=total_ns)


def decode_with_layout(text: str, *, caps: Caps = DEFAULT_CAPS) -> tuple[Distribution, Layout]:
    """As `decode`, and the layout that `text` states: how fine its bins are, and how high they reach."""
    payload = _inflate(_unwrap(text, caps), caps)
    layout = _layout(payload)
    return _distribution(payload[_INNER.size :], layout, caps), layout


def _layout(payload: bytes) -> Layout:
    """The layout in the inner header, which must state no more and no less than what follows it."""
    if len(payload) < _INNER.size:
        raise _refuse(f"{len(payload)} bytes inside", f"a header of {_INNER.size}")
    cookie, length, offset, digits, lowest, highest, ratio = _INNER.unpack_from(payload)
    if cookie != _INNER_COOKIE:
        raise _refuse(f"inner cookie 0x{cookie:08x}", f"0x{_INNER_COOKIE:08x} (V2)")
    if length != len(payload) - _INNER.size:
        raise _refuse(f"{len(payload) - _INNER.size} bytes of counts", f"the {length} that the header states")
    if offset != 0 or ratio != 1.0:
        raise _refuse(f"offset {offset} and ratio {ratio}", "offset 0 and ratio 1")
    try:
        return _stated(lowest, highest, digits)
    except ValueError as error:
        raise _refuse("an impossible layout", str(error)) from None


@lru_cache(maxsize=16)
def _stated(lowest: int, highest: int, digits: int) -> Layout:
    """One noun for all histograms of one layout: what follows from its three numbers is then computed once."""
    return Layout(lowest, highest, digits)


def _unwrap(text: str, caps: Caps) -> bytes:
    """base64 and outer header → the compressed bytes."""
    if len(text) > caps.text:
        raise _refuse(f"{len(text)} characters", f"at most {caps.text}")
    try:
        wrapped = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise _refuse(f"{text[:24]!r}…", f"base64 ({error})") from None
    if len(wrapped) < _OUTER.size:
        raise _refuse(f"{len(wrapped)} bytes", f"a header of {_OUTER.size}")
    cookie, length = _OUTER.unpack_from(wrapped)
    if cookie != _OUTER_COOKIE:
        raise _refuse(f"cookie 0x{cookie:08x}", f"0x{_OUTER_COOKIE:08x} (V2 compressed)")
    if length != len(wrapped) - _OUTER.size:
        raise _refuse(f"{len(wrapped) - _OUTER.size} compressed bytes", f"the {length} that the header states")
    return wrapped[_OUTER.size :]


def _inflate(packed: bytes, caps: Caps) -> bytes:
    """zlib with a cap: a kilobyte that would inflate to a megabyte is refused after the cap, not after the megabyte."""
    inflater = zlib.decompressobj()
    try:
        payload = inflater.decompress(packed, caps.payload + 1)
    except zlib.error as error:
        raise _refuse("compressed bytes that do not inflate", f"zlib ({error})") from None
    if len(payload) > caps.payload:
        raise _refuse(f"more than {caps.payload} bytes after inflation", f"at most {caps.payload}")
    if not inflater.eof:
        raise _refuse("compressed bytes that end too early", "a whole zlib stream")
    if inflater.unused_data:
        raise _refuse(f"{len(inflater.unused_data)} bytes after the zlib stream", "none")
    return payload


def _distribution(stream: bytes, layout: Layout, caps: Caps) -> Distribution:
    """The counts of `stream` at their places; places past the last bin are refused."""
    indexes, counts, end = arrays.places(stream, layout) or _places(stream)
    if end > layout.length:
        raise _refuse(f"counts for {end} bins", f"at most {layout.length}, which is where the layout ends")
    if len(indexes) > caps.bins:
        raise _refuse(f"{len(indexes)} bins in use", f"at most {caps.bins}")
    if isinstance(indexes, list):
        if sum(counts) > _MAX_COUNT:
            raise _refuse(f"{sum(counts)} values", f"at most {_MAX_COUNT}")
        return Distribution(*_edges(indexes, layout), tuple(counts))
    return arrays.distribution_of(indexes, counts, layout)


def _places(stream: bytes) -> tuple[list[int], list[int], int]:
    """(indexes in use, their counts, index after the last): reading a histogram spends half of its time here.

    A number below zero skips that many bins. ZigZag puts the sign into the lowest bit, and the first byte holds it.
    """
    indexes: list[int] = []
    counts: list[int] = []
    place, count = indexes.append, counts.append
    index = 0
    rest = iter(stream)
    for raw in rest:
        if raw >= 0x80:
            following = next(rest, 0)
            raw = raw & 0x7F | following << 7 if 0 < following < 0x80 else _long(rest, raw & 0x7F, following)
        if raw & 1:
            index += (raw >> 1) + 1
        else:
            if raw:
                place(index)
                count(raw >> 1)
            index += 1
    return indexes, counts, index


def _long(rest: Iterator[int], raw: int, byte: int) -> int:
    """A LEB128 number of three bytes or more: `raw` from its first, `byte` its second, the others still to come.

    The ninth carries eight bits. A last byte of zero says nothing, and stands here for one that is missing, too.
    """
    for byte_number in range(1, 8):
        raw |= (byte & 0x7F) << (7 * byte_number)
        if byte < 0x80:
            break
        byte = next(rest, 0)
    else:
        raw |= byte << 56
    if byte == 0:
        raise _refuse("a count with idle bytes, or one that is cut off", "its shortest form, and all of it")
    return raw


def _edges(indexes: list[int], layout: Layout) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Lowest and highest values of the bins, row by row: within a row (a power of two) all bins are equally wide.

    The other half of what reading a histogram costs, so the loops hold nothing that is the same for a whole row.
    """
    bits, low, high = layout.half_bits, [], []
    begin = 0
    while begin < len(indexes):
        row = max(0, (indexes[begin] >> bits) - 1)
        end = bisect_left(indexes, (row + 2) << bits, begin)
        shift, first = row + layout.unit, row << bits
        edges = [(index - first) << shift for index in indexes[begin:end]]
        width = (1 << shift) - 1
        low += edges
        high += [edge + width for edge in edges] if width else edges
        begin = end
    return tuple(low), tuple(high)


def _refuse(got: str, expected: str) -> UntrustedError:
    return UntrustedError(f"HDR histogram: got {got}; expected {expected}", code="malformed")
