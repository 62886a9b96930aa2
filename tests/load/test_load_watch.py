"""What the generator says of itself and of the machine."""

from __future__ import annotations

import gc

import pytest

from bizra_gate.load.clock import FakeClock
from bizra_gate.load.watch import MachineTime, ProcessWatch, machine_time, other_cpu_fraction, steal_fraction

STAT = """cpu  100 5 50 800 20 1 2 30 7 0
cpu0 50 2 25 400 10 0 1 15 3 0
intr 12345
"""


def test_the_first_line_of_proc_stat_is_read_field_by_field() -> None:
    assert MachineTime.parse(STAT) == MachineTime(total=1008, idle=820, steal=30)


@pytest.mark.parametrize("text", ["", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9"])
def test_what_is_not_proc_stat_says_nothing(text: str) -> None:
    assert MachineTime.parse(text) is None


def test_steal_is_a_share_of_all_time() -> None:
    assert steal_fraction(MachineTime(1000, 900, 10), MachineTime(2000, 1500, 60)) == pytest.approx(0.05)


def test_what_was_not_sampled_is_not_measured_rather_than_zero() -> None:
    assert steal_fraction(None, MachineTime(1, 1, 0)) is None
    assert other_cpu_fraction(MachineTime(5, 5, 0), MachineTime(5, 5, 0), 0, 1, 10) is None


def test_other_cpu_is_what_neither_we_nor_the_hypervisor_used() -> None:
    first, last = MachineTime(0, 0, 0), MachineTime(400, 200, 20)
    assert other_cpu_fraction(first, last, 500_000_000, 2, 1_000_000_000) == pytest.approx(0.45 - 0.25)


def test_other_cpu_is_never_below_nothing() -> None:
    assert other_cpu_fraction(MachineTime(0, 0, 0), MachineTime(400, 400, 0), 10**9, 2, 10**9) == 0


def test_this_machine_can_be_sampled_or_says_that_it_cannot() -> None:
    found = machine_time()
    assert found is None or found.total > found.idle >= 0


def test_usage_is_the_difference_between_the_edges_of_the_window() -> None:
    clock = FakeClock()
    watch = ProcessWatch(clock)
    clock.advance(500)
    watch.opened(500)
    clock.advance(1000)
    clock.spun_ns = 30
    watch.closed(1500)
    clock.advance(9999)
    usage = watch.usage()
    assert (usage.wall_ns, usage.cpu_ns, usage.spun_ns) == (1000, 100, 30)


def test_collections_inside_the_window_are_counted_with_their_pauses() -> None:
    clock = FakeClock(tick_ns=10)
    watch = ProcessWatch(clock)
    gc.disable()
    try:
        gc.collect()
        watch.opened(0)
        gc.collect()
        gc.collect()
        watch.closed(0)
        gc.collect()
    finally:
        gc.enable()
    usage = watch.usage()
    assert usage.gc_collections == 2
    assert usage.gc_pause_ns == 20


def test_a_window_that_never_opened_used_nothing() -> None:
    watch = ProcessWatch(FakeClock())
    watch.closed(5)
    assert watch.usage().wall_ns == 0
