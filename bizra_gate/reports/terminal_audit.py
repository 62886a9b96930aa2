"""`audit` for people: a page that could be pasted into a review."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from ..model import Measurement, Metric
from . import wording, wording_audit
from .inputs import AuditedMeasurement, worst_verdict
from .terminal import findings, label, scope
from .terminal_page import Page, fit


def render(audited: tuple[AuditedMeasurement, ...], width: int = 80, color: bool = False, unicode: bool = True) -> str:
    """Verdict and main reason first; then what was understood, findings, figures, and what nobody could look at."""
    page = Page(width, color, unicode)
    if len(audited) != 1:
        worst = worst_verdict(audited)
        page.put(Text.assemble(page.verdict(worst), page.words(f" · {wording.count(len(audited), 'measurement')}")))
        for one in audited:
            page.put(Text.assemble(page.verdict(one.audit.verdict), page.words(f" · {title(one)}")), 2, 2)
    for one in audited:
        if len(audited) != 1:
            page.blank()
        _one(page, one)
    return page.text()


def title(one: AuditedMeasurement) -> str:
    """File, and the measurement's name within it."""
    return f"{one.file} · {one.measurement.name}" if one.measurement.name else one.file


def _one(page: Page, one: AuditedMeasurement) -> None:
    verdict = page.verdict(one.audit.verdict)
    page.put(Text.assemble(verdict, page.words(f" · {wording_audit.audit_reason(one.audit)}")), hang=2)
    label(page, "File", page.words((title(one), "strong")))
    understood(page, one.measurement)
    findings(page, one.audit)
    metrics(page, one.metrics)
    scope(page, one.audit)
    for sentence in one.measurement.blind:
        label(page, "Blind", page.words(sentence))
    for caveat in wording_audit.untold(one.measurement, one.audit):
        label(page, "Caveat", page.words(f"{caveat.message} ({caveat.code})"))


def understood(page: Page, said: Measurement) -> None:
    """Who measured what, how, for how long; and what a person stated on the command line."""
    label(page, "Tool", page.words(wording_audit.tool(said)))
    label(page, "Load", page.words(wording_audit.load(said)))
    if said.stated:
        stated = ", ".join(f"{name} {value}" for name, value in said.stated.items())
        label(page, "Stated", page.words(f"by the person, not by the file: {stated}"))


def metrics(page: Page, measured: Mapping[str, Metric]) -> None:
    """Each figure, recomputed, with its interval, n and how the interval was made."""
    if not measured:
        return
    kept, repeated = wording_audit.distinct(measured)
    names = ("figure", "estimate [95 % interval]", "n", "interval by")
    header = tuple(page.words((name, "dim")) for name in names)
    rows = [
        (
            page.words(metric.name),
            page.words(wording_audit.metric_cell(metric)),
            page.words("—" if metric.n is None else f"{metric.n:,}"),
            page.words((metric.method or "", "dim")),
        )
        for metric in kept
    ]
    widths = fit([header, *rows], page.width - 2, ((3, 12), (1, 20), (0, 12), (2, 6)))
    page.table([header, *rows], widths, frozenset({2}), 2)
    if repeated:
        page.say((repeated, "dim"), indent=2)
