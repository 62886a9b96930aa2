"""`compare` for people: a table in the style of benchstat, with a verdict for each metric."""

from __future__ import annotations

from itertools import groupby

from rich.text import Text

from . import wording_audit, wording_compare
from .inputs import ComparedPair, Comparison
from .terminal_page import Page, fit


def render(compared: Comparison, width: int = 80, color: bool = False, unicode: bool = True) -> str:
    """The worst verdict first, then a table for each pair of measurements."""
    page = Page(width, color, unicode)
    page.put(
        Text.assemble(_verdict(page, compared.verdict), page.words(f" · {wording_compare.compared(compared)}")), hang=2
    )
    page.say((wording_compare.margin(compared), "dim"), indent=2)
    if compared.signatures:
        page.say((compared.signatures, "dim"), indent=2)
    for note in compared.notes:
        page.say(f"! {note}", indent=2, hang=2)
    for pair in compared.pairs:
        _pair(page, pair)
    return page.text()


def _verdict(page: Page, verdict: str) -> Text:
    return page.verdict(verdict, wording_compare.COMPARE_WORDS[verdict])


def _pair(page: Page, pair: ComparedPair) -> None:
    page.blank()
    page.rule(page.words((pair.name, "strong")))
    for side, audit in (("base", pair.base_audit), ("head", pair.head_audit)):
        if audit is not None and audit.verdict != "VALID":
            said = page.words(f" {side}: {wording_audit.audit_reason(audit)}")
            page.put(Text.assemble(page.verdict(audit.verdict), said), 2, 2)
    for note in pair.notes:
        page.say(f"! {note}", indent=2, hang=2)
    header = tuple(page.words((name, "dim")) for name in ("verdict", "metric", "base", "head", "head / base", "n"))
    rows = [
        (
            _verdict(page, row.verdict),
            page.words(row.metric),
            page.words(wording_compare.compared_cell(row.base)),
            page.words(wording_compare.compared_cell(row.head)),
            page.words(wording_compare.ratio(row)),
            page.words(wording_compare.processes(row)),
        )
        for row in pair.rows
    ]
    widths = fit([header, *rows], page.width - 2, ((4, 16), (1, 11), (2, 9), (3, 9), (5, 3)))
    page.table([header], widths, frozenset({2, 3}), 2)
    paired = list(zip(map(wording_compare.compare_reason, pair.rows), pair.rows, rows, strict=True))
    for (reason, verdict), group in groupby(paired, key=lambda one: (one[0], one[1].verdict)):
        page.table([cells for _, _, cells in group], widths, frozenset({2, 3}), 2)
        if reason and verdict != "same":
            page.say((reason, "dim"), indent=4)
