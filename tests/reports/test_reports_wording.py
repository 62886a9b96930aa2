"""What a reader in a hurry has to be told, whichever format is read."""

from __future__ import annotations

import dataclasses
import html

import pytest
import reports_builders as builders

from bizra_gate.model import Metric, Reason, Report, Trust
from bizra_gate.reports import REPORTERS, wording

LOOSENED = "gates/x.toml: check p99: pass is loosened: 1 ms to 2 ms."
LAX = "The policy is laxer than the default: min_duration 3 s instead of 2 min."


def told() -> Report:
    """A report on a gate with a lax policy, which the head loosens."""
    passed = builders.gate("x", "SHIP", (builders.P99,), score=1.0, notes=(LAX,))
    return dataclasses.replace(builders.report(passed, grade="A+", why="A+: 1 of 1 check passes."), notes=(LOOSENED,))


@pytest.mark.parametrize("kind", sorted(REPORTERS))
def test_no_format_hides_that_the_head_loosens_its_gate_or_that_a_policy_is_lax(kind: str) -> None:
    said = " ".join(REPORTERS[kind](told()).replace("\\", "").replace("%3A", ":").split())
    assert LOOSENED in said
    assert LAX in said


def test_a_comment_says_how_many_notes_it_leaves_out() -> None:
    many = dataclasses.replace(told(), notes=tuple(f"change {at}" for at in range(25)))
    assert "and 5 more notes" in REPORTERS["markdown"](many)


@pytest.mark.parametrize("kind", sorted(REPORTERS))
def test_no_format_hides_a_change_of_what_judges(kind: str) -> None:
    report = builders.changed()
    said = REPORTERS[kind](report).replace("\\", "").replace("&#8203;", "").replace("\u200b", "").replace("%25", "%")
    said = "".join(html.unescape(said).split())
    for change in report.changes:
        assert "".join(str(change).split()) in said
    assert said.index("check p99: pass".replace(" ", "")) < said.index("measure.target")


def test_a_reason_that_several_checks_share_is_told_once() -> None:
    short = Reason("binding.plan", "another plan: runs is 1, the gate asks 5", "another plan")
    lost = builders.evidence("checkout", Trust(False, (short,)), None)
    refused = tuple(
        dataclasses.replace(check, verdict="untrusted", reason="artifacts/checkout.json is not trusted: another plan.")
        for check in (builders.THROUGHPUT, builders.ERRORS)
    )
    report = builders.report(builders.gate("checkout", "UNTRUSTED", refused, (lost,)), why="no grade")
    for kind in ("terminal", "markdown", "html"):
        said = " ".join(REPORTERS[kind](report).split())
        assert said.count("runs is 1, the gate asks 5") == 1
        assert said.count("is not trusted: another plan") == 1


@pytest.mark.parametrize("kind", ["terminal", "markdown", "html", "github"])
def test_the_grade_is_said_once_before_its_reason(kind: str) -> None:
    said = REPORTERS[kind](told())
    assert "1 of 1 check passes." in said
    assert "A+: 1 of" not in said


def test_a_headline_names_what_decides_and_not_what_a_quorum_excuses() -> None:
    lost = builders.evidence("asia", Trust(False, (Reason("missing", "does not exist"),)), None, missing=True)
    doubt = "There is no baseline git:main: x is not in main yet. latency.p99 is 1.1 ms: it meets <= 2 ms."
    unsure = dataclasses.replace(builders.P99, verdict="missing", reason=doubt)
    beside = dataclasses.replace(unsure, id="x", severity="should", reason="beside the point")
    gate = builders.gate("x", "INCONCLUSIVE", (beside, unsure), (lost,))
    said = wording.headline(builders.report(gate))
    assert said.startswith("x: latency.p99: there is no baseline git:main: x is not in main yet (+1 more)")
    forged = builders.evidence("eu", Trust(False, (Reason("signature.invalid", "forged"),)), None)
    gate = builders.gate("x", "UNTRUSTED", (unsure,), (lost, forged))
    assert wording.headline(builders.report(gate)) == "x: forged"


def test_where_an_earlier_measurement_decides_the_headline_says_how_they_compare() -> None:
    why = "Against last-shipped it is 1.51 times as much (5 runs against 5): surely more than 5 % worse. p99 meets."
    failed = dataclasses.replace(
        builders.P99, verdict="fail", reason=why, baseline=Metric("latency.p99", "ns", "lower", 1e6)
    )
    said = wording.headline(builders.report(builders.gate("x", "NO-SHIP", (failed,))))
    assert said.startswith("x: latency.p99: against last-shipped it is 1.51 times as much")
    assert said.endswith("surely more than 5 % worse")


def test_a_check_that_repeats_what_is_told_of_its_evidence_is_no_further_reason() -> None:
    lost = builders.evidence("x", Trust(False), None, missing=True)
    repeats = dataclasses.replace(builders.P99, verdict="missing", reason=f"{lost.file} is missing: bench it.")
    said = wording.gate_reason(builders.gate("x", "INCONCLUSIVE", (repeats, repeats), (lost,)))
    assert said == "artifacts/x.json is missing"


def test_what_the_gate_file_says_of_each_check_is_told_with_its_name_where_they_share_a_reason() -> None:
    one, two = (
        dataclasses.replace(
            builders.P99, id=name, verdict="inconclusive", reason="too few", why=f"why {name}", owner=None
        )
        for name in ("a", "b")
    )
    said = REPORTERS["terminal"](builders.report(builders.gate("x", "INCONCLUSIVE", (one, two))))
    assert said.count("too few") == 2, "once in the first line, once below the rows"
    assert "why (a): why a" in said
    assert "why (b): why b" in said


def test_several_pieces_of_evidence_with_the_same_audit_have_it_told_once() -> None:
    pieces = (builders.evidence("eu"), builders.evidence("us"))
    said = REPORTERS["terminal"](builders.report(builders.gate("x", "SHIP", (builders.P99,), pieces)))
    assert said.count("Clean") == 1


@pytest.mark.parametrize(("n", "said"), [(1, "1 of 1 check passes"), (2, "2 of 2 checks pass")])
def test_one_check_passes_and_two_pass(n: int, said: str) -> None:
    assert wording.tally(builders.gate("x", "SHIP", (builders.P99,) * n)) == said


def test_notes_are_counted_in_the_plural() -> None:
    note = dataclasses.replace(builders.LITTLE, severity="note")
    assert wording.severities([note]) == "1 note"
    assert wording.severities([note, note]) == "2 notes"


def test_evidence_that_a_quorum_excuses_is_told_and_makes_nothing_red() -> None:
    nothing = Trust(False, (Reason("missing", "artifacts/asia.json does not exist"),))
    pieces = (builders.evidence("eu"), builders.evidence("asia", nothing, None, missing=True))
    shipped = builders.report(builders.gate("x", "SHIP", (builders.P99,), pieces))
    for kind in ("junit", "sarif", "github"):
        said = REPORTERS[kind](shipped)
        assert "artifacts/asia.json does not exist" in said
        assert not any(red in said for red in ("<error", "<failure", '"error"', "::error"))
