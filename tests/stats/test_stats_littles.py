"""Little's law closes exactly on anything that was counted, and opens as soon as something was not."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stats_builders import MS, Op, S, closed_loop, figure, foreign, measurement_of, open_loop, run_of

from bizra_gate.model import Latency
from bizra_gate.stats.littles import littles_law


def test_a_closed_loop_without_pauses_holds_its_users() -> None:
    law = littles_law(measurement_of([run_of(closed_loop(1, users=8), 30 * S)]))
    assert law is not None
    assert law.measured == pytest.approx(8, rel=1e-9)
    assert law.product == pytest.approx(8, rel=1e-9)
    assert law.relative_difference == pytest.approx(0, abs=1e-9)


def test_an_open_loop_with_a_stall_closes_too_because_residence_is_service_time() -> None:
    law = littles_law(measurement_of([run_of(open_loop(2, stall_s=3.0), 30 * S, open_loop=True)], "open"))
    assert law is not None
    assert law.arrival_rate_per_s == pytest.approx(200)
    assert law.relative_difference == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([None, "timeout", "refused"]))
@settings(max_examples=40, deadline=None)
def test_the_law_closes_on_any_set_of_operations_that_start_when_they_are_due(
    seed: int, n: int, error: str | None
) -> None:
    generator = random.Random(seed)
    ops = []
    for i in range(n + 1):
        start = 0 if i == 0 else generator.randrange(-3 * S, 3 * S)
        ops.append(Op(start, start, start + generator.randrange(1, 5 * S), error if i % 3 else None))
    law = littles_law(measurement_of([run_of(ops, 3 * S)]))
    assert law is not None
    assert law.product == pytest.approx(law.measured, rel=1e-9, abs=1e-12)


def test_dropped_samples_show_as_a_deficit_and_invented_ones_as_an_excess() -> None:
    run = run_of(closed_loop(3, users=10), 30 * S)
    assert run.service is not None
    assert run.service.histogram is not None
    histogram = run.service.histogram
    for factor, sign in ((0.5, -1), (2, 1)):
        counts = tuple(max(1, round(count * factor)) for count in histogram.count)
        bent = replace(histogram, count=counts, total_ns=round((histogram.total_ns or 0) * factor))
        law = littles_law(measurement_of([replace(run, service=replace(run.service, histogram=bent))]))
        assert law is not None
        assert law.relative_difference is not None
        assert law.relative_difference * sign > 0.3


def test_several_runs_add_up() -> None:
    runs = [run_of(closed_loop(i, users=5), 30 * S, index=i) for i in range(3)]
    law = littles_law(measurement_of(runs))
    assert law is not None
    assert law.product == pytest.approx(5)


def test_another_tools_record_gives_rate_times_mean_and_no_measured_number() -> None:
    record = foreign(
        duration_ns=figure(10 * S), operations=5_237_930, latency=Latency(mean=figure(120_000, 1000)), loop="closed"
    )
    law = littles_law(record)
    assert law is not None
    assert law.product == pytest.approx(62.855, rel=1e-4)
    assert (law.measured, law.relative_difference) == (None, None)


def test_without_a_window_a_count_or_a_latency_there_is_no_law() -> None:
    mean = Latency(mean=figure(MS))
    assert littles_law(foreign()) is None
    assert littles_law(foreign(latency=mean, operations=5)) is None
    assert littles_law(foreign(latency=mean, duration_ns=figure(S))) is None
    assert littles_law(foreign(latency=Latency(), duration_ns=figure(S), operations=5)) is None
    assert littles_law(foreign(latency=mean, duration_ns=figure(0), operations=5)) is None
