"""Against an earlier measurement: three outcomes, and a baseline that cannot be believed is never a pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from gates_builders import FORGED, HEAD, INSUFFICIENT, INVALID, absent, evidence, gate, metric, outcome, verdict

from bizra_gate.model import OpenedEvidence
from bizra_gate.model.metric import Better
from bizra_gate.stats.compare import Regression, compare_processes

P99 = 'metric = "latency.p99"\nbaseline = { ref = "git:origin/main", max_regression = "5 %" }'
RATE = 'metric = "throughput"\nbaseline = { ref = "last-shipped", max_regression = "5 %" }'
FAST = [1.00e6, 1.01e6, 0.99e6, 1.00e6]


@dataclass
class Stated:
    """A comparison that says what the test says, and remembers what it was asked."""

    ratio: float | None
    low: float | None
    high: float | None
    regression: Regression = "pass"
    regression_runs: int | None = None
    asked: tuple[object, ...] = ()
    slack: float = 0.0

    def __call__(
        self,
        base: Sequence[float],
        head: Sequence[float],
        better: Better,
        margin: float,
        confidence: float = 0.95,
        *,
        paired: bool = False,
        slack: float = 0.0,
    ) -> Stated:
        self.asked = (list(base), list(head), better, margin, confidence, paired)
        self.slack = slack
        return self


SAME = Stated(1.0, 0.98, 1.02)


def here(values: Sequence[float] = FAST, name: str = "latency.p99", **changes: object) -> OpenedEvidence:
    one = metric(name, processes=values)
    if name == "throughput":
        one = metric(name, 1e5, (0.9e5, 1.1e5), unit="1/s", better="higher", processes=values)
    return evidence(one, **changes)


def earlier(values: Sequence[float] = FAST, name: str = "latency.p99", **changes: object) -> OpenedEvidence:
    return here(values, name, **({"run_id": "an earlier run", "sha256": "ef" * 32} | changes))


def against(*base: OpenedEvidence, check: str = P99, compare: Stated | None = SAME, head: OpenedEvidence | None = None):  # type: ignore[no-untyped-def]
    key = ("checkout", "throughput" if "throughput" in check else "p99")
    return outcome(check, head or here(), baselines={key: base}, compare=compare)


@pytest.mark.parametrize(
    ("compare", "expected"),
    [
        (Stated(1.0, 0.98, 1.02, "pass"), "pass"),
        (Stated(1.08, 1.06, 1.10, "fail"), "fail"),
        (Stated(1.03, 1.0, 1.06, "inconclusive"), "inconclusive"),
        (Stated(1.0, None, 1.02, "pass"), "inconclusive"),
        (Stated(1.0, 0.98, None, "pass"), "inconclusive"),
        (Stated(1.0, math.nan, 1.02, "pass"), "inconclusive"),
        (Stated(math.nan, 0.9, 1.0, "pass"), "inconclusive"),
        (Stated(math.inf, 0.9, 1.0, "fail"), "inconclusive"),
        (Stated(None, 0.9, 1.0, "pass"), "inconclusive"),
    ],
)
def test_a_comparison_has_three_outcomes_and_without_an_interval_none(compare: Stated, expected: str) -> None:
    assert against(earlier(), compare=compare)[0] == expected


def shifted(values: Sequence[float], factor: float) -> list[float]:
    return [value * factor for value in values]


@pytest.mark.parametrize(
    ("check", "name", "factor", "expected"),
    [
        (P99, "latency.p99", 1.0, "pass"),
        (P99, "latency.p99", 1.02, "pass"),
        (P99, "latency.p99", 1.05, "inconclusive"),
        (P99, "latency.p99", 1.10, "fail"),
        (P99, "latency.p99", 0.8, "pass"),
        (P99, "latency.p99", 0.4, "inconclusive"),
        (RATE, "throughput", 1.0, "pass"),
        (RATE, "throughput", 0.98, "pass"),
        (RATE, "throughput", 0.95, "inconclusive"),
        (RATE, "throughput", 0.90, "fail"),
        (RATE, "throughput", 1.3, "pass"),
        (RATE, "throughput", 1.6, "inconclusive"),
    ],
)
def test_processes_are_compared_by_the_real_statistic(check: str, name: str, factor: float, expected: str) -> None:
    head = here(shifted(FAST, factor), name)
    key = ("checkout", "throughput" if name == "throughput" else "p99")
    assert outcome(check, head, baselines={key: [earlier(FAST, name)]}, compare=compare_processes)[0] == expected


def test_noisy_processes_are_told_how_many_more_runs_would_decide() -> None:
    base, head = earlier([0.9, 1.0, 1.1]), here([0.95, 1.02, 1.1])
    got, reason = outcome(P99, head, baselines={("checkout", "p99"): [base]}, compare=compare_processes)
    assert got == "inconclusive"
    assert "more runs would decide it" in reason


def test_the_comparison_is_asked_on_processes_with_the_checks_margin_and_confidence() -> None:
    compare = Stated(1.0, 0.98, 1.02)
    against(earlier([1.0, 2.0]), compare=compare, check=f"{P99}\nconfidence = 0.9")
    assert compare.asked == ([1.0, 2.0], FAST, "lower", 0.05, 0.9, False)


def test_an_open_comparison_says_how_many_more_runs_would_decide_it() -> None:
    assert (
        "about 7 more runs would decide it" in against(earlier(), compare=Stated(1.04, 1.0, 1.08, "inconclusive", 7))[1]
    )
    assert (
        "about 1 more run would decide it" in against(earlier(), compare=Stated(1.04, 1.0, 1.08, "inconclusive", 1))[1]
    )


def test_a_reason_names_the_ratio_its_bounds_and_the_processes() -> None:
    assert against(earlier(FAST * 2))[1] == (
        "Against git:origin/main it is 1 times as much (interval 0.98 to 1.02, 4 processes against 8): "
        "surely no more than 5 % worse."
    )


@pytest.mark.parametrize(
    ("base", "expected", "says"),
    [
        ((), "missing", "There is no baseline git:origin/main: nothing was found there."),
        ((absent(),), "missing", "There is no baseline git:origin/main"),
        ((absent(), earlier()), "missing", "is missing"),
        ((earlier(trust=FORGED),), "untrusted", "not trusted"),
        ((earlier(audit=INVALID),), "refused", "under audit"),
        ((earlier(audit=INSUFFICIENT),), "inconclusive", "not enough"),
        ((earlier(audit=None),), "inconclusive", "not audited"),
        ((earlier(signed_by=(), trust=FORGED),), "untrusted", "not trusted"),
        ((earlier(environment_key="another machine"),), "inconclusive", "another environment"),
        ((earlier(environment_key=None),), "inconclusive", "another environment"),
        ((earlier(name="latency.p50"),), "missing", "has no latency.p99"),
        ((earlier([1e6]),), "inconclusive", "1 process in the baseline"),
        ((earlier([]),), "inconclusive", "0 processes in the baseline"),
        ((earlier([1e6, 0.0]),), "inconclusive", "absolute limit"),
        ((earlier([1e6, math.nan]),), "inconclusive", "above zero"),
        ((earlier(), earlier(trust=FORGED)), "untrusted", "not trusted"),
        ((earlier(finished_at="2030-01-01T00:00:00Z"),), "untrusted", "has not come yet"),
    ],
)
def test_a_baseline_that_cannot_be_believed_is_never_a_pass(
    base: tuple[OpenedEvidence, ...], expected: str, says: str
) -> None:
    got, reason = against(*base)
    assert got == expected
    assert says in reason


def test_a_stale_baseline_is_never_a_pass() -> None:
    before = '[evidence]\nmax_age = "30d"\n'
    from gates_builders import check_gate, verdict

    gate = check_gate(P99, before=before)
    old = earlier(finished_at="2026-01-01T00:00:00Z")
    report = verdict(gate, here(), baselines={("checkout", "p99"): [old]}, compare=SAME)
    assert report.gates[0].checks[0].verdict == "untrusted"


def test_one_process_here_cannot_be_compared() -> None:
    assert against(earlier(), head=here([1e6]))[0] == "inconclusive"


def test_without_a_comparison_nothing_passes() -> None:
    assert against(earlier(), compare=None)[0] == "inconclusive"


def test_an_environment_nobody_knows_is_not_the_same_environment() -> None:
    assert against(earlier(environment_key=None), head=here(environment_key=None))[0] == "inconclusive"


@pytest.mark.parametrize(
    ("check", "name", "ratio", "expected"),
    [
        (P99, "latency.p99", 0.49, "inconclusive"),
        (P99, "latency.p99", 0.51, "pass"),
        (RATE, "throughput", 1.51, "inconclusive"),
        (RATE, "throughput", 1.49, "pass"),
    ],
)
def test_an_improvement_too_good_to_be_true_is_flagged(check: str, name: str, ratio: float, expected: str) -> None:
    compare = Stated(ratio, ratio - 0.01, ratio + 0.01)
    got, reason = against(earlier(name=name), check=check, compare=compare, head=here(name=name))
    assert got == expected
    assert ("too good to be true" in reason) == (expected == "inconclusive")


def test_a_real_improvement_can_be_expected() -> None:
    check = P99.replace('"5 %" }', '"5 %", max_improvement = "80 %" }')
    assert against(earlier(), check=check, compare=Stated(0.3, 0.29, 0.31))[0] == "pass"


def test_a_window_of_history_compares_with_all_its_processes() -> None:
    compare = Stated(1.0, 0.98, 1.02)
    window = [earlier([1.0, 2.0], run_id="a"), earlier([3.0], run_id="b")]
    check = P99.replace("git:origin/main", "history:2")
    assert against(*window, check=check, compare=compare)[0] == "pass"
    assert compare.asked[0] == [1.0, 2.0, 3.0]


def test_a_branch_that_measured_nothing_new_has_not_become_worse() -> None:
    got, reason = against(here())
    assert got == "pass"
    assert "nothing was measured since" in reason


def test_a_run_does_not_judge_itself() -> None:
    check = P99.replace("git:origin/main", "artifacts/base.json")
    got, reason = against(here(file="artifacts/base.json", run_id=here().run_id), check=check)
    assert got == "inconclusive"
    assert "the very run that it should judge" in reason


def test_a_run_is_not_part_of_its_own_history() -> None:
    compare = Stated(1.0, 0.98, 1.02)
    check = P99.replace("git:origin/main", "history:2")
    against(here(), earlier([5.0, 6.0]), check=check, compare=compare)
    assert compare.asked[0] == [5.0, 6.0]


def test_a_window_of_history_leaves_out_what_cannot_be_believed_or_compared() -> None:
    compare = Stated(1.0, 0.98, 1.02)
    check = P99.replace("git:origin/main", "history:9")
    old = [earlier(run_id="b", trust=FORGED), earlier(run_id="c", environment_key="an older machine")]
    assert against(earlier([1.0, 2.0], run_id="a"), *old, check=check, compare=compare)[0] == "pass"
    assert compare.asked[0] == [1.0, 2.0]
    assert against(*old, check=check, compare=compare)[0] == "untrusted"
    assert against(old[1], check=check, compare=compare)[0] == "inconclusive"


def test_two_targets_measured_in_turn_are_compared_within_one_artifact() -> None:
    check = P99.replace("git:origin/main", "against")
    both = evidence(metric(processes=FAST), metric("against.latency.p99", processes=[2.0, 2.1]), environment_key=None)
    compare = Stated(1.0, 0.98, 1.02)
    got, reason = against(check=check, compare=compare, head=both)
    assert (got, reason[:42]) == ("pass", "Against the second target it is 1 times as")
    assert compare.asked[0] == [2.0, 2.1]
    got, reason = against(check=check, compare=compare)
    assert (got, reason[:21]) == ("missing", "The second target has")


def test_what_another_tool_rounded_away_on_either_side_widens_the_comparison() -> None:
    compare = Stated(1.0, 0.98, 1.02)
    rough = replace(metric(processes=[10e6] * 3), resolution=1e6)
    base = replace(earlier(), metrics={"latency.p99": replace(metric(processes=[5e6] * 3), resolution=1e6)})
    against(base, compare=compare, head=replace(here(), metrics={"latency.p99": rough}))
    assert compare.slack == pytest.approx(math.log1p(0.5 / 10 + 0.5 / 5))


@pytest.mark.parametrize(("second", "paired"), [(FAST, True), (FAST[:2], False)])
def test_runs_that_were_measured_in_turn_are_compared_pair_by_pair(second: Sequence[float], paired: bool) -> None:
    check = P99.replace("git:origin/main", "against")
    compare = Stated(1.0, 0.98, 1.02)
    against(
        check=check,
        compare=compare,
        head=evidence(metric(processes=FAST), metric("against.latency.p99", processes=second)),
    )
    assert compare.asked[-1] is paired


@pytest.mark.parametrize(
    ("limit", "compare", "expected"),
    [
        ("<= 2 ms", Stated(1.0, 0.9, 1.0), "pass"),
        ("<= 2 ms", Stated(1.2, 1.1, 1.3, "fail"), "fail"),
        ("<= 0.1 ms", Stated(1.0, 0.9, 1.0), "fail"),
        ("<= 1 ms", Stated(1.0, 0.9, 1.0), "inconclusive"),
        ("<= 1 ms", Stated(1.2, 1.1, 1.3, "fail"), "fail"),
        ("<= 2 ms", Stated(1.05, 1.0, 1.1, "inconclusive"), "inconclusive"),
    ],
)
def test_a_limit_and_a_baseline_both_have_to_hold(limit: str, compare: Stated, expected: str) -> None:
    got, reason = against(earlier(), check=f'{P99}\npass = "{limit}"', compare=compare)
    assert got == expected
    assert "Against git:origin/main" in reason
    assert limit in reason


def test_a_metric_that_is_zero_has_no_ratio_and_is_told_to_take_a_limit() -> None:
    text = '[[check]]\nmetric = "error_rate"\nbaseline = { ref = "artifacts/old.json", max_regression = "5 %" }\n'
    none = metric("error_rate", 0.0, (0.0, 0.001), unit="ratio", processes=(0.0, 0.0, 0.0))
    old = evidence(none, file="artifacts/old.json")
    judged = gate(HEAD + text)
    (report,) = verdict(judged, evidence(none), baselines={("checkout", "error_rate"): [old]}).gates[0].checks
    assert report.verdict == "inconclusive"
    assert "give this metric an absolute limit" in report.reason


def test_a_run_that_a_window_holds_twice_counts_once() -> None:
    reverted = [earlier(file="git:a:x"), earlier([9e5, 9.1e5], run_id="another", file="git:b:x"), earlier()]
    assert "4 processes against 6" in against(*reverted)[1]


def test_each_of_several_artifacts_is_compared_with_what_it_was_itself() -> None:
    """Pooled, a slow place would hide behind a fast one, and two machines could not be compared at all."""
    places = [("artifacts/eu.json", "here", 1.0), ("artifacts/us.json", "there", 3.0)]
    judged = gate(f'{HEAD}[evidence]\nartifacts = ["{places[0][0]}", "{places[1][0]}"]\n[[check]]\n{P99}\n')

    def pieces(slower: float, **changes: object) -> list[OpenedEvidence]:
        return [
            here(shifted(FAST, factor * (slower if machine == "there" else 1.0)), file=file, environment_key=machine,
                 **({"stands_for": file, "run_id": f"earlier {file}"} if changes else {}))
            for file, machine, factor in places
        ]  # fmt: skip

    base = {("checkout", "p99"): pieces(1.0, earlier=True)}
    for slower, expected in ((1.0, "pass"), (1.2, "fail")):
        report = verdict(judged, *pieces(slower), baselines=base, compare=compare_processes)
        (check,) = report.gates[0].checks
        assert check.verdict == expected, check.reason
    assert "artifacts/us.json" in check.reason
