"""Real processes: few, short, and none left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from bizra_gate import load, targets
from bizra_gate.errors import Interrupted, TargetError
from bizra_gate.load.workers import _keep as keep
from bizra_gate.load.workers import _keeper as keeper_of_groups
from bizra_gate.load.workers import session_members
from bizra_gate.model import ClosedLoop, Environment, Measurement, OpenLoop, Plan, Warmup

MS = 1_000_000
CODE = """
import os, signal, sys, time

def work():
    return sum(range(300))

def loud():
    print("noise on standard output")
    sys.stdout.write("more noise")

def dies():
    sys.stderr.write("out of luck\\n")
    os.kill(os.getpid(), signal.SIGKILL)

def leaves():
    sys.exit("enough")

def napping():
    time.sleep(0.002)

async def waits():
    import asyncio
    await asyncio.sleep(0.002)

class Thing:
    def __init__(self):
        self.place = os.environ["BIZRA_TEST_PLACE"]
    def setup(self, context):
        with open(self.place, "a") as file:
            file.write(f"setup {os.getpid()} {context.worker} of {context.workers} run {context.run}\\n")
    def __call__(self):
        return "hit"
    def close(self):
        with open(self.place, "a") as file:
            file.write(f"close {os.getpid()}\\n")
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    file = tmp_path / "ops.py"
    file.write_text(CODE)
    return file


def measure(code: Path, name: str, loop: ClosedLoop | OpenLoop | None = None, **more: object) -> Measurement:
    spec = f"py:{code}:{name}"
    plan = Plan(spec, loop or ClosedLoop(), Warmup(20 * MS), 100 * MS, **more)  # type: ignore[arg-type]
    target = targets.resolve(spec, plan=plan)
    return load.run(plan, target, load.MonotonicClock(), Environment())


def children() -> list[int]:
    return [
        int(pid) for task in os.listdir("/proc/self/task")
        for pid in Path(f"/proc/self/task/{task}/children").read_text().split()
    ]  # fmt: skip


def test_a_callable_is_measured_in_a_process_of_its_own(code: Path) -> None:
    before = set(children())
    m = measure(code, "work")
    assert m.operations
    assert m.latency is not None
    assert m.latency.histogram is not None
    assert m.latency.histogram.n * m.latency.batch == m.operations
    assert m.controls is not None
    assert m.controls.result_type == "int"
    assert (m.controls.operation_ns or 0) > (m.controls.empty_ns or 0)
    assert m.clock is not None
    assert m.clock.resolution_ns
    assert m.runs[0].cpu_ns
    assert m.runs[0].peak_memory_bytes
    assert set(children()) <= before


def test_every_worker_of_every_run_is_a_fresh_process_with_its_own_setup(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIZRA_TEST_PLACE", str(tmp_path / "log"))
    m = measure(code, "Thing", ClosedLoop(2), workers=2, runs=2)
    lines = (tmp_path / "log").read_text().splitlines()
    set_up = [line for line in lines if line.startswith("setup")]
    assert {line.split(" ", 2)[2] for line in set_up} == {f"{w} of 2 run {r}" for w in (0, 1) for r in (0, 1)}
    assert len({line.split()[1] for line in set_up}) == 4
    assert len([line for line in lines if line.startswith("close")]) == 4
    assert m.outcomes == {"hit": m.operations}


def test_asynchronous_and_open_loops_reach_their_rate(code: Path) -> None:
    m = measure(code, "waits", OpenLoop(200))
    assert m.operations == 20
    assert m.loop == "open"


def test_threads_share_one_operation(code: Path) -> None:
    m = measure(code, "napping", ClosedLoop(4))
    assert m.in_flight is not None
    assert m.in_flight.maximum == 4
    assert m.in_flight.integral_ns / m.in_flight.window_ns > 2


def test_a_target_cannot_write_on_our_standard_output(code: Path, capfd: pytest.CaptureFixture[str]) -> None:
    measure(code, "loud")
    assert capfd.readouterr().out == ""


def test_a_worker_that_is_killed_ends_the_run_with_its_last_words(code: Path) -> None:
    before = set(children())
    with pytest.raises(TargetError, match=r"killed by SIGKILL.*\n.*out of luck") as failure:
        measure(code, "dies")
    assert failure.value.exit_code == 6
    assert set(children()) <= before


def test_an_operation_that_leaves_the_interpreter_is_an_error_of_its_class(code: Path) -> None:
    with pytest.raises(TargetError, match="SystemExit: enough"):
        measure(code, "leaves")


@pytest.mark.parametrize(
    ("spec", "message"),
    [("py:no_such_module_anywhere:f", "cannot be imported"), ("py:json:nothing_there", "no 'nothing_there'"),
     ("py:json:loads", "without s"), ("py:json:__name__", "not a callable")],
)  # fmt: skip
def test_what_cannot_be_driven_is_a_sentence(spec: str, message: str) -> None:
    plan = Plan(spec, ClosedLoop(), Warmup(0), 100 * MS)
    with pytest.raises(TargetError, match=message):
        load.run(plan, targets.resolve(spec), load.MonotonicClock(), Environment())


def test_ctrl_c_leaves_no_process_behind(code: Path) -> None:
    before = set(children())
    spec = f"py:{code}:napping"
    plan = Plan(spec, ClosedLoop(1), Warmup(0), 60_000 * MS)
    alive: list[int] = []

    def press(snapshot: load.Snapshot) -> None:
        alive.extend(set(children()) - before)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        load.run(plan, targets.resolve(spec), load.MonotonicClock(), Environment(), progress=press)
    assert alive
    assert set(children()) == before


def test_the_members_of_a_session_are_found_without_its_leader() -> None:
    assert os.getpid() in (*session_members(os.getsid(0)), os.getsid(0))
    assert os.getsid(0) not in session_members(os.getsid(0))


def test_when_the_parent_dies_whatever_its_workers_started_is_killed() -> None:
    groups = [subprocess.Popen(["sleep", "60"], start_new_session=True) for _ in range(3)]
    keeper, other = keeper_of_groups(), keeper_of_groups()
    assert keeper is not None
    assert keeper.stdin is not None
    assert other is not None
    try:
        for group in groups[:2]:
            keep(keeper, group.pid)
        keep(other, groups[2].pid)
        keeper.stdin.close()  # as the kernel does with the files of a dead process
        assert [group.wait(timeout=30) for group in groups[:2]] == [-signal.SIGKILL] * 2
        other.kill()  # as at the end of every run
        other.communicate()
        assert groups[2].poll() is None
    finally:
        for process in (*groups, keeper, other):
            process.kill()
            process.wait()
