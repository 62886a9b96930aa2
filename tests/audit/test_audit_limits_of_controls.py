"""Machine, controls and generator: each limit, at it and just beyond it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asking import OWN, POLICY, TOOL, US, S, found, http, observed, reason

from bizra_gate.audit import (
    NotApplicable,
    control,
    environment,
    generator,
    physics,
)
from bizra_gate.model import (
    ClosedLoop,
    Controls,
    Environment,
    Figure,
    Generator,
    Latency,
    Measurement,
    Plan,
    Run,
    Warmup,
)


@pytest.mark.parametrize(("per_second", "right"), [(48e9, True), (49e9, False)])
def test_cores_have_twice_the_cycles_that_their_label_says(per_second: float, right: bool) -> None:
    machine = Environment(cpu_count=8, cpu_hz=3e9)
    told = Measurement(TOOL, rate_achieved_per_s=Figure(per_second), environment=machine)
    assert (found(physics.machine(told, POLICY)) == []) is right


@pytest.mark.parametrize(("turn", "right"), [(0.1, True), (0.099, False)])
def test_a_turn_of_a_loop_takes_a_tenth_of_a_nanosecond_at_least(turn: float, right: bool) -> None:
    told = Measurement(TOOL, loop="batch", latency=Latency(mean=Figure(turn)))
    answer = physics.machine(told, POLICY)
    assert isinstance(answer, NotApplicable) is right


def test_threads_of_a_benchmark_share_its_rate() -> None:
    told = Measurement(TOOL, loop="batch", threads=4, rate_achieved_per_s=Figure(30e9))
    assert found(physics.machine(told, POLICY)) == []
    assert found(physics.machine(replace(told, threads=2), POLICY)) != []


@pytest.mark.parametrize(("bytes_in", "right"), [(12_000, True), (11_999, False)])
def test_an_answer_over_http_has_twelve_bytes(bytes_in: int, right: bool) -> None:
    told = Measurement(OWN, operations=1000, bytes_in=bytes_in, plan=http(ClosedLoop(1)))
    assert (found(physics.machine(told, POLICY)) == []) is right


@pytest.mark.parametrize(
    ("operation", "spread", "right"), [(44.0, 3.0, True), (43.0, 3.0, False), (44.0, None, False), (44.2, None, True)]
)
def test_an_operation_costs_more_than_an_empty_one_and_its_spread(
    operation: float, spread: float | None, right: bool
) -> None:
    controls = Controls(operation_ns=operation, empty_ns=40.0, empty_spread_ns=spread)
    assert (found(control.empty(Measurement(OWN, controls=controls), POLICY)) == []) is right


@pytest.mark.parametrize(
    ("twice", "right"), [(140.0 + 100, True), (190.0, True), (189.0, False), (340.0, True), (341.0, False)]
)
def test_twice_the_work_takes_one_and_a_half_to_three_times_as_long(twice: float, right: bool) -> None:
    """Above an empty call of 40 ns the operation takes 100 ns."""
    controls = Controls(operation_ns=140.0, empty_ns=40.0, empty_spread_ns=3.0, twice_ns=twice)
    assert (found(control.scaling(Measurement(OWN, controls=controls), POLICY)) == []) is right


@pytest.mark.parametrize(
    ("operation", "severity"),
    [(3.6e6, "insufficient"), (3.2e6, "invalid"), (2.8e6, "invalid"), (1.0e6, "insufficient"), (0.4e6, "invalid")],
)
def test_a_disturbed_empty_control_accuses_only_what_is_like_it_or_far_below_it(
    operation: float, severity: str
) -> None:
    """An empty command takes 3 ± 2.5 ms: 1 ms may be a program on a quieter moment, 3.2 ms is as cheap as nothing."""
    controls = Controls(operation_ns=operation, empty_ns=3.0e6, empty_spread_ns=2.5e6)
    told = found(control.empty(Measurement(OWN, controls=controls), POLICY))
    assert [finding.severity for finding in told] == [severity]


@pytest.mark.parametrize(
    ("twice", "others", "severity"),
    [(341.0, 0.84, "insufficient"), (341.0, 0.2, "invalid"), (341.0, None, "invalid"), (189.0, 0.84, "invalid")],
)
def test_work_that_more_than_triples_accuses_nobody_on_a_busy_machine(
    twice: float, others: float | None, severity: str
) -> None:
    """Interruptions make the second seem dearer, and never free; a policy that allows neighbours changes neither."""
    controls = Controls(operation_ns=140.0, empty_ns=40.0, empty_spread_ns=3.0, twice_ns=twice)
    told = Measurement(OWN, controls=controls, generator=Generator(other_cpu_fraction=others))
    for policy in (POLICY, replace(POLICY, max_competing_cpu=1.0)):
        assert [finding.severity for finding in found(control.scaling(told, policy))] == [severity]


def test_scaling_does_not_judge_noise() -> None:
    controls = Controls(operation_ns=49.0, empty_ns=40.0, empty_spread_ns=3.0, twice_ns=50.0)
    assert "too close" in reason(control.scaling(Measurement(OWN, controls=controls), POLICY))


def test_controls_of_every_run_are_looked_at() -> None:
    good, bad = Controls(operation_ns=90.0, empty_ns=40.0), Controls(operation_ns=41.0, empty_ns=40.0)
    told = Measurement(OWN, controls=good, runs=(Run(0, controls=good), Run(1, controls=bad)))
    assert len(found(control.empty(told, POLICY))) == 1


def test_results_that_nobody_looked_at_are_not_judged() -> None:
    assert "not looked at" in reason(control.result(Measurement(OWN, controls=Controls(operation_ns=3.0)), POLICY))


@pytest.mark.parametrize(("busy", "right"), [(0.89, True), (0.90, False)])
def test_a_worker_is_saturated_at_nine_tenths(busy: float, right: bool) -> None:
    told = Measurement(OWN, generator=Generator(cpu_fraction=(0.1, busy, 0.2)))
    assert (found(generator.saturated(told, POLICY)) == []) is right


def test_an_in_process_target_may_use_its_worker_up() -> None:
    plan = Plan("py:app:call", ClosedLoop(1), Warmup(0), S)
    told = Measurement(OWN, plan=plan, loop="closed", generator=Generator(cpu_fraction=(1.0,), gc_pause_ns=S))
    assert "target" in reason(generator.saturated(told, POLICY))
    assert "target" in reason(generator.lag(told, POLICY))


@pytest.mark.parametrize(
    ("p50", "p99", "right"), [(49, 19_999, []), (50, 60, ["insufficient"]), (1, 20_000, ["insufficient"])]
)
def test_a_generator_is_late_at_half_of_what_it_measured(p50: int, p99: int, right: list[str]) -> None:
    assert late(p50, p99, 40_000) == right


@pytest.mark.parametrize(("p99", "right"), [(9_999, ["note"]), (10_000, ["insufficient"])])
def test_a_tail_that_is_late_by_less_than_a_few_time_slices_is_told_and_not_refused(p99: int, right: list[str]) -> None:
    assert late(1, p99, 12_000) == right


def late(p50: int, p99: int, measured: int) -> list[str]:
    """Severities of what the rule finds in a lag of `p50` and `p99` µs at latencies of 100 and `measured` µs."""

    def both(low: int, high: int) -> Latency:
        return Latency(percentiles=((50.0, Figure(low * US)), (99.0, Figure(high * US))))

    told = Measurement(OWN, loop="open", latency=both(100, measured), generator=Generator(lag=both(p50, p99)))
    return [finding.severity for finding in found(generator.lag(told, POLICY))]


@pytest.mark.parametrize(("field", "value", "right"), [
    ("steal_fraction", 0.02, True), ("steal_fraction", 0.021, False),
    ("other_cpu_fraction", 0.20, True), ("other_cpu_fraction", 0.21, False),
])  # fmt: skip
def test_the_time_of_others_has_a_limit(field: str, value: float, right: bool) -> None:
    told = Measurement(OWN, generator=Generator(**{field: value}))  # type: ignore[arg-type]
    assert (found(environment.noise(told, POLICY)) == []) is right


def test_settings_of_the_machine_are_told_together() -> None:
    machine = Environment(cpu_count=4, cpu_quota=1.5, turbo=True, smt=True, governor="powersave", virtualization="kvm")
    assert observed(environment.tuning(Measurement(OWN, environment=machine), POLICY)) == [
        "governor powersave, turbo on, hyper-threads on, limited to 1.5 of 4 cores, virtual machine (kvm)"
    ]


def test_an_interpreter_built_without_profiles_is_told_and_one_built_with_them_is_not() -> None:
    def told(optimised: str) -> list[str]:
        machine = Environment(virtualization="none", flags={"enable_optimizations": optimised})
        return observed(environment.tuning(Measurement(OWN, environment=machine), POLICY))

    assert told("false") == ["Python built without --enable-optimizations"]
    assert told("true") == []


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("py:json:dumps", "Python built without --enable-optimizations"),
        ("http://127.0.0.1/", "generator in a Python built without --enable-optimizations"),
        ("https://127.0.0.1/", "generator in a Python built without --enable-optimizations"),
        ("cmd:gzip -k x", None),
    ],
)
def test_how_the_interpreter_was_built_is_told_of_what_runs_in_it(target: str, told: str | None) -> None:
    plan = Plan(target, ClosedLoop(1), Warmup(0), S)
    for virtualization, others in (("none", []), ("kvm", ["virtual machine (kvm)"])):
        machine = Environment(virtualization=virtualization, flags={"enable_optimizations": "false"})
        said = ", ".join(observed(environment.tuning(Measurement(OWN, environment=machine, plan=plan), POLICY)))
        assert said == ", ".join([*others, *([told] if told else [])])


def test_a_machine_that_is_set_up_as_it_should_be_is_clean() -> None:
    machine = Environment(
        cpu_count=4, cpu_quota=4.0, turbo=False, smt=False, governor="performance", virtualization="none"
    )
    assert found(environment.tuning(Measurement(OWN, environment=machine), POLICY)) == []


@pytest.mark.parametrize(
    ("operation", "severity"), [(44.0, "invalid"), (44.1, "insufficient"), (400.0, "insufficient"), (411.0, None)]
)
def test_controls_that_were_disturbed_prove_nothing(operation: float, severity: str | None) -> None:
    """An empty call of 40 ± 370 ns: a machine that was busy with something else."""
    controls = Controls(operation_ns=operation, empty_ns=40.0, empty_spread_ns=370.0)
    told = found(control.empty(Measurement(OWN, controls=controls), POLICY))
    assert [finding.severity for finding in told] == ([severity] if severity else [])
