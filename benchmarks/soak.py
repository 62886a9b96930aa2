"""Flat memory: how much parent and worker grow while a server is driven at full rate.

    python benchmarks/soak.py [--minutes 10] [--rate 20000] [--connections 64] [--limit-mib 8]

Drives nginx (or, without it, the embedded server) on 127.0.0.1 the way `bench` does, samples the resident memory of
every process of the generator, and compares the end with the time when everything was in place. Exit 1 where the
growth is above the limit. Memory that is reserved at the start and used later (the histograms) counts as growth too.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from http_generators import machine, nginx

from bizra_gate import load
from bizra_gate.load.clock import MonotonicClock
from bizra_gate.model import ClosedLoop, Environment, HttpRequest, Load, Measurement, OpenLoop, Plan, Warmup
from bizra_gate.targets.http import HttpTarget
from bizra_gate.targets.http.embedded import serve

SETTLING = 0.2
"""Share of the run after which growth is counted: imports, connections and first folds lie before it."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    at_s: float
    parent_mib: float
    workers_mib: float

    @property
    def total_mib(self) -> float:
        return self.parent_mib + self.workers_mib


def resident_mib(pid: int | str) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def workers(parent: int, not_ours: set[int]) -> list[int]:
    """Children of `parent` that are workers of the generator."""
    task = Path(f"/proc/{parent}/task")
    children = [int(pid) for thread in task.iterdir() for pid in (thread / "children").read_text().split()]
    return [pid for pid in children if pid not in not_ours]


@contextmanager
def server(kind: str) -> Iterator[str]:
    """nginx where it is installed, else the embedded server."""
    with ExitStack() as stack:
        if kind == "nginx":
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            directory.chmod(0o755)
            yield stack.enter_context(nginx(directory))
        else:
            yield stack.enter_context(serve()).url


def soak(url: str, offered: Load, seconds: int, every_s: float, not_ours: set[int]) -> tuple[Measurement, list[Sample]]:
    """Drive `url` and sample memory meanwhile."""
    plan = Plan(url, offered, Warmup(0), seconds * 1_000_000_000, http=HttpRequest())
    done: list[Measurement] = []

    def run() -> None:
        done.append(load.run(plan, HttpTarget(url), MonotonicClock(), Environment()))

    thread = threading.Thread(target=run)
    thread.start()
    began, samples = time.monotonic(), []
    while thread.is_alive():
        thread.join(every_s)
        pids = workers(os.getpid(), not_ours)
        sample = Sample(time.monotonic() - began, resident_mib("self"), sum(resident_mib(pid) for pid in pids))
        if sample.workers_mib and sample.at_s < seconds:
            samples.append(sample)
            print(f"{sample.at_s:7.0f} s  parent {sample.parent_mib:7.2f} MiB  workers {sample.workers_mib:7.2f} MiB")
    if not done:
        raise SystemExit("the load ended with an error; see above")
    return done[0], samples


def growth_mib(samples: list[Sample], seconds: int) -> float:
    """From the mean of the first samples after settling to the mean of the last ones."""
    settled = [sample.total_mib for sample in samples if sample.at_s >= SETTLING * seconds]
    if len(settled) < 4:
        raise SystemExit("too few samples: run longer")
    part = max(1, len(settled) // 10)
    return sum(settled[-part:]) / part - sum(settled[:part]) / part


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, help="open loop at so many requests a second; default: closed, full rate")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--limit-mib", type=float, default=8.0)
    options = parser.parse_args()
    seconds = max(10, round(options.minutes * 60))
    offered: Load = OpenLoop(options.rate, "poisson") if options.rate else ClosedLoop(options.connections)
    print(f"machine: {machine()}")
    with server("nginx" if shutil.which("nginx") else "embedded") as url:
        not_ours = set(workers(os.getpid(), set()))
        measurement, samples = soak(url, offered, seconds, max(1.0, seconds / 60), not_ours)
    grown = growth_mib(samples, seconds)
    rate = (measurement.operations or 0) / seconds
    print(f"{measurement.operations:,} requests, {rate:,.0f}/s, for {seconds} s")
    print(
        f"grown by {grown:+.2f} MiB after the first {SETTLING:.0%} of the run; the limit is {options.limit_mib:g} MiB"
    )
    return 0 if grown <= options.limit_mib else 1


if __name__ == "__main__":
    sys.exit(main())
