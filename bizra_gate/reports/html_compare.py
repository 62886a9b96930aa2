"""`compare` as one HTML file: a table and a plot of ratios for each pair."""

from __future__ import annotations

from collections.abc import Iterator

from . import html_figures, plots, wording_audit, wording_compare
from .html_figures import Figure
from .html_page import items, page, para, short, table, word
from .inputs import ComparedPair, Comparison
from .neutral import markup
from .wording import tone


def render(compared: Comparison) -> str:
    """The comparison as a self-contained document."""
    verdict = wording_compare.COMPARE_WORDS[compared.verdict]
    head = [
        f"<h1>{word(compared.verdict, verdict)}</h1>",
        para(wording_compare.compared(compared)),
        para(wording_compare.margin(compared), "soft"),
        *((para(compared.signatures, "soft"),) if compared.signatures else ()),
        *items(markup(note) for note in compared.notes),
    ]
    body = [line for pair in compared.pairs for line in _pair(pair, compared.margin)]
    return page(f"{verdict}: {compared.head} against {compared.base}", tone(compared.verdict), head, body)


def _pair(pair: ComparedPair, margin: float) -> Iterator[str]:
    yield f'<article class="{tone(pair.verdict)}"><h2>{markup(pair.name)}</h2>'
    for side, audit in (("base", pair.base_audit), ("head", pair.head_audit)):
        if audit is not None and audit.verdict != "VALID":
            yield f"<p>{word(audit.verdict)} {side}: {markup(wording_audit.audit_reason(audit))}</p>"
    yield from items(markup(note) for note in pair.notes)
    names = ("verdict", "metric", "base", "head", "head / base", "n", "why")
    rows = [
        (
            word(row.verdict, wording_compare.COMPARE_WORDS[row.verdict]),
            markup(row.metric),
            short(wording_compare.compared_cell(row.base)),
            short(wording_compare.compared_cell(row.head)),
            short(wording_compare.ratio(row)),
            markup(wording_compare.processes(row)),
            markup(wording_compare.compare_reason(row)),
        )
        for row in pair.rows
    ]
    yield from table("Comparison", names, rows)
    yield from html_figures.render(_figure(pair, margin))
    yield "</article>"


def _figure(pair: ComparedPair, margin: float) -> list[Figure]:
    drawn = [(row.metric, plots.Ratio(row.ratio, row.low, row.high)) for row in pair.rows if row.ratio is not None]
    if not drawn:
        return []
    return [
        Figure(
            "Head over base",
            f"Ratio of each figure with its interval; within {margin * 100:g} % of 1 counts as the same.",
            lambda: plots.ratio_plot(drawn, margin),
            ("metric", "ratio"),
            tuple((row.metric, wording_compare.ratio(row)) for row in pair.rows),
        )
    ]
