"""Length, processes, rate, errors and samples: each limit, at it and just beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import MS, OWN, POLICY, TOOL, S, found, http, observed, reason

from bizra_gate.audit import (
    method,
    samples,
)
from bizra_gate.model import (
    ClosedLoop,
    Figure,
    HttpRequest,
    Intervals,
    Latency,
    Measurement,
    OpenLoop,
    Policy,
    Printed,
    Run,
)


@pytest.mark.parametrize(("length", "right"), [(120.0, True), (119.99, True), (119.9, False)])
def test_a_duration_is_read_in_favour_of_the_run(length: float, right: bool) -> None:
    told = Measurement(TOOL, duration_ns=Figure(length * S, 0.02 * S))
    assert (found(method.duration(told, POLICY)) == []) is right


@pytest.mark.parametrize(("length", "right"), [(9.0, True), (8.9, False)])
def test_a_run_is_cut_short_below_nine_tenths(length: float, right: bool) -> None:
    told = Measurement(TOOL, duration_ns=Figure(length * S), duration_requested_ns=Figure(10 * S))
    assert (found(method.duration(told, Policy(min_duration_ns=S))) == []) is right


def test_a_duration_follows_from_count_and_rate() -> None:
    told = Measurement(TOOL, operations=1200, rate_achieved_per_s=Figure(10.0))
    assert found(method.duration(told, POLICY)) == []


def test_a_duration_that_nobody_asks_for_is_not_judged() -> None:
    assert "does not ask" in reason(method.duration(Measurement(TOOL), Policy(min_duration_ns=0)))


@pytest.mark.parametrize(("length", "right"), [(30.0, True), (29.9, False)])
def test_a_warm_up_is_as_long_as_asked(length: float, right: bool) -> None:
    assert (found(method.warmup(Measurement(TOOL, warmup_ns=Figure(length * S)), POLICY)) == []) is right


def processes(*means: float) -> Measurement:
    return Measurement(TOOL, runs=tuple(Run(i, values=(mean,)) for i, mean in enumerate(means)))


@pytest.mark.parametrize(("last", "right"), [(12.4, True), (12.6, False), (8.1, True), (7.9, False)])
def test_a_process_may_be_a_quarter_off(last: float, right: bool) -> None:
    told = processes(10.0, 10.0, 10.0, 10.0, last)
    assert (found(method.runs(told, POLICY)) == []) is right


def test_where_processes_differ_anyway_none_is_a_stranger() -> None:
    assert found(method.runs(processes(8.0, 9.0, 10.0, 11.5, 13.0), POLICY)) == []


def test_two_processes_cannot_tell_who_is_odd() -> None:
    assert "fewer than three" in reason(method.runs(processes(10.0, 20.0), POLICY))
    assert observed(method.runs(processes(10.0, 20.0), Policy(min_runs=3))) == ["2"]
    each = Measurement(TOOL, operations=14, fresh_processes=True)
    assert found(method.runs(each, Policy(min_runs=14))) == []
    assert observed(method.runs(each, Policy(min_runs=15))) == ["14"]
    assert observed(method.runs(replace(each, source=OWN), Policy(min_runs=2))) == ["1"]


def test_an_odd_process_is_told_with_its_figures() -> None:
    message = found(method.runs(processes(10 * MS, 10 * MS, 10 * MS, 14 * MS), POLICY))[0].message
    assert message.startswith("run 3 took 14 ms an operation where the 3 others took about 10 ms")


def paced(sent: int, **fields: object) -> Measurement:
    base = Measurement(TOOL, operations=sent, duration_ns=Figure(100 * S), rate_requested_per_s=Figure(10.0))
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("sent", "right"), [(1000, True), (979, True), (978, False)])
def test_a_rate_may_fall_short_by_two_per_cent_and_one_operation(sent: int, right: bool) -> None:
    assert (found(method.achieved(paced(sent), POLICY)) == []) is right


def test_errors_were_sent_as_well() -> None:
    assert found(method.achieved(paced(700, errors={"503": 300}), POLICY)) == []


def test_random_arrivals_may_be_fewer_by_three_deviations() -> None:
    """1,000 expected: 3/√1000 = 9.5 %."""
    plan = http(OpenLoop(10.0, "poisson"))
    assert found(method.achieved(paced(910, plan=plan), POLICY)) == []
    assert found(method.achieved(paced(900, plan=plan), POLICY)) != []
    assert found(method.achieved(paced(910, plan=http(OpenLoop(10.0))), POLICY)) != []


def test_how_far_a_rate_fell_short_is_told() -> None:
    told = found(method.achieved(paced(750), POLICY))[0]
    assert "7.5/s were reached of 10/s asked for (25 % short)" in told.message
    assert (told.observed, told.expected) == ("7.5/s", "≥ 9.8/s")


@pytest.mark.parametrize(("failed", "right"), [(10, True), (11, False)])
def test_one_per_cent_of_errors_is_allowed(failed: int, right: bool) -> None:
    told = Measurement(TOOL, operations=1000 - failed, errors={"reset": failed})
    assert (found(method.failures(told, POLICY)) == []) is right


@pytest.mark.parametrize(
    ("label", "right"), [("503", False), ("5xx", False), ("404", False), ("200", True), ("hit", True), ("50", True)]
)
def test_outcomes_that_are_http_errors_are_errors(label: str, right: bool) -> None:
    told = Measurement(TOOL, operations=1000, outcomes={"200": 900, label: 100})
    assert (found(method.failures(told, POLICY)) == []) is right


def test_a_status_that_the_plan_expects_is_none() -> None:
    told = Measurement(TOOL, operations=1000, outcomes={"404": 1000})
    plan = replace(http(ClosedLoop(1)), http=HttpRequest(expect_status=(404,)))
    assert found(method.failures(replace(told, plan=plan), POLICY)) == []


@pytest.mark.parametrize(("failed_mean", "right"), [(1.0, False), (9.5, True), (40.0, True)])
def test_errors_flatter_only_where_they_are_quick(failed_mean: float, right: bool) -> None:
    """One in ten failed; the others took 10 ms."""
    mean = (900 * 10 + 100 * failed_mean) / 1000
    told = Measurement(
        TOOL, operations=900, errors={"503": 100}, failed=Latency(mean=Figure(failed_mean * MS)),
        latency=Latency(mean=Figure(mean * MS), includes_errors=True),
    )  # fmt: skip
    lax = Policy(max_error_rate=1.0)
    assert (found(method.failures(told, lax)) == []) is right
    assert found(method.failures(replace(told, latency=replace(told.latency, includes_errors=False)), lax)) == []  # type: ignore[type-var]


@pytest.mark.parametrize(("p", "n", "right"), [
    (50.0, 6, True), (50.0, 5, False), (95.0, 72, True), (95.0, 71, False), (99.0, 368, True), (99.0, 367, False),
    (99.9, 3688, True), (99.9, 3687, False), (99.99, 36887, True), (99.99, 36886, False), (10.0, 7, True),
])  # fmt: skip
def test_a_percentile_has_the_samples_that_its_interval_needs(p: float, n: int, right: bool) -> None:
    told = Measurement(TOOL, latency=Latency(count=n, percentiles=((p, Figure(MS)),)))
    assert (found(samples.samples(told, POLICY)) == []) is right


def test_samples_that_hang_together_are_worth_less_and_it_is_told() -> None:
    levels = [100 * MS + 3 * MS * (i // 5) for i in range(40)]
    series = Intervals(S, tuple(i * S for i in range(40)), (10,) * 40, total_ns=tuple(10 * level for level in levels))
    held = Latency(count=400, percentiles=((99.0, Figure(MS)),))
    told = found(samples.samples(Measurement(TOOL, latency=held, intervals=series), POLICY))
    assert "which hang together and are worth" in told[0].message
    assert told[0].observed is not None
    assert told[0].observed.startswith("400 values worth ")


def test_our_percentiles_with_an_interval_claim_nothing() -> None:
    rows = (Printed("latency.p99.9", 9.0 * MS, "ns", (8.0 * MS, None), 400), Printed("service.p99.9", 1.0, "ns"))
    told = Measurement(OWN, latency=Latency(count=400), printed=rows)
    assert found(samples.samples(told, POLICY)) == []
    bare = replace(told, printed=(replace(rows[0], interval=None),))
    assert "p99.9 needs 3,688" in found(samples.samples(bare, POLICY))[0].message
