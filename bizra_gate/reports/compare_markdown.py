"""`compare` as Markdown for a pull-request comment, under 64 KiB."""

from __future__ import annotations

from collections.abc import Iterable

from . import wording, wording_audit, wording_compare
from .inputs import ComparedPair, Comparison
from .markdown import BUDGET_BYTES, machine, notes, size, table, text, whole


def render(compared: Comparison, budget_bytes: int = BUDGET_BYTES) -> str:
    """The worst verdict first, then a table for each pair."""
    symbol, word = wording.SYMBOLS[compared.verdict], wording_compare.COMPARE_WORDS[compared.verdict]
    head = [
        f"## {symbol} {word} · {text(wording_compare.compared(compared))}",
        "",
        text(wording_compare.margin(compared)),
        "",
        *((text(compared.signatures), "") if compared.signatures else ()),
    ]
    head += notes(compared.notes)
    parts = ["\n".join(head) + "\n"]
    room = budget_bytes - size(parts[0])
    for at, pair in enumerate(compared.pairs):
        block = "\n".join(_pair(pair)) + "\n"
        if size(block) > room:
            left = wording.count(len(compared.pairs) - at, "more comparison")
            parts.append(f"**{left} left out** to stay under 64 KiB; `--format json` has everything.\n")
            break
        parts.append(block)
        room -= size(block)
    return "\n".join(parts)


def _pair(pair: ComparedPair) -> Iterable[str]:
    yield f"### {text(pair.name)}"
    yield ""
    for side, audit in (("base", pair.base_audit), ("head", pair.head_audit)):
        if audit is not None and audit.verdict != "VALID":
            why = text(wording_audit.audit_reason(audit))
            yield f"- {wording.SYMBOLS[audit.verdict]} {audit.verdict} {side}: {why}"
    yield from (f"- ! {text(note)}" for note in pair.notes)
    yield ""
    yield from table(
        ("verdict", "metric", "base", "head", "head / base", "n", "why"),
        [
            (
                whole(f"{wording.SYMBOLS[row.verdict]} {wording_compare.COMPARE_WORDS[row.verdict]}"),
                machine(row.metric),
                whole(text(wording_compare.compared_cell(row.base))),
                whole(text(wording_compare.compared_cell(row.head))),
                whole(text(wording_compare.ratio(row))),
                wording_compare.processes(row),
                text(wording_compare.compare_reason(row)),
            )
            for row in pair.rows
        ],
    )
