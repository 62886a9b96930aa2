"""The words on measurements and audits that `audit`, `show` and their formats share."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import Audit, Caveat, Measurement, Metric
from .wording import count, estimate, quantity, sorted_findings


def metric_cell(metric: Metric) -> str:
    """A metric's estimate and interval; a confidence other than 95 % is said."""
    text = estimate(metric.estimate, metric.interval, metric.unit)
    return text if metric.confidence == 0.95 or metric.interval is None else f"{text} at {metric.confidence * 100:g} %"


def distinct(metrics: Mapping[str, Metric]) -> tuple[list[Metric], str]:
    """The metrics without families that repeat the headline, and a sentence on those (empty where there are none).

    In a closed loop ``service.*`` is ``latency.*`` again, in an open one ``response.*`` is.
    """
    kept, repeated = [], []
    for metric in metrics.values():
        family, _, statistic = metric.name.partition(".")
        headline = metrics.get(f"latency.{statistic}")
        same = headline is not None and (headline.estimate, headline.interval) == (metric.estimate, metric.interval)
        if same and family != "latency":
            repeated.append(family)
        else:
            kept.append(metric)
    names = " and ".join(f"{name}.*" for name in dict.fromkeys(repeated))
    return kept, f"{names}: the same as latency.*" if names else ""


def audit_reason(audit: Audit) -> str:
    """The verdict of an audit in one line."""
    found = [one for one in sorted_findings(audit.findings) if one.severity != "note"]
    if audit.verdict == "VALID":
        looked = count(len(audit.clean), "rule")
        return f"nothing contradicts it: {looked} clean, {len(audit.not_applicable)} could not look"
    lead = "a measurement artifact, do not ship: " if audit.verdict == "INVALID" else ""
    more = f" (+{len(found) - 1} more)" if len(found) > 1 else ""
    return f"{lead}{found[0].message}{more}" if found else f"{lead}the audit gave no reason"


def untold(said: Measurement, audit: Audit) -> list[Caveat]:
    """Caveats that no finding has told already."""
    messages = [finding.message for finding in audit.findings]
    return [caveat for caveat in said.caveats if not any(caveat.message in message for message in messages)]


def tool(said: Measurement) -> str:
    """``wrk2 4.2.0, not by bizra-gate; ended 2026-11-20T10:02:30Z``."""
    version = f" {said.source.version}" if said.source.version else ""
    foreign = ", not by bizra-gate" if said.source.foreign else ""
    ended = f"; ended {said.finished_at}" if said.finished_at else ""
    return f"{said.source.tool}{version}{foreign}{ended}"


def load(said: Measurement) -> str:
    """``closed loop, concurrency 64, 2 min measured after 30 s of warm-up, 62,855,160 operations, 3 errors``."""
    parts = [f"{said.loop} loop" if said.loop else "loop not said"]
    if said.concurrency is not None:
        parts.append(f"concurrency {said.concurrency:,}")
    if said.rate_requested_per_s is not None:
        parts.append(f"{quantity(said.rate_requested_per_s.value, '1/s')} asked")
    parts.append(_duration(said))
    if said.operations is not None:
        parts.append(count(said.operations, "operation"))
    if said.errors is not None:
        parts.append(count(sum(said.errors.values()), "error"))
    if len(said.runs) > 1:
        parts.append(f"{len(said.runs)} processes")
    return ", ".join(parts)


def _duration(said: Measurement) -> str:
    if said.duration_ns is None:
        return "duration not said"
    measured = f"{quantity(said.duration_ns.value, 'ns')} measured"
    if said.warmup_ns is None:
        return f"{measured}, warm-up not said"
    return f"{measured} after {quantity(said.warmup_ns.value, 'ns')} of warm-up"
