"""An audit's page says each thing once, and breaks no word that has room."""

from __future__ import annotations

from rich.text import Text

from bizra_gate.audit import examine
from bizra_gate.model import Caveat, Figure, Latency, Measurement, Policy, Source
from bizra_gate.reports import audit_markdown, terminal_audit
from bizra_gate.reports.inputs import AuditedMeasurement
from bizra_gate.reports.terminal_page import fit
from bizra_gate.stats.summary import summarize


def audited(latency: Latency, *caveats: Caveat) -> tuple[AuditedMeasurement, ...]:
    said = Measurement(Source("wrk"), loop="closed", operations=9_000, latency=latency, caveats=caveats)
    return (AuditedMeasurement("run.txt", said, examine(said, Policy()), summarize(said)),)


def test_a_quirk_of_a_tool_is_told_once_and_the_tool_is_named_once() -> None:
    quirk, other = Caveat("source.backfill", "wrk adds samples"), Caveat("plan.other", "something else")
    for page in (
        audit_markdown.render(audited(Latency(mean=Figure(2e6)), quirk, other)),
        terminal_audit.render(audited(Latency(mean=Figure(2e6)), quirk, other)),
    ):
        assert page.count("wrk adds samples") == 1
        assert "wrk: wrk" not in page
        assert "source.backfill" not in page
        assert page.count("something else") == 1


def test_every_percentile_says_how_its_tool_makes_it() -> None:
    ladder = tuple((p, Figure(2e6)) for p in (50.0, 97.5, 99.9))
    rows = audited(Latency(percentiles=ladder, percentile_method="hdr"))[0].metrics
    assert {rows[f"latency.p{p:g}"].method for p, _ in ladder} == {"as printed (hdr)"}


def test_a_column_gives_its_blanks_before_its_words() -> None:
    rows = [[Text("outcome.200.ratio"), Text("one two three four five six")]]
    assert fit(rows, 32, ((0, 12), (1, 6))) == [17, 13]
    assert fit(rows, 24, ((0, 12), (1, 6))) == [16, 6]
    assert fit(rows, 16, ((0, 12), (1, 6))) == [8, 6]
