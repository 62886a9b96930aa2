"""`audit` as Markdown, to be pasted into a review."""

from __future__ import annotations

from collections.abc import Iterable

from . import wording, wording_audit
from .inputs import AuditedMeasurement, worst_verdict
from .markdown import BUDGET_BYTES, folded, machine, size, table, text


def render(audited: tuple[AuditedMeasurement, ...], budget_bytes: int = BUDGET_BYTES) -> str:
    """Verdict first, findings with their arithmetic, figures, and what could not be looked at; under 64 KiB."""
    parts: list[str] = []
    if len(audited) != 1:
        worst = worst_verdict(audited)
        parts.append(f"## {wording.SYMBOLS[worst]} {worst} · {wording.count(len(audited), 'measurement')}\n")
    room = budget_bytes - sum(size(part) for part in parts)
    for at, one in enumerate(audited):
        block = "\n".join(_one(one)) + "\n"
        if size(block) > room:
            left = wording.count(len(audited) - at, "more measurement")
            parts.append(f"**{left} left out** to stay under 64 KiB; `--format json` has everything.\n")
            break
        parts.append(block)
        room -= size(block)
    return "\n".join(parts)


def _one(one: AuditedMeasurement) -> Iterable[str]:
    symbol = wording.SYMBOLS[one.audit.verdict]
    name = f" ({text(one.measurement.name)})" if one.measurement.name else ""
    yield f"## {symbol} {one.audit.verdict} · {text(wording_audit.audit_reason(one.audit))}"
    yield ""
    understood = f"{wording_audit.tool(one.measurement)}. {wording_audit.load(one.measurement)}."
    yield f"{machine(one.file)}{name}: {text(understood)}"
    if one.measurement.stated:
        stated = ", ".join(f"{name} {value}" for name, value in one.measurement.stated.items())
        yield f"Stated by the person, not by the file: {text(stated)}."
    yield ""
    for found in wording.sorted_findings(one.audit.findings):
        yield f"- {wording.SYMBOLS[found.severity]} {found.severity}: {machine(found.code)} {text(found.message)}"
        if wording.figures(found):
            yield f"  *{text(wording.figures(found))}*"
    yield ""
    yield from _figures(one)
    yield ""
    yield from folded("What was checked, and what could not be", list(_scope(one)))


def _figures(one: AuditedMeasurement) -> Iterable[str]:
    kept, repeated = wording_audit.distinct(one.metrics)
    if kept:
        yield from table(
            ("figure", "estimate, interval", "n", "interval by"),
            [
                (
                    machine(metric.name),
                    text(wording_audit.metric_cell(metric)),
                    "—" if metric.n is None else f"{metric.n:,}",
                    text(metric.method or ""),
                )
                for metric in kept
            ],
        )
    if repeated:
        yield ""
        yield text(repeated)


def _scope(one: AuditedMeasurement) -> Iterable[str]:
    if one.audit.clean:
        yield f"- clean: {', '.join(machine(rule) for rule in one.audit.clean)}"
    for rule, why in one.audit.not_applicable.items():
        yield f"- could not look: {machine(rule)} {text(why)}"
    for sentence in one.measurement.blind:
        yield f"- blind: {text(sentence)}"
    for caveat in wording_audit.untold(one.measurement, one.audit):
        yield f"- caveat: {machine(caveat.code)} {text(caveat.message)}"
