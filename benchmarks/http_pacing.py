"""How late an open loop sends: delay, service and response time at several rates, and at a share of saturation.

    python benchmarks/http_pacing.py [--seconds 10] [--rates 100,1000,10000,50000] [--share 0.3]

nginx on core 1, the generator on core 0 of 127.0.0.1. Delay is actual minus intended start. wrk2 adds 760 µs to the
median at such rates and libuv timers 230 µs, because they tick in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from http_generators import machine, nginx

from bizra_gate import load
from bizra_gate.load.clock import MonotonicClock
from bizra_gate.model import (
    ClosedLoop,
    Distribution,
    Environment,
    HttpRequest,
    Latency,
    Load,
    Measurement,
    OpenLoop,
    Plan,
    Warmup,
)
from bizra_gate.targets.http import HttpTarget


def measured(url: str, offered: Load, seconds: int) -> Measurement:
    request = HttpRequest()
    plan = Plan(url, offered, Warmup(1_000_000_000), seconds * 1_000_000_000, http=request)
    return load.run(plan, HttpTarget(url, request), MonotonicClock(), Environment())


def of(latency: Latency | None) -> Distribution:
    if latency is None or latency.histogram is None:
        raise SystemExit("nothing was recorded")
    return latency.histogram


def row(rate: float, measurement: Measurement) -> str:
    delay, service, response = (of(part) for part in (measurement.delay, measurement.service, measurement.response))
    figures = [delay.quantile(0.5), delay.quantile(0.99), service.quantile(0.5), response.quantile(0.5)]
    micro = [(figure or 0) / 1000 for figure in figures]
    cpu = measurement.generator.cpu_fraction[0] if measurement.generator else float("nan")
    achieved = (measurement.operations or 0) / (measurement.duration_ns.value if measurement.duration_ns else 1) * 1e9
    return (
        f"| {rate:,.0f}/s | {achieved:,.0f}/s | {micro[0]:,.1f} | {micro[1]:,.0f} | {micro[2]:,.0f} | {micro[3]:,.0f} "
        f"| {micro[3] - micro[2]:+,.1f} | {cpu:.0%} |"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rates", default="100,1000,10000,50000")
    parser.add_argument(
        "--share", type=float, default=0.3, help="of what a closed loop of 64 reaches, as one more rate"
    )
    options = parser.parse_args()
    print(f"machine: {machine()}")
    if (os.cpu_count() or 1) >= 2 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        directory.chmod(0o755)
        with nginx(directory) as url:
            saturation = (measured(url, ClosedLoop(64), options.seconds).operations or 0) / options.seconds
            print(f"saturation, closed loop of 64: {saturation:,.0f}/s\n")
            print("| rate | achieved | median delay µs | p99 delay µs | median service µs | median response µs |"
                  " added | CPU |")  # fmt: skip
            print("|--:|--:|--:|--:|--:|--:|--:|--:|")
            for rate in [*map(float, options.rates.split(",")), saturation * options.share]:
                print(row(rate, measured(url, OpenLoop(rate, "poisson"), options.seconds)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
