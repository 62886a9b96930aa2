"""Which evidence may be looked at: trusted, fresh, of the right kind, enough of it, and each run once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gates_builders import (
    FORGED,
    GATE,
    HEAD,
    INSUFFICIENT,
    INVALID,
    KEY,
    NOW,
    P99,
    TRUSTED,
    absent,
    evidence,
    gate,
    metric,
    verdict,
)

from bizra_gate import gates
from bizra_gate.errors import UsageError
from bizra_gate.model import Gate, OpenedEvidence, Report


def asking(lines: str) -> Gate:
    return gate(f'{HEAD}[evidence]\nartifact = "artifacts/checkout.json"\n{lines}\n{P99}')


def codes(report: Report) -> list[str]:
    return [reason.code for piece in report.gates[0].evidence for reason in piece.trust.reasons]


# ── age, kind, signers ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("finished_at", "expected", "code"),
    [
        ("2026-11-21T04:00:00Z", "SHIP", None),
        ("2026-11-15T04:00:00Z", "SHIP", None),
        ("2026-11-15T03:59:59Z", "UNTRUSTED", "freshness.stale"),
        ("2026-11-22T04:04:59Z", "SHIP", None),
        ("2026-11-22T04:05:01Z", "UNTRUSTED", "freshness.future"),
        ("9999-12-31T23:59:59Z", "UNTRUSTED", "freshness.future"),
        ("2026-11-21T05:00:00+01:00", "SHIP", None),
        ("2026-11-21T04:00:00", "UNTRUSTED", "freshness.unreadable"),
        ("2026-11-21", "UNTRUSTED", "freshness.unreadable"),
        ("yesterday", "UNTRUSTED", "freshness.unreadable"),
        (None, "UNTRUSTED", "freshness.unknown"),
    ],
)
def test_evidence_is_neither_stale_nor_from_the_future(
    finished_at: str | None, expected: str, code: str | None
) -> None:
    report = verdict(asking('max_age = "7d"'), evidence(finished_at=finished_at))
    assert report.verdict == expected
    assert codes(report) == ([code] if code else [])


def test_a_gate_without_max_age_says_so_in_its_report() -> None:
    report = verdict(gate(), evidence(finished_at="2001-01-01T00:00:00Z"))
    assert report.verdict == "SHIP"
    assert any("no max_age" in note for note in report.gates[0].notes)


def test_evidence_of_another_kind_is_not_trusted() -> None:
    report = verdict(gate(), evidence(kind="ratio"))
    assert (report.verdict, codes(report)) == ("UNTRUSTED", ["binding.kind"])


def test_as_many_different_keys_sign_as_the_gate_asks() -> None:
    two = asking("signers = { threshold = 2 }")
    assert codes(verdict(two, evidence())) == ["signature.threshold"]
    assert codes(verdict(two, evidence(signed_by=(KEY, KEY)))) == ["signature.threshold"]
    assert verdict(two, evidence(signed_by=(KEY, "SHA256:another"))).verdict == "SHIP"


def test_evidence_that_nobody_signed_is_not_trusted_whatever_it_says() -> None:
    unsigned = evidence(signed_by=(), trust=replace(TRUSTED, signed_by=()))
    assert verdict(gate(), unsigned).verdict == "UNTRUSTED"


# ── several artifacts ────────────────────────────────────────────────────────────────────────────────────────────

THREE = '[evidence]\nartifacts = ["a.json", "b.json", "c.json"]\n'


def node(file: str, high: float = 1.1e6, **changes: object) -> OpenedEvidence:
    return evidence(metric(estimate=high - 1e5, interval=(high - 2e5, high)), file=file, **changes)


def three(quorum: str, *pieces: OpenedEvidence) -> Report:
    return verdict(gate(f"{HEAD}{THREE}{quorum}{P99}"), *pieces)


def test_several_artifacts_are_as_good_as_the_worst_of_them() -> None:
    report = three("", node("a.json"), node("b.json", 3e6), node("c.json"))
    assert report.verdict == "NO-SHIP"
    assert report.gates[0].checks[0].reason.startswith("Worst of 3, b.json: latency.p99 is 2.9 ms")


def test_all_artifacts_are_needed_where_no_quorum_is_given() -> None:
    assert three("", node("a.json"), node("b.json")).verdict == "INCONCLUSIVE"
    assert three("", node("a.json"), node("b.json"), node("c.json")).verdict == "SHIP"


def test_a_quorum_excuses_what_is_missing_or_insufficient() -> None:
    for third in (absent("c.json"), node("c.json", audit=INSUFFICIENT), node("c.json", audit=None)):
        report = three("quorum = 2\n", node("a.json"), node("b.json"), third)
        assert report.verdict == "SHIP"
        assert any("quorum of 2; not usable: c.json" in note for note in report.gates[0].notes)


def test_a_quorum_that_is_not_reached_is_inconclusive() -> None:
    assert three("quorum = 2\n", node("a.json"), absent("b.json"), absent("c.json")).verdict == "INCONCLUSIVE"


def test_a_quorum_excuses_neither_a_forgery_nor_an_impossible_number() -> None:
    assert three("quorum = 2\n", node("a.json"), node("b.json"), node("c.json", trust=FORGED)).verdict == "UNTRUSTED"
    assert three("quorum = 2\n", node("a.json"), node("b.json"), node("c.json", audit=INVALID)).verdict == "UNDER AUDIT"


def test_a_check_on_a_quorum_with_a_forgery_is_untrusted_itself() -> None:
    for third, expected in ((node("c.json", trust=FORGED), "untrusted"), (node("c.json", audit=INVALID), "refused")):
        report = three("quorum = 2\n", node("a.json"), node("b.json"), third)
        assert report.gates[0].checks[0].verdict == expected


def test_a_quorum_does_not_hide_the_artifact_that_fails() -> None:
    assert three("quorum = 2\n", node("a.json"), node("b.json"), node("c.json", 3e6)).verdict == "NO-SHIP"


def test_a_copy_of_an_artifact_is_no_second_piece_of_evidence() -> None:
    one = node("a.json", run_id="one run")
    report = three("quorum = 2\n", one, node("b.json", run_id="one run"), absent("c.json"))
    assert report.verdict == "UNTRUSTED"
    assert "binding.run_reused" in codes(report)


def test_merging_is_done_by_whom_it_is_handed_to() -> None:
    merged = gate(f'{HEAD}{THREE}aggregate = "merge"\n{P99}')
    pieces = [node("a.json"), node("b.json", 3e6), node("c.json")]

    def merge(several: object) -> OpenedEvidence:
        return evidence(metric(estimate=1.4e6, interval=(1.3e6, 1.5e6)))

    report = verdict(merged, *pieces, merge=merge)
    assert report.verdict == "SHIP"
    assert report.gates[0].checks[0].reason.startswith("Merged from 3 artifacts: latency.p99 is 1.4 ms")
    assert verdict(merged, *pieces).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("third", "expected"),
    [
        (absent("c.json"), "missing"),
        (node("c.json", trust=FORGED), "untrusted"),
        (node("c.json", audit=INVALID), "refused"),
        (node("c.json", audit=INSUFFICIENT), "inconclusive"),
    ],
)
def test_only_what_can_be_believed_is_merged(third: OpenedEvidence, expected: str) -> None:
    merged = gate(f'{HEAD}{THREE}aggregate = "merge"\n{P99}')

    def merge(several: object) -> OpenedEvidence:
        raise AssertionError("nothing may be merged here")

    report = verdict(merged, node("a.json"), node("b.json"), third, merge=merge)
    assert report.gates[0].checks[0].verdict == expected
    with_quorum = gate(f'{HEAD}{THREE}aggregate = "merge"\nquorum = 2\n{P99}')
    if expected in ("untrusted", "refused"):
        assert verdict(with_quorum, node("a.json"), node("b.json"), third, merge=merge).verdict != "SHIP"


def test_evidence_that_is_not_trusted_is_told_once() -> None:
    assert codes(verdict(asking('max_age = "7d"'), evidence(trust=FORGED, finished_at=None))) == ["signature.invalid"]


def test_evidence_that_is_not_required_may_be_missing_but_not_forged() -> None:
    text = (
        HEAD
        + '[[evidence]]\nname = "load"\nartifact = "a.json"\n'
        + '[[evidence]]\nname = "soak"\nartifact = "b.json"\nrequired = false\n'
        + f'{P99}evidence = "load"\n'
        + '[[check]]\nid = "soak"\nmetric = "latency.p99"\npass = "<= 3 ms"\nseverity = "should"\nevidence = "soak"\n'
    )
    assert verdict(gate(text), node("a.json"), node("b.json")).verdict == "SHIP"
    without = verdict(gate(text), node("a.json"))
    assert without.verdict == "SHIP"
    assert without.score == 0.5
    assert any("not required and could not be used: b.json" in note for note in without.gates[0].notes)
    assert verdict(gate(text), node("a.json"), node("b.json", trust=FORGED)).verdict == "UNTRUSTED"
    assert verdict(gate(text), node("a.json"), node("b.json", audit=INVALID)).verdict == "UNDER AUDIT"


def test_evidence_for_nobody_is_not_looked_at() -> None:
    assert verdict(gate(), evidence(), evidence(file="other.json", trust=FORGED)).verdict == "SHIP"


# ── one run, one gate ────────────────────────────────────────────────────────────────────────────────────────────


def two_gates(same_run_as: str = "") -> list[Gate]:
    other = GATE.replace('"checkout"', '"basket"')
    return [
        gate(),
        gate(other.replace("[[check]]", f"[evidence]\n{same_run_as}\n[[check]]", 1), file="gates/basket.toml"),
    ]


def both(judged: list[Gate], run_id: str | None = "one run", sha256: str = "11" * 32) -> Report:
    pieces = {
        "checkout": [evidence(run_id=run_id)],
        "basket": [evidence(file="artifacts/basket.json", run_id=run_id, sha256=sha256)],
    }
    return gates.evaluate(judged, pieces, NOW)


def test_one_run_does_not_serve_two_gates() -> None:
    report = both(two_gates())
    assert report.verdict == "UNTRUSTED"
    assert [one.verdict for one in report.gates] == ["UNTRUSTED", "UNTRUSTED"]
    assert "its run serves the gate basket too" in report.gates[0].evidence[0].trust.reasons[0].message


def test_one_run_serves_two_gates_that_say_so() -> None:
    assert both(two_gates('same_run_as = ["checkout"]')).verdict == "SHIP"
    assert both(two_gates('same_run_as = ["another"]')).verdict == "UNTRUSTED"


def test_the_same_file_is_the_same_run_where_no_run_is_named() -> None:
    assert both(two_gates(), None, "cd" * 32).verdict == "UNTRUSTED"
    assert both(two_gates(), None).verdict == "SHIP"


def test_missing_evidence_serves_nobody_twice() -> None:
    assert gates.evaluate(two_gates(), {}, NOW).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize("now", ["", "now", "2026-11-22", "2026-11-22T04:00:00", "2026-13-01T00:00:00Z"])
def test_judging_needs_an_instant(now: str) -> None:
    with pytest.raises(UsageError):
        verdict(gate(), evidence(), now=now)
