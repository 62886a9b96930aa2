"""`verify` as a pull-request comment: the verdict first, details folded, always under 64 KiB.

GitHub refuses a longer comment. The worst gates come first and in full, for the others a line each is kept free, and
where even that is too much a sentence says how many were left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from ..model import Audit, Change, CheckReport, EvidenceReport, GateReport, Report
from . import wording
from .neutral import code
from .neutral import markdown as plain

BUDGET_BYTES = 60_000
"""Below 65,536 with room for the sentence about what was left out."""
MOST_NOTES = 20
WHOLE = 34
"""Most characters of a cell that is kept on one line."""
FIELD = 600
"""Most characters of one field in a comment."""


def render(report: Report, budget_bytes: int = BUDGET_BYTES) -> str:
    """The report as GitHub-flavoured Markdown of at most `budget_bytes` bytes and a sentence."""
    head = "\n".join(_head(report)) + "\n"
    gates = wording.worst_first(report)
    lines = [_brief(gate) for gate in gates]
    kept, room = [head], budget_bytes - size(head)
    rest = sum(size(line) + 1 for line in lines)
    for at, (gate, short) in enumerate(zip(gates, lines, strict=True)):
        rest -= size(short) + 1
        reserved = min(rest, budget_bytes // 2)
        full = "\n".join(_gate(gate)) + "\n" if reserved + 500 < room else ""
        block = full if full and size(full) + reserved < room else short
        if size(block) >= room:
            kept.append(_left_out(len(gates) - at))
            break
        kept.append(block)
        room -= size(block) + 1
    return "\n".join(kept)


def size(text: str) -> int:
    """Bytes of `text` in UTF-8."""
    return len(text.encode("utf-8", "replace"))


def _left_out(gates: int) -> str:
    more = wording.count(gates, "more gate")
    return f"**{more} left out** to stay under 64 KiB; `--format html` or `--format json` has everything.\n"


def _head(report: Report) -> list[str]:
    symbol = wording.SYMBOLS[report.verdict]
    words = wording.verdict_words(report.verdict)
    why = text(wording.headline(report))
    reason = wording.grade_reason(report)
    lines = [f"## {symbol} {words} · {text(wording.grade(report))} · {why}", ""]
    judged = text(f"{wording.totals(report)} · judged {report.judged_at} · exit code {report.exit_code}")
    lines.append(judged)
    if reason and reason != wording.headline(report):
        lines.append(f"<br>{text(report.grade_reason)}")
    return [*lines, "", *notes(report.notes), *_changes(report.changes)]


def _changes(changes: tuple[Change, ...]) -> list[str]:
    """What the head changes in what judges: what loosens in sight, the rest folded."""
    if not changes:
        return []
    loose = [_change(change) for change in changes if change.loosens is True]
    rest = [_change(change) for change in changes if change.loosens is not True]
    lines = [f"- {wording.changes_total(changes)}", *_few(loose, "change", "  ")]
    return [*lines, "", *folded("Changes that do not loosen, or not surely", _few(rest, "change"))] if rest else lines


def _change(change: Change) -> str:
    return f"- **{wording.effect(change)}** {text(str(change))}"


def _few(lines: list[str], noun: str, indent: str = "") -> list[str]:
    """The first of many lines, and how many more there are."""
    left = len(lines) - MOST_NOTES
    more = [f"- … and {wording.count(left, f'more {noun}')}; `--format json` has them all"] if left > 0 else []
    return [f"{indent}{line}" for line in (*lines[:MOST_NOTES], *more)]


def notes(said: tuple[str, ...]) -> list[str]:
    """A list of notes; where there are too many for a comment, it says how many are missing."""
    return _few([f"- {text(note)}" for note in said], "note")


def text(said: object) -> str:
    """Words in a comment: no markup, at most `FIELD` characters."""
    return plain(said, FIELD)


def machine(said: object) -> str:
    """A name, path or code in a comment."""
    return code(said, FIELD)


def _brief(gate: GateReport) -> str:
    return f"- {wording.SYMBOLS[gate.verdict]} {gate.verdict} · {machine(gate.name)} · {text(wording.tally(gate))}\n"


def _gate(gate: GateReport) -> list[str]:
    symbol = wording.SYMBOLS[gate.verdict]
    lines = [
        f"### {symbol} {text(gate.name)}: {wording.verdict_words(gate.verdict)}",
        "",
        f"> {text(gate.claim)}",
        "",
        *check_table(gate.checks),
        "",
        *reason_list(gate.checks),
        *_serious(gate),
        "",
    ]
    details = list(_details(gate))
    return [*lines, *folded(f"Evidence, rules and reasons of {text(gate.name)}", details)]


def folded(summary: str, lines: list[str]) -> list[str]:
    """`lines` behind a summary that opens on a click."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>"]


