"""The contract's `bizra-gate/audit/v1`, and one envelope around several where a file holds several measurements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import (
    Audit,
    ClockFacts,
    Controls,
    Environment,
    Figure,
    Generator,
    InFlight,
    Intervals,
    Latency,
    Measurement,
    Metric,
)
from .inputs import AuditedMeasurement, worst_verdict
from .json import finding, interval, number, text

SCHEMA = "bizra-gate/audit/v1"


def render(audited: tuple[AuditedMeasurement, ...]) -> str:
    """One object for one measurement; for several `{"schema", "verdict", "audits": […]}` with the worst verdict."""
    if len(audited) == 1:
        return text(document(audited[0]))
    return text({"schema": SCHEMA, "verdict": worst_verdict(audited), "audits": [document(one) for one in audited]})


def document(one: AuditedMeasurement) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "verdict": one.audit.verdict,
        "source": {"tool": one.measurement.source.tool, "file": one.file},
        "findings": [finding(found) for found in one.audit.findings],
        "measurement": measurement(one.measurement, one.metrics, one.audit),
    }


def measurement(said: Measurement, metrics: Mapping[str, Metric], audit: Audit) -> dict[str, Any]:
    """What was understood, null where it was not said; `rules` is what the audit could and could not look at."""
    return {
        "name": said.name,
        "tool_version": said.source.version,
        "format": said.source.format,
        "foreign": said.source.foreign,
        "started_at": said.started_at,
        "finished_at": said.finished_at,
        **_load(said),
        **_volume(said),
        **{name: latency(getattr(said, name)) for name in ("latency", "service", "response", "delay", "failed")},
        "intervals": _intervals(said.intervals),
        "in_flight": _in_flight(said.in_flight),
        "clock": _clock(said.clock),
        "controls": _controls(said.controls),
        "generator": _generator(said.generator),
        "environment": _environment(said.environment),
        "metrics": {name: _metric(metric) for name, metric in metrics.items()},
        "stated": dict(said.stated),
        "caveats": [{"code": caveat.code, "message": caveat.message} for caveat in said.caveats],
        "blind": list(said.blind),
        "rules": {"clean": list(audit.clean), "not_applicable": dict(audit.not_applicable)},
    }


def _load(said: Measurement) -> dict[str, Any]:
    return {
        "loop": said.loop,
        "think_time": said.think_time,
        "concurrency": said.concurrency,
        "threads": said.threads,
        "rate_requested_per_s": _figure(said.rate_requested_per_s),
        "rate_achieved_per_s": _figure(said.rate_achieved_per_s),
        "duration_requested_ns": _figure(said.duration_requested_ns),
        "duration_ns": _figure(said.duration_ns),
        "warmup_ns": _figure(said.warmup_ns),
        "runs": len(said.runs),
    }


def _volume(said: Measurement) -> dict[str, Any]:
    return {
        "operations": said.operations,
        "operations_include_errors": said.operations_include_errors,
        "sent": said.sent,
        "errors": None if said.errors is None else dict(said.errors),
        "outcomes": None if said.outcomes is None else dict(said.outcomes),
        "bytes_in": said.bytes_in,
        "bytes_out": said.bytes_out,
    }


def _figure(figure: Figure | None) -> float | int | None:
    return None if figure is None else number(figure.value)


def latency(said: Latency | None) -> dict[str, Any] | None:
    """One latency distribution: what was recorded or printed of it, in ns."""
    if said is None:
        return None
    counts = said.histogram
    return {
        "n": said.count if counts is None else counts.n,
        "min_ns": _figure(said.minimum) if counts is None else counts.minimum,
        "mean_ns": _figure(said.mean) if counts is None else number(counts.mean),
        "max_ns": _figure(said.maximum) if counts is None else counts.maximum,
        "stdev_ns": _figure(said.stdev),
        "percentiles_ns": {f"p{p:g}": number(figure.value) for p, figure in said.percentiles},
        "percentile_method": said.percentile_method,
        "origin": said.origin,
        "quantum_ns": number(said.quantum_ns),
        "bin_ratio": number(said.bin_ratio),
        "batch": said.batch,
        "includes_errors": said.includes_errors,
        "dropped": said.dropped,
        "cap": said.cap,
        "corrected": said.corrected,
    }


def _intervals(said: Intervals | None) -> dict[str, Any] | None:
    return None if said is None else {"length_ns": said.length_ns, "rows": len(said.start_ns)}


def _in_flight(said: InFlight | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "mean": number(said.integral_ns / said.window_ns) if said.window_ns else None,
        "maximum": said.maximum,
        "window_ns": said.window_ns,
        "integral_ns": said.integral_ns,
        "carried_in_count": said.carried_in_count,
        "carried_in_ns": said.carried_in_ns,
        "carried_out_ns": said.carried_out_ns,
        "unfinished": said.unfinished,
    }


def _clock(said: ClockFacts | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "name": said.name,
        "resolution_ns": number(said.resolution_ns),
        "overhead_ns": number(said.overhead_ns),
        "wall_drift_ns": said.wall_drift_ns,
        "steps": said.steps,
    }


def _controls(said: Controls | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "operation_ns": number(said.operation_ns),
        "empty_ns": number(said.empty_ns),
        "empty_spread_ns": number(said.empty_spread_ns),
        "twice_ns": number(said.twice_ns),
        "result_type": said.result_type,
        "unconsumed": said.unconsumed,
        "validated": said.validated,
        "rejected": said.rejected,
    }


def _generator(said: Generator | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "workers": said.workers,
        "cpu_fraction": [number(share) for share in said.cpu_fraction],
        "steal_fraction": number(said.steal_fraction),
        "other_cpu_fraction": number(said.other_cpu_fraction),
        "gc_pause_ns": said.gc_pause_ns,
        "gc_collections": said.gc_collections,
    }


def _environment(said: Environment | None) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "cpu_model": said.cpu_model,
        "cpu_count": said.cpu_count,
        "cpu_hz": number(said.cpu_hz),
        "system": said.system,
        "kernel": said.kernel,
        "python": said.python,
        "virtualization": said.virtualization,
        "debug_build": said.debug_build,
    }


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "unit": metric.unit,
        "estimate": number(metric.estimate),
        "interval": interval(metric.interval),
        "confidence": number(metric.confidence),
        "n": metric.n,
        "method": metric.method,
    }
