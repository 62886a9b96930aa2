"""``cmd:…``: how a line becomes words, what one execution tells, and what a measurement of it holds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bizra_gate import load, targets
from bizra_gate.errors import TargetError, UsageError
from bizra_gate.model import ClosedLoop, CommandOptions, Environment, Measurement, Plan, Warmup
from bizra_gate.targets.command import CommandTarget, _Usage, filled, variants
from bizra_gate.targets.command_process import Execution, Executor

MS = 1_000_000


def measure(line: str, loop: ClosedLoop | None = None, options: CommandOptions | None = None,
            timeout_ns: int = 10_000 * MS) -> Measurement:  # fmt: skip
    plan = Plan(line, loop or ClosedLoop(), Warmup(20 * MS), 200 * MS, timeout_ns=timeout_ns, command=options)
    return load.run(plan, targets.resolve(line, plan=plan), load.MonotonicClock(), Environment())


def test_a_line_is_split_as_a_shell_would_and_no_shell_sees_it() -> None:
    target = targets.resolve("cmd:printf '%s' \"a b\" $HOME")
    assert isinstance(target, CommandTarget)
    assert target.line == "printf '%s' \"a b\" $HOME"
    assert target.combinations() == [{}]


@pytest.mark.parametrize("spec", ["cmd:", "cmd:  ", "cmd:echo 'unclosed"])
def test_a_line_without_a_command_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        targets.resolve(spec)


def test_parameters_fill_their_fields_and_other_braces_stay() -> None:
    assert filled("awk '{print $1}' {file} {other}", {"file": "x.txt"}) == "awk '{print $1}' x.txt {other}"


def test_every_combination_of_parameters_is_a_plan_of_its_own() -> None:
    options = CommandOptions(parameters={"level": ("1", "9"), "file": ("a", "b")})
    plan = Plan("cmd:gzip -{level} {file}", ClosedLoop(), Warmup(0), MS, name="gzip", command=options)
    names = [variant.name for variant in variants(plan)]
    assert names == ["gzip level=1,file=a", "gzip level=1,file=b", "gzip level=9,file=a", "gzip level=9,file=b"]
    assert variants(variants(plan)[0])[0].command == variants(plan)[0].command
    assert variants(Plan("cmd:ls", ClosedLoop(), Warmup(0), MS)) == (Plan("cmd:ls", ClosedLoop(), Warmup(0), MS),)


@pytest.mark.parametrize(("line", "parameters"), [("cmd:ls", {"n": ("1",)}), ("cmd:ls {n}", {"n": ()})])
def test_parameters_that_lead_nowhere_are_refused(line: str, parameters: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(UsageError, match="parameter"):
        CommandTarget(line, CommandOptions(parameters=parameters))


def test_a_program_is_bound_by_its_digest(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    before = CommandTarget(f"cmd:{program} -x").identity()["sha256"]
    program.write_text("#!/bin/sh\nexit 1\n")
    assert CommandTarget(f"cmd:{program} -x").identity()["sha256"] != before


@pytest.fixture
def executor() -> Executor:
    return Executor(timeout_ns=60_000 * MS)


def test_an_execution_tells_its_status_and_the_end_of_what_it_complained(executor: Executor) -> None:
    done = executor.run(("/bin/sh", "-c", "echo out; echo bad luck >&2; exit 3"))
    assert (done.status, done.how, done.said, done.timed_out) == (3, "exit 3", "bad luck", False)
    assert executor.run(("/bin/sh", "-c", "exit 4")).said == "", "an earlier complaint is not repeated"


def test_an_execution_tells_the_signal_that_ended_it(executor: Executor) -> None:
    assert executor.run(("/bin/sh", "-c", "kill -SEGV $$")).how == "SIGSEGV"


def test_an_execution_tells_what_it_used(executor: Executor) -> None:
    done = executor.run((sys.executable, "-S", "-c", "x = bytearray(150_000_000); sum(range(10**6))"))
    assert (done.peak_memory_bytes or 0) > 150_000_000
    assert done.user_ns > 0


def test_what_takes_too_long_is_ended() -> None:
    executor = Executor(timeout_ns=50 * MS)
    done = executor.run(("sleep", "3600"))
    executor.close()
    assert done.timed_out
    assert done.status != 0


def test_what_cannot_be_started_is_a_sentence(executor: Executor, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    with pytest.raises(TargetError, match="cannot be started"):
        executor.run((str(text),))


def test_peak_memory_that_an_empty_command_shows_as_well_is_not_measured() -> None:
    usage = _Usage()
    usage.floor_bytes = 40_000_000
    usage.add(Execution(0, 5, 7, 40_100_000), 1_000, counted=True)
    assert usage.peak_bytes is None
    assert "command.memory" in dict(usage.caveats())
    usage.add(Execution(0, 5, 7, 90_000_000), 3_000, counted=True)
    assert usage.peak_bytes == 90_000_000
    usage.add(Execution(0, 5, 7, 900_000_000), 3_000, counted=False)
    assert usage.peak_bytes == 90_000_000, "the warm-up does not count"
    assert (usage.cpu_ns, usage.median_ns) == (24, 3_000)


def test_a_command_is_measured_with_the_cost_of_starting_anything_beside_it() -> None:
    m = measure("cmd:sleep 0.01", ClosedLoop(2))
    assert m.latency is not None
    assert m.latency.histogram is not None
    assert (m.latency.histogram.minimum or 0) > 10 * MS
    series, inside = m.runs[0].intervals, m.runs[0].in_flight
    assert series is not None
    assert inside is not None
    assert min(series.in_flight_ns) >= 0
    assert sum(area for at, area in zip(series.start_ns, series.in_flight_ns, strict=True) if at < 200 * MS) == (
        inside.integral_ns
    )
    assert m.controls is not None
    assert 0 < (m.controls.empty_ns or 0) < (m.controls.operation_ns or 0)
    assert "command.spawn" in [caveat.code for caveat in m.caveats]
    assert m.runs[0].cpu_ns is not None
    assert m.runs[0].peak_memory_bytes is None, "sleep holds less than the worker that starts it"


def test_a_command_that_fails_is_an_error_of_its_exit_status() -> None:
    with pytest.raises(TargetError, match=r"exit 1"):
        measure("cmd:false")


def test_an_exit_status_that_was_expected_is_a_success() -> None:
    assert measure("cmd:false", options=CommandOptions(expect_exit=(0, 1))).operations


def test_a_shell_and_a_preparation_are_there_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "prepared"
    options = CommandOptions(shell=True, prepare=f"touch {file}")
    assert measure(f"cmd:test -e {file} && rm {file}", options=options).operations


def test_a_preparation_that_fails_ends_the_run() -> None:
    with pytest.raises(TargetError, match=r"--prepare 'exit 7' ended with exit 7"):
        measure("cmd:true", options=CommandOptions(prepare="exit 7"))


def test_a_command_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(TargetError, match="no such command"):
        measure("cmd:no-such-command-anywhere --flag")


def test_what_a_command_leaves_running_is_ended_with_its_worker(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    measure(f"cmd:sleep 3600 & echo $! > {note}", options=CommandOptions(shell=True))
    assert not is_running(int(note.read_text()))


def is_running(pid: int) -> bool:
    """A process that was ended and not yet collected by its parent does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
