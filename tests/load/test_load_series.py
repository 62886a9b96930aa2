"""Intervals of several workers become one series."""

from __future__ import annotations

import numpy as np

from bizra_gate.load.messages import Interval
from bizra_gate.load.recorder import Row
from bizra_gate.load.series import Series, intervals
from bizra_gate.load.window import Window
from bizra_gate.stats.fold import HdrCounts

WINDOW = Window.after(0, 100, 2_000)


def part(start: int, values: list[int], errors: int = 0, in_flight: int = 1) -> Interval:
    times = HdrCounts()
    times.add(np.array(values, dtype=np.int64))
    return Interval.of(
        Row(start, len(values), errors, sum(values), times, 100 * in_flight, in_flight), {"x": errors}, {}
    )


def test_a_point_is_finished_when_every_worker_has_passed_it() -> None:
    series = Series(workers=2)
    assert series.add(0, part(100, [1])) == []
    assert series.add(0, part(200, [1])) == []
    done = series.add(1, part(100, [3, 5]))
    assert [point.start_ns for point in done] == [100]
    assert (done[0].count, done[0].total_ns, done[0].maximum_ns, done[0].in_flight) == (3, 9, 5, 2)


def test_percentiles_are_those_of_all_workers_together_and_not_an_average() -> None:
    series = Series(workers=2)
    series.add(0, part(100, [10] * 99))
    (point,) = series.add(1, part(100, [1000] * 101))
    assert (point.p50_ns, point.p99_ns) == (1000, 1000)
    assert point.times is None, "counts are given up once the percentiles are taken"


def test_what_a_thread_tells_late_is_added_to_its_interval() -> None:
    series = Series(workers=1)
    series.add(0, part(100, [10]))
    series.add(0, part(200, [10]))
    series.add(0, part(100, [50], errors=2, in_flight=0))
    points = series.counted(WINDOW)
    assert [(p.start_ns, p.count, p.errors, p.maximum_ns) for p in points] == [(100, 2, 2, 50), (200, 1, 0, 10)]


def test_what_a_thread_tells_late_moves_the_percentiles_of_its_interval() -> None:
    series = Series(workers=1)
    for start, values in ((100, [10, 700]), (200, [10]), (100, [900] * 3), (100, [20])):
        series.add(0, part(start, values))
    first = series.counted(WINDOW)[0]
    assert (first.count, first.maximum_ns, first.p50_ns, first.p99_ns) == (6, 900, 700, 900)


def test_an_interval_of_which_everything_is_told_late_has_percentiles() -> None:
    series = Series(workers=1)
    for start, values in ((100, []), (200, [10]), (100, [50])):
        series.add(0, part(start, values))
    first = series.counted(WINDOW)[0]
    assert (first.count, first.p50_ns, first.p99_ns) == (1, 50, 50)


def test_empty_drains_are_cut_off_and_empty_seconds_are_not() -> None:
    series = Series(workers=1)
    for start, values in ((0, [5]), (100, [5]), (200, []), (2_100, [7]), (2_200, [])):
        series.add(0, part(start, values))
    series.close()
    columns = intervals(series.counted(WINDOW), 100, WINDOW.opens_ns)
    assert columns.start_ns == (0, 100, 2_000)
    assert columns.count == (1, 0, 1)
    assert [p.start_ns for p in series.warmup(WINDOW)] == [0]


def test_a_drain_that_only_one_worker_had_is_finished_at_the_end() -> None:
    series = Series(workers=2)
    series.add(0, part(100, [10]))
    series.add(0, part(2_100, [30]))
    series.add(1, part(100, [20]))
    series.close()
    assert [p.p99_ns for p in series.counted(WINDOW)] == [20, 30]