def check_table(checks: tuple[CheckReport, ...]) -> list[str]:
    """A row for each check; the reasons stand below, see `reason_list`."""
    if not checks:
        return ["No checks: a gate without checks is never a pass."]
    return table(
        ("check", "metric", "limit", "measured, interval", "n"),
        [
            (
                whole(f"{wording.SYMBOLS[check.verdict]} {check.verdict}"),
                whole(machine(wording.check_label(check))),
                whole(machine(wording.limit_text(check))),
                whole(text(wording.cell(check))),
                "—" if check.n is None else f"{check.n:,}",
            )
            for check in checks
        ],
    )


def reason_list(checks: tuple[CheckReport, ...]) -> list[str]:
    """Why checks did not pass, or how those with a baseline compare; neighbours with one reason share a line.

    A list, because a column would be folded to a few letters beside five others.
    """
    said = ((check, wording.shown_reason(check)) for check in checks)
    lines = []
    for (reason, verdict), group in groupby(said, key=lambda pair: (pair[1], pair[0].verdict)):
        names = ", ".join(machine(wording.check_label(check)) for check, _ in group)
        if reason:
            lines.append(f"- {wording.SYMBOLS[verdict]} {verdict}: {names}: {text(reason)}")
    return lines


def table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table of cells that are already escaped; what is counted stands on the right."""
    rule = "".join(" ---: |" if name == "n" else " --- |" for name in names)
    return [f"| {' | '.join(names)} |", f"|{rule}", *(f"| {' | '.join(row)} |" for row in rows)]


def whole(cell: str) -> str:
    """A short cell without a blank to break at: beside a long reason the browser would fold it to a word a line."""
    return cell.replace(" ", "\u00a0") if len(cell) <= WHOLE else cell


def _serious(gate: GateReport) -> list[str]:
    """What must be read without a click: why evidence is not trusted, and why it is not believed."""
    lines = []
    for item in gate.evidence:
        if not item.trust.ok:
            lines += [f"- ✗ {machine(item.file)}: {text(reason.message)}" for reason in item.trust.reasons]
        if item.audit is not None:
            lines += _findings(item.audit, lambda severity: severity != "note")
    return lines


def _findings(audit: Audit, wanted: Callable[[str], bool]) -> list[str]:
    return [
        f"- {wording.SYMBOLS[one.severity]} {one.severity}: {machine(one.code)} {text(one.message)}"
        + (f" *{text(wording.figures(one))}*" if wording.figures(one) else "")
        for one in wording.sorted_findings(audit.findings)
        if wanted(one.severity)
    ]


def _details(gate: GateReport) -> Iterable[str]:
    yield f"- gate {machine(gate.file)}, sha256 {machine(gate.sha256)}"
    for note in gate.notes:
        yield f"- {text(note)}"
    for item in gate.evidence:
        yield from _evidence(item)
    controls = sorted({control for check in gate.checks for control in check.controls})
    if controls:
        yield f"- controls: {', '.join(machine(control) for control in controls)}"


def _evidence(item: EvidenceReport) -> Iterable[str]:
    trust = " ".join(wording.trust_words(item))
    signed = "".join(f", signed by {machine(one)}" for one in wording.signers(item))
    yield f"- {machine(item.file)}: {text(wording.origin(item))}; {trust}{signed}"
    if item.sha256:
        yield f"  - sha256 {machine(item.sha256)}"
    if item.audit is None:
        return
    yield f"  - {' '.join(wording.audit_words(item.audit.verdict))}"
    yield from (f"  {one}" for one in _findings(item.audit, lambda severity: severity == "note"))
    if item.audit.clean:
        yield f"  - clean: {', '.join(machine(rule) for rule in item.audit.clean)}"
    for rule, why in item.audit.not_applicable.items():
        yield f"  - could not look: {machine(rule)} {text(why)}"
