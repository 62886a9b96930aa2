"""Requests per CPU-second of load generators, side by side: the same server on one core, each generator on another.

    python benchmarks/http_generators.py [--rounds 5] [--seconds 5] [--connections 64] [--only wrk,bizra-gate]

Rounds are interleaved (A B C, C B A, …), so that what drifts on the machine falls on all. CPU is user and system time
of the generator's whole process tree, as wait4 tells it. "with start-up" is everything from exec to exit; "steady" is
what the second half of a run twice as long costs, so that loading an interpreter is nobody's merit or fault.
Generators that are not installed are listed as absent. Traffic goes to 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOCUSTFILE = """\
from locust import FastHttpUser, task
class User(FastHttpUser):
    @task
    def get(self):
        self.client.get("/")
"""
NGINX = """\
worker_processes 1;
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type text/plain; return 200 "hello, world\\n"; }} }}
}}
"""


@dataclass(frozen=True)
class Load:
    url: str
    connections: int
    seconds: int
    directory: Path


@dataclass(frozen=True)
class Generator:
    """How one is started, and how many requests its output says were answered."""

    program: str
    command: Callable[[Load], Sequence[str]]
    requests: Callable[[str], int]


@dataclass(frozen=True)
class Ran:
    requests: int
    cpu_s: float
    wall_s: float


def number(pattern: str) -> Callable[[str], int]:
    """The first group of `pattern` in the output, as a whole number."""

    def read(output: str) -> int:
        match = re.search(pattern, output)
        if match is None:
            raise ValueError(f"no {pattern!r} in:\n{output[-2000:]}")
        return int(float(match[1].replace(",", "")))

    return read


def autocannon_requests(output: str) -> int:
    return int(json.loads(output)["requests"]["total"])


def locust_requests(output: str) -> int:
    return sum(int(row["num_requests"]) for row in json.loads(output[output.index("[") :]))


GENERATORS: dict[str, Generator] = {
    "wrk": Generator(
        "wrk",
        lambda load: ["wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds}s", load.url],
        number(r"(\d+) requests in"),
    ),
    "bizra-gate": Generator(
        sys.executable,
        lambda load: [sys.executable, __file__, "--as-generator", load.url, str(load.connections), str(load.seconds)],
        number(r"(\d+) operations"),
    ),
    "h2load": Generator(
        "h2load",
        lambda load: ["h2load", "--h1", "-t1", f"-c{load.connections}", f"-D{load.seconds}", load.url],
        number(r"(\d+) succeeded"),
    ),
    "ab": Generator(
        "ab",
        lambda load: [
            "ab", "-q", "-k", "-c", str(load.connections), "-t", str(load.seconds), "-n", "100000000", load.url
        ],
        number(r"Complete requests:\s+(\d+)"),
    ),
    "autocannon": Generator(
        "autocannon",
        lambda load: ["autocannon", "-j", "-c", str(load.connections), "-d", str(load.seconds), load.url],
        autocannon_requests,
    ),
    "hey": Generator(
        "hey",
        lambda load: ["hey", "-cpus", "1", "-c", str(load.connections), "-z", f"{load.seconds}s", load.url],
        number(r"\[200\]\s+(\d+) responses"),
    ),
    "vegeta": Generator(
        "vegeta",
        lambda load: [
            "sh", "-c",
            f"echo GET {load.url} | vegeta -cpus=1 attack -rate=0 -max-workers={load.connections} "
            f"-duration={load.seconds}s | vegeta report -type=text",
        ],
        number(r"Requests\s+\[[^\]]*\]\s+(\d+)"),
    ),
    "k6": Generator(
        "k6",
        lambda load: [
            "k6", "run", "--quiet", "--vus", str(load.connections), "--duration", f"{load.seconds}s",
            str(load.directory / "script.js"),
        ],
        number(r"http_reqs[.:\s]+(\d+)"),
    ),
    "locust": Generator(
        "locust",
        lambda load: [
            "locust", "-f", str(load.directory / "locustfile.py"), "--headless", "--json", "--loglevel", "ERROR",
            "-u", str(load.connections), "-r", str(load.connections), "-t", f"{load.seconds}s",
            "-H", load.url.rstrip("/"),
        ],
        locust_requests,
    ),
}  # fmt: skip


# ── our own engine, as a program like the others ─────────────────────────────────────────────────────────────────


def generate(url: str, connections: int, seconds: int) -> None:
    """The whole way of `bench` short of signing: worker process, engine, full recording, folds, assembly."""
    from bizra_gate import load
    from bizra_gate.load.clock import MonotonicClock
    from bizra_gate.model import ClosedLoop, Environment, HttpRequest, Plan, Warmup
    from bizra_gate.targets.http import HttpTarget

    request = HttpRequest()
    plan = Plan(url, ClosedLoop(connections), Warmup(0), seconds * 1_000_000_000, http=request)
    measurement = load.run(plan, HttpTarget(url, request), MonotonicClock(), Environment())
    print(f"{measurement.operations} operations")


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────


def pinned(core: int) -> list[str]:
    """Prefix that keeps a program on one core, where there are two to keep apart."""
    two = (os.cpu_count() or 1) >= 2 and shutil.which("taskset") is not None
    return ["taskset", "-c", str(core)] if two else []


@contextmanager
def nginx(directory: Path) -> Iterator[str]:
    """nginx with one worker on core 1."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = directory / "nginx.conf"
    config.write_text(NGINX.format(directory=directory, port=port))
    command = [*pinned(1), shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(config), "-p", str(directory)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(10)


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the server did not come up")


def execute(generator: Generator, load: Load) -> Ran:
    """Run one generator to its end on core 0 and read its CPU time from the kernel."""
    output, complaints = load.directory / "output", load.directory / "complaints"
    environment = {**os.environ, "GOMAXPROCS": "1", "K6_NO_USAGE_REPORT": "true"}
    with output.open("wb") as stream, complaints.open("wb") as errors:
        began = time.perf_counter()
        child = subprocess.Popen([*pinned(0), *generator.command(load)], stdout=stream, stderr=errors, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    requests = generator.requests(output.read_text(errors="replace"))
    if not requests:
        raise SystemExit(f"{generator.program} sent nothing: {complaints.read_text(errors='replace')[-2000:]}")
    return Ran(requests, usage.ru_utime + usage.ru_stime, wall)


def measure(names: Sequence[str], load: Load, rounds: int) -> dict[str, list[tuple[Ran, Ran]]]:
    """(short, long) runs of every generator, round by round, the order reversed every time."""
    found: dict[str, list[tuple[Ran, Ran]]] = {name: [] for name in names}
    longer = Load(load.url, load.connections, load.seconds * 2, load.directory)
    for number_ in range(rounds):
        for name in names if number_ % 2 == 0 else list(reversed(names)):
            pair = execute(GENERATORS[name], load), execute(GENERATORS[name], longer)
            found[name].append(pair)
            print(f"round {number_ + 1}: {name:<11} {steady(pair):>9,.0f} requests per CPU-second", file=sys.stderr)
    return found


def steady(pair: tuple[Ran, Ran]) -> float:
    """Requests per CPU-second of the part that the longer run has and the shorter one has not."""
    short, long = pair
    return (long.requests - short.requests) / max(1e-9, long.cpu_s - short.cpu_s)


def overall(pair: tuple[Ran, Ran]) -> float:
    return pair[1].requests / pair[1].cpu_s


def table(found: dict[str, list[tuple[Ran, Ran]]], reference: str) -> list[str]:
    lines = [
        f"| generator | requests per CPU-second | × {reference} | range of × | with start-up | requests/s |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    base = [steady(pair) for pair in found.get(reference, ())]
    for name, pairs in sorted(found.items(), key=lambda item: -statistics.median(map(steady, item[1]))):
        ratios = [steady(pair) / other for pair, other in zip(pairs, base, strict=False)]
        share = f"{statistics.median(ratios):.2f} | {min(ratios):.2f}–{max(ratios):.2f}" if ratios else "— | —"
        rate = statistics.median(pair[1].requests / pair[1].wall_s for pair in pairs)
        lines.append(
            f"| {name} | {statistics.median(map(steady, pairs)):,.0f} | {share} "
            f"| {statistics.median(map(overall, pairs)):,.0f} | {rate:,.0f} |"
        )
    return lines


def machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (match := re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())):
        model = match[1]
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}, load average before {load:.2f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="length of the short run; the long one takes twice that")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", default=",".join(GENERATORS), help="names, separated by commas")
    parser.add_argument("--url", help="a server that runs already, instead of nginx")
    parser.add_argument("--as-generator", nargs=3, metavar=("URL", "CONNECTIONS", "SECONDS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_generator:
        url, connections, seconds = options.as_generator
        generate(url, int(connections), int(seconds))
        return 0
    wanted = [name.strip() for name in options.only.split(",")]
    present = [name for name in wanted if shutil.which(GENERATORS[name].program)]
    print(f"machine: {machine()}")
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        directory.chmod(0o755)
        (directory / "locustfile.py").write_text(LOCUSTFILE)
        with nginx(directory) if not options.url else given(options.url) as url:
            (directory / "script.js").write_text(
                f'import http from "k6/http";\nexport default () => http.get("{url}");\n'
            )
            found = measure(present, Load(url, options.connections, options.seconds, directory), options.rounds)
    print(
        f"{options.connections} keep-alive connections, {options.rounds} rounds of {options.seconds} s and twice that"
    )
    print("\n".join(table(found, "wrk")))
    absent = [name for name in wanted if name not in present]
    if absent:
        print(f"absent: {', '.join(absent)}")
    return 0


@contextmanager
def given(url: str) -> Iterator[str]:
    yield url


if __name__ == "__main__":
    sys.exit(main())
