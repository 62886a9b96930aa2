"""What `bench` prints when it is done: the figures with their intervals, where they lie, and what comes next."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .. import opening
from ..model import Caveat, Metric, Policy
from ..model.plan import public_target
from ..reports import wording
from ..units import format_quantity
from . import output, reading
from .planning import Job

if TYPE_CHECKING:
    from ..pipeline import Benched

OF_COMMANDS = ("latency.mean", "latency.min", "latency.p50", "latency.max", "cpu.per_op", "memory.peak", "error_rate")
"""What a person who times a command wants to know; its `throughput` is the same as its mean."""
SHOWN = ("throughput", "latency.p50", "latency.p99", "latency.p99.9", "latency.max", "error_rate", "concurrency.mean")


def printed(made: Benched, job: Job) -> None:
    """The closing lines of one measurement."""
    output.say(f"{job.title}: {opening.shown(made.artifact)} ({made.size / 1024:.1f} KiB, signed by {made.signed_by})")
    for name in OF_COMMANDS if job.plan.target.startswith("cmd:") else SHOWN:
        if name in made.metrics:
            output.say("  " + row(made.metrics[name]))
    if job.plan.target.startswith("cmd:"):
        for text in _of_the_first_run(made.benchmark.measurement.caveats, job.plan.runs):
            output.say(f"  {text}")
    if made.benchmark.against is not None:
        _compared(made, job)
    _believable(made, _policy(job))
    if sys.stdout.isatty():
        _next(made, job)


def _of_the_first_run(caveats: Sequence[Caveat], runs: int) -> Iterator[str]:
    """What each kind of caveat says first; every run has its own, and the artifact holds them all."""
    first: dict[str, str] = {}
    for caveat in caveats:
        first.setdefault(caveat.code, caveat.message)
    yield from (f"{text} (run 1 of {runs})" if runs > 1 else text for text in first.values())


def _next(made: Benched, job: Job) -> None:
    """What to run now, a command a line so that it can be copied."""
    if job.gate is None:
        output.say(f"  next: bizra-gate show {opening.shown(made.artifact)}", whole=True)
        return
    output.say(f"  next: git add {opening.shown(made.artifact)}", whole=True)
    output.say(f"        bizra-gate verify {job.gate.file}", whole=True)


def ranked(made: Sequence[Benched], jobs: Sequence[Job]) -> None:
    """One command with several parameters: the fastest, and how much longer the others take."""
    found = ((one.metrics.get("latency.mean"), job.title, one.artifact) for one, job in zip(made, jobs, strict=True))
    means = sorted((mean.estimate, title, file) for mean, title, file in found if mean is not None and mean.estimate)
    if len(means) < 2 or len(means) < len(jobs):
        return
    best, title, file = means[0]
    output.say(f"fastest on average: {title}")
    for mean, other, _ in means[1:]:
        output.say(f"  {mean / best:6.2f} times as long: {other}")
    output.say(f"  with intervals: bizra-gate compare {opening.shown(file)} {opening.shown(means[1][2])}")


def _compared(made: Benched, job: Job) -> None:
    """The ratio of the two targets: what an interleaved measurement is made for."""
    output.say(f"  in turn with {public_target(job.plan.against or '')}, {job.plan.runs} runs of each:")
    for text in reading.ratios(made.benchmark, _policy(job)):
        output.say(f"    {text}")


def _policy(job: Job) -> Policy:
    return job.gate.policy if job.gate is not None else Policy()


def row(metric: Metric) -> str:
    """One metric with its interval and what it rests on."""
    text = f"{metric.name:<17} {format_quantity(metric.estimate, metric.unit):>12}"
    if metric.interval is not None:
        text += f"   {metric.confidence:.0%} {wording.bounds(metric.estimate, metric.interval, metric.unit)}"
    return text + (f"   n = {metric.n:,}" if metric.n is not None else "")


def imported(made: Benched, policy: Policy) -> None:
    """The lines of one measurement of another tool: where it lies, who measured, and what an audit will say of it."""
    source = made.benchmark.measurement.source
    tool = " ".join(filter(None, (source.tool, source.version)))
    output.say(f"{opening.shown(made.artifact)} ({made.size / 1024:.1f} KiB): measured by {tool}, not by bizra-gate")
    _believable(made, policy)


def _believable(made: Benched, policy: Policy) -> None:
    """A preview of the audit: nothing is judged here, but an hour is too precious to learn it in CI."""
    said = opening.audit_of(made.benchmark, policy)
    output.say(f"  audit: {said.verdict}")
    for finding in said.findings:
        if finding.severity != "note":
            output.say(f"    {finding.code}: {finding.message}")
