"""What the in-process engine costs, and what it says beside ``timeit`` and ``pyperf timeit`` on the same functions.

    python benchmarks/inprocess.py              # about two minutes
    python benchmarks/inprocess.py --seconds 1 --no-pyperf

The tools take turns on every function, so that a machine that drifts drifts for all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from array import array
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()

# The functions under test; this file is its own ``py:`` target. ------------------------------------------------------

DOCUMENT = json.dumps([{"id": n, "name": f"user-{n}", "tags": ["a", "b"], "score": n / 7} for n in range(50)])
TEXT = "the quick brown fox jumps over the lazy dog " * 40 + "needle42"
NEEDLE = re.compile(r"needle(\d+)")
TABLE = {f"key-{n}": n for n in range(1000)}


def nothing() -> None:
    """An empty function."""


def lookup() -> int:
    return TABLE["key-500"]


def join() -> str:
    return ",".join(TABLE)


def search() -> object:
    return NEEDLE.search(TEXT)


def loads() -> object:
    return json.loads(DOCUMENT)


def heavy() -> int:
    return sum(n * n for n in range(20_000))


FUNCTIONS: dict[str, Callable[[], object]] = {
    "nothing": nothing, "lookup": lookup, "join": join, "search": search, "loads": loads, "heavy": heavy,
}  # fmt: skip


# What the harness costs ----------------------------------------------------------------------------------------------


def least(measure: Callable[[], float], rounds: int = 300) -> float:
    """The least of many short ones: what is asked here is the cost of code, and everything else only adds."""
    return min(measure() for _ in range(rounds))


def bare_call_ns(turns: int = 5_000) -> float:
    begun = time.perf_counter_ns()
    for _ in repeat(None, turns):
        nothing()
    return (time.perf_counter_ns() - begun) / turns


def timed_turn_ns(turns: int = 2_000) -> float:
    """One turn of the loop that times each operation by itself, on an empty function."""
    from bizra_gate.targets.python.books import Books
    from bizra_gate.targets.python.calibrate import Scratch
    from bizra_gate.targets.python.loops import timed
    from bizra_gate.targets.python.results import Sample

    scratch = Scratch()
    books = Books(scratch, time.perf_counter_ns, Sample(None))
    begun = time.perf_counter_ns()
    timed(nothing, repeat((), turns), books, time.perf_counter_ns)
    return (time.perf_counter_ns() - begun) / turns


def batched_operation_ns(size: int = 1_000, batches: int = 5) -> float:
    """One operation of the loop that times batches, on an empty function."""
    from bizra_gate.targets.python.books import Books
    from bizra_gate.targets.python.calibrate import Scratch
    from bizra_gate.targets.python.loops import batched
    from bizra_gate.targets.python.results import Sample

    scratch = Scratch()
    books = Books(scratch, time.perf_counter_ns, Sample(None))
    begun = time.perf_counter_ns()
    turns = iter(range(batches))

    def operation() -> None:
        return None

    class Stopping:
        """Stops the loop after so many batches, at the cost of one call a batch."""

        start_ns, end_ns, batch = scratch.start_ns, scratch.end_ns, size
        fold_at_ns = 2**62

        @property
        def stop_at_ns(self) -> int:
            return 2**62 if next(turns, None) is not None else 0

    books.recorder = Stopping()  # type: ignore[assignment]
    batched(operation, size, books, time.perf_counter_ns)
    return (time.perf_counter_ns() - begun) / (size * batches)


def fold_ns_per_value(n: int = 200_000) -> float:
    """One second's columns of a closed loop, taken in."""
    import numpy as np

    from bizra_gate.load.recorder import ColumnRecorder
    from bizra_gate.load.window import Window

    recorder = ColumnRecorder(
        Window.after(0, 0, 100 * 10**9), open_loop=False, timeout_ns=10**10, emit=lambda row: None
    )
    spans = np.random.default_rng(1).lognormal(6, 0.5, n).astype(np.int64)
    starts = np.linspace(0, 10**9 - 50_000, n).astype(np.int64)
    recorder.start_ns.frombytes(starts.tobytes())
    recorder.end_ns.frombytes(np.minimum(starts + spans, 10**9 - 1).tobytes())
    begun = time.thread_time_ns()
    recorder.fold(10**9, 10**9, 0)
    return (time.thread_time_ns() - begun) / n


