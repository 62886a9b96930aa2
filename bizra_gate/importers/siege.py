"""siege ``-j`` (JoeDog/siege 4): users in a closed loop, with a pause between requests unless ``-b`` was given.

Traps: every figure has two decimals of a second, so the quantum is 10 ms; ``concurrency`` is the sum of the response
times over the elapsed time, not a number that was measured apart; the number of users is not in the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..model import Caveat, Figure, Latency, Measurement, Restated, Source
from . import blind, restate
from .document import Node, parse_several
from .stream import Stream

QUANTUM_NS = 10_000_000
QUANTUM_S = 0.01
USERS = 255
"""siege's limit of users, unless its configuration raises it."""


def sniff(head: bytes, name: str) -> bool:
    return all(key in head for key in (b'"transactions"', b'"availability"', b'"transaction_rate"'))


def read(stream: Stream) -> Iterator[Measurement]:
    for node in parse_several(_from_brace(stream.document()), stream.name):
        yield _measurement(node, stream)


def _from_brace(data: bytes) -> bytes:
    """siege may write lines of warnings before its document."""
    start = data.find(b"{")
    return data[start:] if start > 0 else data


def _measurement(node: Node, stream: Stream) -> Measurement:
    transactions = node["transactions"].count()
    if transactions is None:
        raise node["transactions"].wrong("the number of transactions")
    failed = node["failed_transactions"].count() or 0
    good = node["successful_transactions"].count()
    errors = {"failed": failed, "status": max(0, transactions - good) if good is not None else 0}
    return Measurement(
        source=Source(tool="siege", format="JSON", file=stream.name),
        loop="closed",
        rate_achieved_per_s=node["transaction_rate"].figure(1.0, QUANTUM_S),
        duration_ns=node["elapsed_time"].figure(1e9, QUANTUM_S),
        operations=transactions,
        errors={kind: n for kind, n in errors.items() if n},
        operations_include_errors=errors["status"] > 0 and sum(errors.values()) <= transactions,
        latency=_latency(node) if transactions else None,
        restated=tuple(_restated(node, transactions)),
        caveats=_caveats(node["concurrency"].number()),
        blind=(*blind.LOAD, blind.SERIES, blind.TAIL, blind.INTENDED, blind.CONNECTIONS, blind.THINK),
    )


def _restated(node: Node, transactions: int) -> Iterator[Restated]:
    """siege's concurrency is requests times response time over elapsed time; availability the share that was served.

    A user who is stopped between the two counters (`src/browser.c`) leaves a success without its transaction.
    """
    mean, elapsed = node["response_time"].figure(1.0, QUANTUM_S), node["elapsed_time"].figure(1.0, QUANTUM_S)
    ended = transactions + (node["failed_transactions"].count() or 0)
    if ended:
        stated, share = node["availability"].figure(1.0, QUANTUM_S), 100 * transactions / ended
        yield from restate.between("availability", stated, "", "transactions over all, in %", share, share)
    good, failed = node["successful_transactions"].figure(), node["failed_transactions"].count()
    if not failed:
        most = float(transactions + USERS)
        yield from restate.between("successful_transactions", good, "", "transactions", 0.0, most)
    if elapsed is not None:
        done, moved = Figure(float(transactions)), node["data_transferred"].figure(1.0, QUANTUM_S)
        rate, carried = (node[key].figure(1.0, QUANTUM_S) for key in ("transaction_rate", "throughput"))
        formula = "transactions over elapsed time"
        yield from restate.quotient("transaction_rate", rate, "1/s", formula, [done], [elapsed])
        formula = "data transferred over elapsed time"
        yield from restate.quotient("throughput", carried, "", formula, [moved], [elapsed])
        stated, formula = (
            node["concurrency"].figure(1.0, QUANTUM_S),
            "transactions times response time over elapsed time",
        )
        yield from restate.quotient("concurrency", stated, "", formula, [Figure(float(transactions)), mean], [elapsed])


def _caveats(concurrency: float | None) -> tuple[Caveat, ...]:
    if concurrency is None:
        return ()
    text = f"siege's concurrency, {concurrency:g}, is the sum of its response times over the time, no count of its own"
    return (Caveat("source.concurrency", text),)


def _latency(node: Node) -> Latency:
    return Latency(
        minimum=node["shortest_transaction"].figure(1e9, QUANTUM_S),
        mean=node["response_time"].figure(1e9, QUANTUM_S),
        maximum=node["longest_transaction"].figure(1e9, QUANTUM_S),
        origin="send",
        quantum_ns=QUANTUM_NS,
        includes_errors=True,
    )
