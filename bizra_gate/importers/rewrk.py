"""rewrk ``--json`` (github.com/lnx-search/rewrk): a closed loop; averages only.

Trap: the percentile table of its text output is the *mean of the slowest x %*, not a percentile; only the JSON is
read here, which has none. Neither the connections nor the run time are in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Figure, Latency, Measurement, Source
from . import blind
from .document import Node, parse_several
from .stream import Stream


def sniff(head: bytes, name: str) -> bool:
    return all(key in head for key in (b'"latency_std_deviation"', b'"requests_total"'))


def read(stream: Stream) -> Iterator[Measurement]:
    for node in parse_several(stream.document(), stream.name):
        yield _measurement(node, stream)


def _measurement(node: Node, stream: Stream) -> Measurement:
    total, rate = node["requests_total"].count(), node["requests_avg"].figure()
    if total is None:
        raise node["requests_total"].wrong("the number of requests")
    return Measurement(
        source=Source(tool="rewrk", format="JSON", file=stream.name),
        loop="closed",
        think_time=False,
        rate_achieved_per_s=rate,
        duration_ns=Figure(total / rate.value * 1e9) if rate and rate.value > 0 else None,
        operations=total,
        latency=_latency(node) if total else None,
        bytes_in=node["transfer_total"].count(),
        blind=(
            *blind.LOAD, blind.SERIES, blind.TAIL, blind.INTENDED, blind.CONNECTIONS,
            "errors are not in the JSON (method.errors)",
            "the run time is only known as requests over rate (coherence.time)",
        ),
    )  # fmt: skip


def _latency(node: Node) -> Latency:
    return Latency(
        minimum=node["latency_min"].figure(1e6),
        mean=node["latency_avg"].figure(1e6),
        maximum=node["latency_max"].figure(1e6),
        stdev=node["latency_std_deviation"].figure(1e6),
        origin="send",
        quantum_ns=1.0,
    )
