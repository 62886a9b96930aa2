"""Everybody's numbers: what another tool printed, read as a `Measurement` with all that it said and no more.

A tool is one module with ``sniff(head, name) -> bool`` and ``read(stream) -> Iterator[Measurement]``, one line in
`IMPORTERS`, one fixture and one expectation. Modules are imported when a file is at hand, not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any

from ..errors import FormatError, UsageError
from ..model import Caveat, Measurement
from .stated import Stated
from .stream import HEAD_BYTES, Stream

__all__ = ["IMPORTERS", "Importer", "Stated", "Stream", "read", "sniff"]


@dataclass(frozen=True, slots=True)
class Importer:
    """One tool: its module in this package, and what of it is read (for ``--help``)."""

    module: str
    reads: str

    def sniff(self, head: bytes, name: str) -> bool:
        """Does a file called `name` that begins with `head` (64 KiB at most) come from this tool?"""
        return bool(_loaded(self.module).sniff(head, name))

    def read(self, stream: Stream) -> Iterator[Measurement]:
        """The measurements in `stream`; raises `FormatError` where it cannot be read."""
        found: Iterator[Measurement] = _loaded(self.module).read(stream)
        return found


@cache
def _loaded(module: str) -> Any:
    return import_module(f"{__name__}.{module}")


IMPORTERS: dict[str, Importer] = {
    # load generators
    "ab": Importer("ab", "text report, -g rows"),
    "artillery": Importer("artillery", "JSON (--output)"),
    "autocannon": Importer("autocannon", "JSON (-j)"),
    "bombardier": Importer("bombardier", "JSON (-o json)"),
    "fortio": Importer("fortio", "JSON"),
    "gatling": Importer("gatling", "text simulation.log"),
    "ghz": Importer("ghz", "JSON (-O json)"),
    "h2load": Importer("h2load", "text report, --log-file, JSON"),
    "hey": Importer("hey", "text report, CSV"),
    "hyperfoil": Importer("hyperfoil", "run JSON"),
    "jmeter": Importer("jmeter", "JTL, CSV or XML"),
    "k6": Importer("k6", "NDJSON and CSV points (also .gz), summary export, handleSummary, machine-readable summary"),
    "locust": Importer("locust", "JSON, _stats.csv, _stats_history.csv"),
    "nighthawk": Importer("nighthawk", "JSON"),
    "oha": Importer("oha", "JSON, CSV"),
    "rewrk": Importer("rewrk", "JSON (--json)"),
    "siege": Importer("siege", "JSON (-j)"),
    "vegeta": Importer("vegeta", "JSON lines, CSV, JSON report, text report, hdrplot"),
    "wrk": Importer("wrk", "text report"),
    "wrk2": Importer("wrk2", "text report, with or without -L and -U"),
    # micro-benchmarks, histograms and dashboards
    "asv": Importer("asv", "results JSON, version 2"),
    "bencher": Importer("bencher", "Bencher Metric Format, JSON"),
    "benchmarkdotnet": Importer("benchmarkdotnet", "JSON report, full or brief"),
    "criterion": Importer("criterion", "sample.json, estimates.json, or the folder of a benchmark"),
    "github-action-benchmark": Importer("github_action_benchmark", "custom JSON, data.js"),
    "go-bench": Importer("go_bench", "text of go test -bench"),
    "google-benchmark": Importer("google_benchmark", "JSON (--benchmark_format=json)"),
    "hdrhistogram": Importer("hdrhistogram", "interval log (.hlog, V2, tags), percentile table (text, CSV)"),
    "hyperfine": Importer("hyperfine", "JSON (--export-json)"),
    "jmh": Importer("jmh", "JSON (-rf json)"),
    "nanobench": Importer("nanobench", "JSON template"),
    "pyperf": Importer("pyperf", "JSON (also .gz)"),
    "pytest-benchmark": Importer("pytest_benchmark", "JSON (--benchmark-json)"),
}
"""What the user types after ``--from`` → the importer."""


def claiming(stream: Stream) -> list[str]:
    """Every importer that takes `stream` for its tool's."""
    head = stream.head[:HEAD_BYTES]
    return sorted(name for name, importer in IMPORTERS.items() if importer.sniff(head, stream.name))


def sniff(stream: Stream) -> str:
    """The one importer that claims `stream`; raises `FormatError` where none or several do."""
    head = stream.head[:HEAD_BYTES]
    if not head.strip():
        raise FormatError(f"{stream.name}: is empty; nothing was measured")
    claims = claiming(stream)
    if len(claims) == 1:
        return claims[0]
    if claims:
        raise FormatError(
            f"{stream.name}: could come from {' or '.join(claims)}; say which with --from {claims[0]}",
        )
    from ..attest.envelope import is_artifact  # loads the cryptography, which no other tool's output asks for

    if is_artifact(head):
        raise FormatError(
            f"{stream.name}: is an artifact of bizra-gate, signed already",
            hint="judge it with a gate that names it: bizra-gate verify; look at it: bizra-gate audit",
        )
    what = "holds binary data that no importer knows" if b"\0" in head else "is not the output of a tool known here"
    raise FormatError(f"{stream.name}: {what}; known are {', '.join(sorted(IMPORTERS))} (name one with --from)")


def read(stream: Stream, name: str | None = None, stated: Stated | None = None) -> list[Measurement]:
    """All measurements in `stream`, by the importer `name` or the one that recognises it, with `stated` facts added.

    Raises `UsageError` for an unknown `name`, `FormatError` where the file cannot be read or holds no measurement.
    """
    chosen = sniff(stream) if name is None else name
    if chosen not in IMPORTERS:
        raise UsageError(f"--from {chosen}: no such format; known are {', '.join(sorted(IMPORTERS))}")
    others = [claim for claim in claiming(stream) if claim != chosen] if name is not None else []
    facts = stated or Stated()
    try:
        found = [facts.apply(measurement) for measurement in IMPORTERS[chosen].read(stream)]
    except FormatError as error:
        if not others:
            raise
        text = f"{error.message}. It looks like a file of {' or '.join(others)}: leave --from {chosen} out"
        raise FormatError(text, hint=error.hint) from None
    if not found:
        raise FormatError(f"{stream.name}: {chosen} wrote no measurement into it; nothing was judged")
    return [_doubted(one, chosen, others) for one in found] if others else found


def _doubted(measurement: Measurement, chosen: str, others: list[str]) -> Measurement:
    """`measurement` with the note that its file looks like another tool's."""
    text = f"read as {chosen} because --from says so; it looks like a file of {' or '.join(others)}"
    return replace(measurement, caveats=(*measurement.caveats, Caveat("source.format", text)))
