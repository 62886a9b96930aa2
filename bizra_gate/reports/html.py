"""`verify` as one HTML file: the verdict, a card for each gate, plots of the measurements that its evidence holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model import Audit, Change, CheckReport, EvidenceReport, Finding, GateReport, Measurement, Report
from . import html_figures, plots, wording, wording_audit
from .html_figures import Figure
from .html_page import code, folded, items, marked, page, para, short, table, word
from .neutral import markup
from .wording import tone


def render(report: Report, measurements: Mapping[str, Measurement] | None = None) -> str:
    """The report as a self-contained document; `measurements` (evidence file → measurement) adds the plots."""
    known = measurements or {}
    verdict = wording.verdict_words(report.verdict)
    gates = wording.worst_first(report)
    body = [line for at, gate in enumerate(gates) for line in _gate(gate, f"gate-{at}", known)]
    return page(f"{verdict}, {wording.grade(report)}", tone(report.verdict), list(_head(report, gates)), body)


def _head(report: Report, gates: list[GateReport]) -> Iterator[str]:
    verdict = word(report.verdict, wording.verdict_words(report.verdict))
    yield f"<h1>{verdict} · {markup(wording.grade(report))}</h1>"
    yield para(wording.headline(report))
    if wording.grade_reason(report) not in ("", wording.headline(report)):
        yield para(report.grade_reason, "soft")
    yield para(f"{wording.totals(report)} · judged {report.judged_at} · exit code {report.exit_code}", "soft")
    yield from items(markup(note) for note in report.notes)
    if report.changes:
        yield para(wording.changes_total(report.changes))
        yield from items(_change(change) for change in report.changes)
    if len(gates) > 1:
        yield '<nav aria-label="Gates">'
        yield from items(
            f'{word(gate.verdict)} <a href="#gate-{at}">{markup(gate.name)}</a> '
            f'<span class="soft">{markup(wording.tally(gate))}</span>'
            for at, gate in enumerate(gates)
        )
        yield "</nav>"


def _change(change: Change) -> str:
    said = wording.effect(change)
    mark = marked("bad", "!", said) if change.loosens is True else markup(said)
    return f"{mark}: {markup(str(change))}"


def _gate(gate: GateReport, anchor: str, measurements: Mapping[str, Measurement]) -> Iterator[str]:
    yield f'<article id="{anchor}" class="{tone(gate.verdict)}">'
    yield f"<h2>{word(gate.verdict, wording.verdict_words(gate.verdict))} {markup(gate.name)}</h2>"
    yield f"<blockquote>{markup(gate.claim)}</blockquote>"
    for item in gate.evidence:
        yield from _evidence(item)
    yield "<h3>Checks</h3>"
    yield from check_table(gate.checks)
    yield from items(markup(note) for note in gate.notes)
    yield from _scope(gate)
    figures = [one for item in gate.evidence for one in _figures(item, gate.checks, measurements)]
    yield from html_figures.render([*figures, *_baselines(gate.checks)])
    yield "</article>"


def _evidence(item: EvidenceReport) -> Iterator[str]:
    yield f"<p>{code(item.file)} <span class='soft'>{markup(wording.origin(item))}</span></p>"
    symbol, trusted = wording.trust_words(item)
    signed = ", ".join(code(one) for one in wording.signers(item))
    said = marked(wording.TONES[symbol], symbol, trusted)
    audited = word(item.audit.verdict, f"audit {item.audit.verdict}") if item.audit else ""
    yield f"<p>{said}{f', signed by {signed}' if signed else ''}</p>"
    yield from items(markup(reason.message) for reason in item.trust.reasons)
    if audited:
        yield f"<p>{audited}</p>"
    if item.audit is not None:
        yield from items(finding(one) for one in wording.sorted_findings(item.audit.findings))


def finding(one: Finding) -> str:
    """Severity, code, sentence, and the figures below."""
    said = wording.figures(one)
    figures = f'<br><span class="soft">{markup(said)}</span>' if said else ""
    return f"{word(one.severity)} {code(one.code)} {markup(one.message)}{figures}"


def check_table(checks: tuple[CheckReport, ...]) -> list[str]:
    """A row for each check, with its reason where it did not pass."""
    if not checks:
        return [para("None: a gate without checks is never a pass.")]
    rows = [
        (
            word(check.verdict),
            short(wording.check_label(check)),
            short(wording.limit_text(check)),
            short(wording.cell(check)),
            "—" if check.n is None else f"{check.n:,}",
            markup(reason),
        )
        for check, reason in zip(checks, wording.reasons(checks), strict=True)
    ]
    names = ("check", "metric", "limit", "measured [interval]", "n", "why")
    return table("Checks", names, rows, frozenset({4}))


def _scope(gate: GateReport) -> list[str]:
    lines = [f"gate {code(gate.file)} sha256 {code(gate.sha256)}"]
    for item in gate.evidence:
        if item.sha256:
            lines.append(f"evidence {code(item.file)} sha256 {code(item.sha256)}")
        if item.audit is not None:
            lines += audit_scope(item.audit)
    controls = sorted({control for check in gate.checks for control in check.controls})
    if controls:
        lines.append(f"controls {', '.join(code(control) for control in controls)}")
    return folded("Digests, rules that found nothing, and what could not be looked at", items(lines))


def audit_scope(audit: Audit) -> list[str]:
    """Rules that found nothing, and rules that could not look."""
    lines = [f"clean: {', '.join(code(rule) for rule in audit.clean)}"] if audit.clean else []
    return [*lines, *(f"could not look: {code(rule)} {markup(why)}" for rule, why in audit.not_applicable.items())]


def _figures(
    item: EvidenceReport, checks: tuple[CheckReport, ...], measurements: Mapping[str, Measurement]
) -> list[Figure]:
    measurement = measurements.get(item.file)
    return [] if measurement is None else html_figures.of_measurement(measurement, checks)


def _baselines(checks: tuple[CheckReport, ...]) -> list[Figure]:
    """Every check with a baseline, as the ratio that was judged, with its interval."""
    found = [(check, check.compared) for check in checks if check.compared is not None]
    if not found:
        return []
    margins = {compared.margin for _, compared in found}
    margin = margins.pop() if len(margins) == 1 else None
    told = f" Up to {margin * 100:g} % worse is accepted." if margin else ""
    drawn = [(check.metric, plots.Ratio(one.ratio, one.low, one.high)) for check, one in found]
    return [
        Figure(
            "Against the baseline",
            f"Means over processes, each over its baseline's, with the interval of the ratio.{told}",
            lambda: plots.ratio_plot(drawn, margin),
            ("metric", "baseline", "now", "ratio"),
            tuple(
                (
                    check.metric,
                    wording_audit.metric_cell(check.baseline) if check.baseline else "—",
                    wording.cell(check),
                    f"{one.ratio:.4g} {wording.bounds(one.ratio, (one.low, one.high), '1')}".strip(),
                )
                for check, one in found
            ),
        )
    ]
