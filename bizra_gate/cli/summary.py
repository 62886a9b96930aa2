"""What `bench` prints when it is done: the figures with their intervals, where they lie, and what comes next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from .. import opening
from ..model import Metric, Policy
from ..model.plan import public_target
from ..units import format_quantity
from . import reading
from .planning import Job

if TYPE_CHECKING:
    from ..pipeline import Benched

SHOWN = ("throughput", "latency.p50", "latency.p99", "latency.p99.9", "latency.max", "error_rate", "concurrency.mean")


def printed(made: Benched, job: Job, *, no_color: bool) -> None:
    """The closing lines of one measurement."""
    typer.echo(f"{job.title}: {made.artifact} ({made.size / 1024:.1f} KiB, signed by {made.signed_by})")
    for name in SHOWN:
        if name in made.metrics:
            typer.echo("  " + row(made.metrics[name]))
    if made.benchmark.against is not None:
        _compared(made, job)
    _believable(made, job)


def _compared(made: Benched, job: Job) -> None:
    """The ratio of the two targets: what an interleaved measurement is made for."""
    typer.echo(f"  in turn with {public_target(job.plan.against or '')}, {job.plan.runs} runs of each:")
    for text in reading.ratios(made.benchmark, _policy(job)):
        typer.echo(f"    {text}")


def _policy(job: Job) -> Policy:
    return job.gate.policy if job.gate is not None else Policy()


def row(metric: Metric) -> str:
    """One metric with its interval and what it rests on."""
    text = f"{metric.name:<17} {format_quantity(metric.estimate, metric.unit):>12}"
    if metric.interval is not None:
        low, high = (("…" if side is None else format_quantity(side, metric.unit)) for side in metric.interval)
        text += f"   {metric.confidence:.0%} [{low}, {high}]"
    return text + (f"   n = {metric.n:,}" if metric.n is not None else "")


def _believable(made: Benched, job: Job) -> None:
    """A preview of the audit: `bench` judges nothing, but an hour is too precious to learn it in CI."""
    said = opening.audit_of(made.benchmark, _policy(job))
    typer.echo(f"  audit: {said.verdict}")
    for finding in said.findings:
        if finding.severity != "note":
            typer.echo(f"    {finding.code}: {finding.message}")
    if sys.stdout.isatty():
        file = job.gate.file if job.gate is not None else "gates/"
        typer.echo(f"  next: git add {made.artifact} && bizra-gate verify {file}")
