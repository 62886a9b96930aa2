"""A measurement as an in-toto statement, and back.

The predicate holds what is needed to derive every figure shown. The summary in it is a convenience for readers:
`decode` hands it on as `Measurement.printed`, and the audit compares it with what the counts give.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UntrustedError
from ..gates import plan_document, plan_from_document
from ..model import Measurement, Metric, Plan, Printed
from ..stats import merge, summary
from . import codec

PREDICATE_TYPE = "https://bizra.dev/attestation/benchmark/v1"
SCHEMA = "bizra-gate/benchmark/v1"
SIGNIFICANT_DIGITS = 6
_CONFIDENCE = 0.95
"""Of a row of the summary that does not say otherwise."""
AGAINST = "against."
GIT = "git:"
TWIN = ("response.", "against.response.")
"""Says the same as ``latency.`` in an open loop, and is left out of the summary."""
_REQUIRED = ("schema", "run_id", "finished_at", "tool", "subject", "source", "measurement", "summary")
_MEMBERS = {*_REQUIRED, "gate", "plan", "against"}


@dataclass(frozen=True, slots=True)
class Origin:
    """The tree that was measured: git facts where there are any, and the manifest over the named sources."""

    commit: str | None = None
    tree: str | None = None
    dirty: bool | None = None
    manifest_sha256: str | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateReference:
    """The gate file that asked for this evidence, and the digest of its ``[measure]``."""

    name: str
    file: str
    plan_digest: str


@dataclass(frozen=True, slots=True)
class Tool:
    """What made the statement."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The predicate of a benchmark statement."""

    run_id: str
    finished_at: str
    tool: Tool
    measurement: Measurement
    subject: Mapping[str, str]
    """Name, and version or digest, of what was measured."""
    source: Origin = Origin()
    gate: GateReference | None = None
    against: Measurement | None = None
    """The second target of an interleaved comparison, measured in turn with the first."""

    def metrics(self, confidence: float = 0.95, percentiles: Iterable[float] = ()) -> dict[str, Metric]:
        """Every metric that the counts give, with `percentiles` beside the usual ones; those of the second target
        under ``against.``."""
        wanted = tuple(percentiles)
        own = summary.summarize(self.measurement, confidence, wanted)
        if self.against is None:
            return own
        other = summary.summarize(self.against, confidence, wanted)
        return own | {name: dataclasses.replace(m, name=name) for name, m in _prefixed(other)}


def _prefixed(metrics: Mapping[str, Metric]) -> Iterator[tuple[str, Metric]]:
    return ((f"{AGAINST}{name}", metric) for name, metric in metrics.items())


def against_plan(plan: Plan) -> Plan:
    """The plan of the second target: the same in everything but the target.

    A git revision is the same target at another commit.
    """
    target = plan.target if plan.against is None or plan.against.startswith(GIT) else plan.against
    return dataclasses.replace(plan, target=target, against=None)


def reading_order(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """What a person reads first comes first, and nothing twice: `latency` is `response` in an open loop."""
    twins = {name for name in metrics if name.startswith(TWIN)}
    families = ("throughput", "latency", "error_rate", "concurrency", "rate", "service", "delay")
    rank = {family: place for place, family in enumerate(families)}
    kept = [name for name in metrics if name not in twins]
    ordered = sorted(kept, key=lambda name: rank.get(name.partition(".")[0], len(rank)))
    return {name: metrics[name] for name in ordered}


def state(benchmark: Benchmark) -> tuple[dict[str, Any], dict[str, Any]]:
    """(subject descriptor, predicate) of the statement about `benchmark`."""
    metrics = benchmark.metrics()
    predicate: dict[str, Any] = {
        "schema": SCHEMA,
        "run_id": benchmark.run_id,
        "finished_at": benchmark.finished_at,
        "tool": codec.encode(benchmark.tool),
        "subject": dict(benchmark.subject),
        "source": codec.encode(benchmark.source),
        "measurement": _bare(benchmark.measurement),
        "summary": [summary_row(metrics[name]) for name in sorted(metrics) if not name.startswith(TWIN)],
    }
    if benchmark.against is not None:
        predicate["against"] = _bare(benchmark.against)
    if benchmark.gate is not None:
        predicate["gate"] = codec.encode(benchmark.gate)
    if benchmark.measurement.plan is not None:
        predicate["plan"] = plan_document(benchmark.measurement.plan)
    return _descriptor(benchmark), predicate


def _bare(measurement: Measurement) -> Any:
    """`measurement` without what stands elsewhere in the predicate or follows from its runs."""
    return codec.encode(dataclasses.replace(merge.without_derived(measurement), plan=None, printed=()))


def _descriptor(benchmark: Benchmark) -> dict[str, Any]:
    """The subject is bound by the manifest of its sources, or else by what it said of itself."""
    said = "\n".join(f"{name}={benchmark.subject[name]}" for name in sorted(benchmark.subject))
    name = benchmark.subject.get("target", benchmark.measurement.name or "subject")
    sha256 = benchmark.source.manifest_sha256 or hashlib.sha256(said.encode()).hexdigest()
    return {"name": name, "digest": {"sha256": sha256}}


def summary_row(metric: Metric) -> dict[str, Any]:
    """One metric for readers, rounded to six significant digits."""
    row: dict[str, Any] = {"metric": metric.name, "unit": metric.unit, "confidence": metric.confidence}
    if metric.estimate is not None:
        row["estimate"] = rounded(metric.estimate)
    if metric.interval is not None:
        row["interval"] = [None if side is None else rounded(side) for side in metric.interval]
    if metric.n is not None:
        row["n"] = metric.n
    return row


def rounded(value: float) -> float | int:
    """`value` with six significant digits; whole numbers as integers."""
    if value == 0 or not math.isfinite(value):
        return 0 if value == 0 else value
    digits = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value)))
    result = round(value, digits)
    return int(result) if float(result).is_integer() and abs(result) < 2**53 else result


