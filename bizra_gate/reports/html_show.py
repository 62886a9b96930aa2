"""`show` as one HTML file: figures with their intervals, findings, plots."""

from __future__ import annotations

from collections.abc import Iterator

from . import html_figures, wording, wording_audit
from .html import audit_scope, finding
from .html_page import code, folded, items, marked, page, para, table, word
from .inputs import Shown
from .neutral import markup
from .wording import tone


def render(shown: Shown) -> str:
    """One artifact as a self-contained document."""
    name = shown.measurement.name or shown.file
    css = tone(shown.audit.verdict) if shown.audit else "unsure"
    return page(f"{name}: {shown.file}", css, list(_head(shown, name)), list(_body(shown)))


def _head(shown: Shown, name: str) -> Iterator[str]:
    verdict = word(shown.audit.verdict) if shown.audit else marked("unsure", "?", "not audited")
    yield f"<h1>{verdict} · {markup(name)}</h1>"
    if shown.audit is not None:
        yield para(wording_audit.audit_reason(shown.audit))
    yield f"<p>{code(shown.file)} <span class='soft'>{markup(wording_audit.tool(shown.measurement))}</span></p>"
    yield para(wording_audit.load(shown.measurement))
    yield f"<p>{_trust(shown)}</p>"
    yield from items(markup(reason.message) for reason in (shown.trust.reasons if shown.trust else ()))
    yield from items(markup(note) for note in shown.notes)


def _trust(shown: Shown) -> str:
    if shown.trust is None:
        return marked("unsure", "?", "signature not checked here")
    symbol, said = ("✓", "trusted") if shown.trust.ok else ("✗", "UNTRUSTED")
    names = ", ".join(code(one) for one in wording.named(shown.trust.signed_by, shown.trust.owners))
    mark = marked(wording.TONES[symbol], symbol, said)
    return f"{mark}, signed by {names}" if names else mark


def _body(shown: Shown) -> Iterator[str]:
    css = tone(shown.audit.verdict) if shown.audit else "unsure"
    yield f'<article class="{css}">'
    if shown.audit is not None:
        yield from items(finding(one) for one in wording.sorted_findings(shown.audit.findings))
    yield from _figures_table(shown)
    caveats = [f"caveat {code(one.code)} {markup(one.message)}" for one in shown.measurement.caveats]
    blind = [markup(sentence) for sentence in shown.measurement.blind]
    scope = audit_scope(shown.audit) if shown.audit else []
    digest = [f"sha256 {code(shown.sha256)}"] if shown.sha256 else []
    yield from folded("Digest, rules that found nothing, and what could not be looked at",
                      items([*digest, *scope, *caveats, *blind]))  # fmt: skip
    yield from html_figures.render(html_figures.of_measurement(shown.measurement))
    yield "</article>"


def _figures_table(shown: Shown) -> list[str]:
    kept, repeated = wording_audit.distinct(shown.metrics)
    rows = [
        (
            markup(metric.name),
            markup(wording_audit.metric_cell(metric)),
            "—" if metric.n is None else f"{metric.n:,}",
            markup(metric.method or ""),
        )
        for metric in kept
    ]
    if not rows:
        return []
    names = ("figure", "estimate [interval]", "n", "interval by")
    note = [para(repeated, "soft")] if repeated else []
    return ["<h2>Figures</h2>", *table("Figures", names, rows, frozenset({2})), *note]
