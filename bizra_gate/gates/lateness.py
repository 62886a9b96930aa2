"""Latencies that hold the generator's own lateness are too high, and never too low: they can pass, and not fail.

The audit tells it as a note (`generator.lag`) where only the tail is concerned. A limit from above that such a figure
meets is met all the more by the target; one that it violates may be violated by the generator. With what it is
compared to it is the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from bizra_gate.model import Check, OpenedEvidence
from bizra_gate.model.metric import percentile_of

from .rulings import Ruling

LAG = "generator.lag"
FAMILIES = ("latency", "response")
"""Counted from the intended start; service times are counted from the send, and delay is the lateness itself."""
TAIL_FROM = 90.0
"""Below it a lateness that is only in the tail does not reach."""


def tempered(
    check: Check,
    ruling: Ruling,
    evidence: OpenedEvidence,
    compared: Iterable[OpenedEvidence],
    by_service: Callable[[], Ruling | None],
) -> Ruling:
    """`ruling`, or inconclusive where the lateness of a generator and not the target may have decided it.

    `by_service` is the ruling on the service time, which holds no lateness: what fails by that fails.
    """
    family, _, statistic = check.metric.partition(".")
    percentile = percentile_of(statistic)
    tail = percentile >= TAIL_FROM if percentile is not None else statistic in ("mean", "max")
    if family not in FAMILIES or not tail or ruling.verdict not in ("pass", "warn", "fail"):
        return ruling
    said = next((said for one in _suspects(check, ruling, evidence, compared) if (said := _lateness(one))), None)
    if said is None or (ruling.verdict == "fail" and (own := by_service()) is not None and own.verdict == "fail"):
        return ruling
    return replace(ruling, verdict="inconclusive", reason=f"{ruling.reason} But that may be the generator's: {said}")


def _suspects(
    check: Check, ruling: Ruling, evidence: OpenedEvidence, compared: Iterable[OpenedEvidence]
) -> Iterator[OpenedEvidence]:
    """Whose figure being too high would have brought about this ruling."""
    passed = ruling.verdict != "fail"
    around = check.limit is not None and check.limit.operator in ("==", "in")
    if not passed or around:
        yield evidence
    if passed or around:
        yield from compared


def _lateness(evidence: OpenedEvidence) -> str | None:
    findings = evidence.audit.findings if evidence.audit is not None else ()
    return next((finding.message for finding in findings if finding.code == LAG), None)
