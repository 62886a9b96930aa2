"""HdrHistogram's two texts: interval logs (see `hdr_log`) and percentile tables (see `hdr_percentiles`)."""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Measurement
from . import hdr_log, hdr_percentiles
from .stream import Stream


def sniff(head: bytes, name: str) -> bool:
    return hdr_log.sniff(head, name) or hdr_percentiles.sniff(head, name)


def read(stream: Stream) -> Iterator[Measurement]:
    form = hdr_percentiles if hdr_percentiles.sniff(stream.head, stream.name) else hdr_log
    yield from form.read(stream)