def clock_ns() -> float:
    now_ns = time.perf_counter_ns
    begun = now_ns()
    for _ in repeat(None, 2_000):
        now_ns()
    return (now_ns() - begun) / 2_000


def append_ns() -> float:
    column: array[int] = array("q")
    append = column.append
    value = time.perf_counter_ns()
    begun = time.perf_counter_ns()
    for _ in repeat(None, 2_000):
        append(value)
    return (time.perf_counter_ns() - begun) / 2_000


def print_costs() -> None:
    bare = least(bare_call_ns)
    timed_ns, batched_ns = least(timed_turn_ns), least(batched_operation_ns)
    rows = [
        ("reading the clock (two per timed operation)", least(clock_ns), None),
        ("appending a stamp (two per timed operation)", least(append_ns), None),
        ("calling an empty function", bare, None),
        ("harness per individually timed operation", timed_ns - bare, 200.0),
        ("harness per batched operation", max(0.0, batched_ns - bare), 45.0),
        ("folding a value (CPU time)", least(fold_ns_per_value, 15), 5.0),
    ]
    print(f"{'cost':<48}{'ns':>9}{'goal':>8}")
    for name, value, goal in rows:
        print(f"{name:<48}{value:>9.1f}{'' if goal is None else f'≤ {goal:g}':>8}")


# What three tools say ------------------------------------------------------------------------------------------------


def ours(name: str, seconds: float) -> tuple[float, str]:
    """(median ns per operation, how it was timed) in a fresh process."""
    from bizra_gate import load, targets
    from bizra_gate.model import ClosedLoop, Environment, Plan, Warmup

    plan = Plan(f"py:{HERE}:{name}", ClosedLoop(), Warmup(int(seconds * 2e8)), int(seconds * 1e9))
    measurement = load.run(plan, targets.resolve(plan.target), load.MonotonicClock(), Environment())
    latency = measurement.latency
    assert latency is not None
    assert latency.histogram is not None
    how = "one by one" if latency.batch == 1 else f"batches of {latency.batch:,}"
    return float(latency.histogram.quantile(0.5) or 0), how


def with_timeit(name: str, seconds: float) -> float:
    """Median over repeats of the standard library's loop, with its collector off as it is by default."""
    timer = timeit.Timer("f()", globals={"f": FUNCTIONS[name]})
    number, taken = timer.autorange()
    number = max(1, round(number * (seconds / 10) / taken))
    return statistics.median(timer.repeat(9, number)) / number * 1e9


def with_pyperf(name: str) -> float | None:
    """The median of ``pyperf timeit --fast``, None where pyperf is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        setup = f"import sys; sys.path.insert(0, {str(HERE.parent)!r}); from inprocess import {name} as f"
        command = [sys.executable, "-m", "pyperf", "timeit", "--fast", "-q", "-o", str(out), "-s", setup, "f()"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"pyperf: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return None
        runs = json.loads(out.read_text())["benchmarks"][0]["runs"]
    values: list[Any] = [value for run in runs for value in run.get("values", [])]
    return statistics.median(values) * 1e9


def print_comparison(seconds: float, *, use_pyperf: bool) -> None:
    print(f"\n{'function':<10}{'bizra-gate':>13}{'timeit':>13}{'pyperf':>13}   {'ours/timeit':>11}   timed")
    for name in FUNCTIONS:
        mine, how = ours(name, seconds)
        theirs = with_timeit(name, seconds)
        pyperf = with_pyperf(name) if use_pyperf else None
        shown = "—" if pyperf is None else f"{pyperf:,.1f}"
        print(f"{name:<10}{mine:>13,.1f}{theirs:>13,.1f}{shown:>13}   {mine / theirs:>11.3f}   {how}")
    print("medians, ns per operation; ours are whole nanoseconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=3.0, help="measured per function and tool")
    parser.add_argument("--no-pyperf", action="store_true")
    asked = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load average {load:.2f}\n")
    print_costs()
    print_comparison(asked.seconds, use_pyperf=not asked.no_pyperf)


if __name__ == "__main__":
    main()