def decode(predicate: Any, subjects: Any = None) -> Benchmark:
    """The benchmark that a verified predicate states; raises `UntrustedError` where it is not one, closed schema.

    `subjects` are those of the statement around it: what was measured and nothing else, because other readers of
    statements look things up by their subjects.
    """
    if not isinstance(predicate, dict):
        raise UntrustedError("predicate: not an object", code="malformed")
    if unknown := sorted(set(predicate) - _MEMBERS):
        raise UntrustedError(f"predicate: unknown member {unknown[0]!r}", code="malformed")
    if predicate.get("schema") != SCHEMA:
        raise UntrustedError(
            f"predicate.schema: got {predicate.get('schema')!r}, expected {SCHEMA!r}", code="malformed"
        )
    for name in _REQUIRED:
        if name not in predicate:
            raise UntrustedError(f"predicate: no member {name!r}", code="malformed")
    measurement, against = _measurements(predicate)
    benchmark = Benchmark(
        run_id=codec.decode(str, predicate["run_id"], "predicate.run_id"),
        finished_at=codec.decode(str, predicate["finished_at"], "predicate.finished_at"),
        tool=codec.decode(Tool, predicate["tool"], "predicate.tool"),
        measurement=measurement,
        against=against,
        subject=codec.decode(Mapping[str, str], predicate["subject"], "predicate.subject"),
        source=codec.decode(Origin, predicate["source"], "predicate.source"),
        gate=codec.decode(GateReference, predicate["gate"], "predicate.gate") if "gate" in predicate else None,
    )
    if subjects is not None and subjects != [_descriptor(benchmark)]:
        raise UntrustedError("subject: does not name what the predicate measured, and only that", code="malformed")
    return benchmark


def _measurements(predicate: dict[str, Any]) -> tuple[Measurement, Measurement | None]:
    """What was measured, and the second target where the plan asks for one; each with its own part of the summary."""
    plan = plan_from_document(predicate["plan"]) if "plan" in predicate else None
    printed = tuple(_printed(predicate["summary"], "predicate.summary"))
    own = _bare_in(predicate, "measurement")
    asked = plan is not None and plan.against is not None
    if asked != ("against" in predicate):
        expected = "a second measurement, as the plan asks" if asked else "nothing: the plan names no second target"
        raise UntrustedError(f"predicate.against: expected {expected}", code="malformed")
    if plan is None or not asked:
        return merge.from_runs(own, plan=plan, printed=printed), None
    other = _bare_in(predicate, "against")
    if len(other.runs) != len(own.runs):
        said = f"{len(other.runs)} runs beside {len(own.runs)}, which are measured in turn"
        raise UntrustedError(f"predicate.against: {said}", code="malformed")
    first = tuple(row for row in printed if not row.metric.startswith(AGAINST))
    second = tuple(
        dataclasses.replace(row, metric=row.metric.removeprefix(AGAINST))
        for row in printed
        if row.metric.startswith(AGAINST)
    )
    return (
        merge.from_runs(own, plan=plan, printed=first),
        merge.from_runs(other, plan=against_plan(plan), printed=second),
    )


def _bare_in(predicate: dict[str, Any], member: str) -> Measurement:
    document, where = predicate[member], f"predicate.{member}"
    if isinstance(document, dict) and {"plan", "printed"} & set(document):
        raise UntrustedError(f"{where}: plan and printed have their own members", code="malformed")
    bare: Measurement = codec.decode(Measurement, document, where)
    return bare


def _printed(rows: Any, where: str) -> Iterator[Printed]:
    """What the summary says, whose rows are `_Row`s; an audit compares it with the counts."""
    if not isinstance(rows, list):
        codec.decode(tuple[_Row, ...], rows, where)  # which says what it is instead
    for number, document in enumerate(rows):
        row = codec.members(_Row, document, f"{where}[{number}]")
        value = row.pop("estimate", None)
        if value is not None:
            row.setdefault("confidence", _CONFIDENCE)
            yield Printed(value=value, **row)


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the summary as it stands in the file."""

    metric: str
    unit: str
    confidence: float = _CONFIDENCE
    estimate: float | None = None
    interval: tuple[float | None, float | None] | None = None
    n: int | None = None
