"""Threads whose folds come late: what each had in flight at every edge, exactly."""

from __future__ import annotations

from itertools import repeat

from python_bench import MS, Bench, S, identity

from bizra_gate.model import ClosedLoop
from bizra_gate.targets.python.books import Books
from bizra_gate.targets.python.driver import PythonDriver
from bizra_gate.targets.python.results import Sample
from bizra_gate.targets.python.threads import Lane, State, Threads


def crew(bench: Bench) -> Threads:
    books = Books(bench.recorder, bench.clock.now_ns, Sample(None))
    return Threads(lambda: None, repeat(()), books, bench.clock, bench.task)


def ended(lane: Lane, *spans: tuple[int, int]) -> None:
    """Operations of `lane`, each bracketed by its own start and end."""
    for start, end in spans:
        lane.start_ns.append(start)
        lane.labels.append(None)
        lane.end_ns.append(end)
        lane.brackets.append((start, end))
        lane.state = State(lane.state.busy_ns + end - start, 0, lane.state.ended + 1)


def test_a_fold_that_comes_late_gives_every_interval_its_own_number_in_flight() -> None:
    bench = Bench(ClosedLoop(2))
    threads, length = crew(bench), bench.window.length_ns
    assert length == 100 * MS
    first, second = threads._lanes
    t = bench.window.origin_ns
    ended(first, (t, t + 50 * MS), (t + 50 * MS, t + 320 * MS))
    ended(second, (t + 150 * MS, t + 180 * MS))
    second.state = State(second.state.busy_ns, t + 290 * MS, second.state.ended)
    bench.clock.sleep_until(t + 340 * MS)
    threads._fold(bench.recorder)
    assert [row.in_flight_ns // MS for row in bench.rows] == [100, 130, 110]
    assert [row.count for row in bench.rows] == [1, 1, 0]
    ended(second, (t + 290 * MS, t + 410 * MS))
    bench.clock.sleep_until(t + 450 * MS)
    threads._fold(bench.recorder)
    assert [row.in_flight_ns // MS for row in bench.rows] == [100, 130, 110, 120]


def test_what_ended_while_the_states_were_read_is_told_once() -> None:
    bench = Bench(ClosedLoop(1))
    threads = crew(bench)
    (lane,) = threads._lanes
    t = bench.window.origin_ns
    ended(lane, (t + 90 * MS, t + 130 * MS))
    lane.state = State(0, t + 90 * MS, 0)  # as it was just before
    bench.clock.sleep_until(t + 150 * MS)
    threads._fold(bench.recorder)
    lane.state = State(40 * MS, 0, 1)
    bench.clock.sleep_until(t + 250 * MS)
    threads._fold(bench.recorder)
    assert [row.in_flight_ns // MS for row in bench.rows] == [10, 30]


def test_little_s_law_holds_however_late_a_fold_comes() -> None:
    bench = Bench(ClosedLoop(3))
    threads = crew(bench)
    t = bench.window.origin_ns
    for place, lane in enumerate(threads._lanes):
        ended(lane, *((t + at * MS, t + (at + 7 + place) * MS) for at in range(0, 2_990, 13)))
    for at in (30, 900, 1_777, 2_950, 3_100):
        bench.clock.sleep_until(t + at * MS)
    threads._fold(bench.recorder)
    tally = bench.tally()
    assert min(row.in_flight_ns for row in bench.rows) >= 0
    assert identity(tally) == 1


def test_users_who_think_are_as_many_threads() -> None:
    driver = PythonDriver.__new__(PythonDriver)
    driven: list[str] = []
    driver._loop = None
    driver._plan = Bench(ClosedLoop(3, think_ns=S)).task.plan
    driver._drive_threads = lambda *items: driven.append("threads")  # type: ignore[method-assign]
    driver._drive_paced = lambda *items: driven.append("paced")  # type: ignore[method-assign]
    for users in (3, 1):
        bench = Bench(ClosedLoop(users, think_ns=S))
        driver._plan = bench.task.plan
        driver.drive(bench.task, bench.recorder, bench.clock)
    assert driven == ["threads", "paced"]
