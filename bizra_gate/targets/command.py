"""``cmd:COMMAND LINE`` as a target: each execution is one operation, from before its start until it was waited for.

No shell stands in between unless asked for. Wall time is the service time; user and system time and peak memory come
from ``wait4``. Starting a process costs about a millisecond by itself: an empty command is measured through the same
path and told beside the result, never subtracted.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.machinery import SourceFileLoader
from typing import Any

from ..errors import TargetError, UsageError
from ..model import Clock, ClosedLoop, CommandOptions, Plan, Recorder, WorkerTask
from .command_process import Execution, Executor, own_peak_bytes
from .python.books import Books, Failure
from .python.loops import paced
from .python.results import Sample
from .python.threads import Threads

EMPTY_RUNS = 31
"""Executions of the empty command, for the cost of starting a process."""
IQR_TO_SPREAD = 1.453
"""Half the central 95 % range of a normal distribution per interquartile range: 1.96 / 1.349. Taken from the quartiles,
because a few starts on a busy machine last many times as long as the rest."""
MOST_KEPT = 1001
"""Wall times of the first executions, kept for the median that the empty command is held against."""
_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True)
class CommandTarget:
    """Picklable. `root` is the working directory of the command."""

    spec: str
    options: CommandOptions = field(default_factory=CommandOptions)
    root: str = "."
    kind: str = "cmd"

    def __post_init__(self) -> None:
        """Raises `UsageError` where the line cannot be split or its fields and the parameters do not match."""
        if not self.line.strip():
            raise UsageError(
                f"{self.spec!r} names no command", hint="write cmd:COMMAND LINE, for example cmd:gzip -k f"
            )
        text = self.line + (self.options.prepare or "")
        used, given = set(_FIELD.findall(text)), set(self.options.parameters)
        if given - used:
            raise UsageError(f"{self.spec!r} does not use the parameters {', '.join(sorted(given - used))}")
        if any(not values for values in self.options.parameters.values()):
            raise UsageError("a parameter needs at least one value")
        if not self.options.shell:
            _split(self.line)

    @property
    def line(self) -> str:
        return self.spec.removeprefix("cmd:")

    def combinations(self) -> list[dict[str, str]]:
        """Every choice of one value per parameter; one empty choice where there are none."""
        names = list(self.options.parameters)
        return [
            dict(zip(names, values, strict=True)) for values in itertools.product(*self.options.parameters.values())
        ]

    def driver(self, task_plan: Plan) -> CommandDriver:
        return CommandDriver(self, task_plan)

    def identity(self) -> Mapping[str, str]:
        """The line, and the digest of the program where it is a file."""
        program = None if self.options.shell else shutil.which(_split(self.line)[0])
        if program is None:
            return {"name": self.spec}
        data = SourceFileLoader("program", program).get_data(program)
        return {"name": self.spec, "sha256": hashlib.sha256(data).hexdigest()}


def variants(plan: Plan) -> tuple[Plan, ...]:
    """One plan per combination of a ``cmd:`` plan's parameters, so that each is a measurement of its own."""
    options = plan.command
    if options is None or not options.parameters:
        return (plan,)
    target = CommandTarget(plan.target, options)
    plans = []
    for values in target.combinations():
        fixed = replace(options, parameters={name: (value,) for name, value in values.items()})
        suffix = ",".join(f"{name}={value}" for name, value in values.items())
        plans.append(replace(plan, command=fixed, name=f"{plan.name} {suffix}" if plan.name else None))
    return tuple(plans)


def filled(line: str, values: Mapping[str, str]) -> str:
    """`line` with its ``{name}`` fields; braces that are no parameter stay as they are."""
    return _FIELD.sub(lambda match: values.get(match[1], match[0]), line)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"{line!r} cannot be split into words: {error}", hint="or ask for a shell (--shell)"
        ) from error


class CommandDriver:
    """See `model.Driver`. One command at a time, or as many as the closed loop has users."""

    def __init__(self, target: CommandTarget, plan: Plan) -> None:
        self._target, self._plan = target, plan
        self._options = target.options
        self._usage = _Usage()
        self._facts: dict[str, Any] = {}
        self._clock: Clock | None = None

    def place(self, index: int, run: int, clock: Clock) -> None:
        """The clock that the empty command is timed by."""
        self._clock = clock

    def open(self) -> None:
        """Raises `TargetError` where the program or its preparation is not there."""
        os.chdir(self._target.root)
        self._executor = Executor(self._plan.timeout_ns)
        prepare = self._options.prepare
        self._commands = [
            (self._arguments(filled(self._target.line, values)), filled(prepare, values) if prepare else None)
            for values in self._target.combinations()
        ]
        for words, _ in self._commands:
            if shutil.which(words[0]) is None:
                raise TargetError(f"{words[0]}: no such command", hint="give its path, or ask for a shell (--shell)")
        self._spawn_ns = self._spawn_cost(self._clock) if self._clock is not None else []

    def _arguments(self, line: str) -> tuple[str, ...]:
        return ("/bin/sh", "-c", line) if self._options.shell else tuple(_split(line))

    def drive(self, task: WorkerTask, recorder: Recorder, clock: Clock) -> None:
        books = Books(recorder, clock.now_ns, Sample(None))
        self._facts = {"error_examples": books.examples}  # it grows while the load runs

        def execute(*words: str) -> None:
            start = clock.now_ns()
            execution = self._executor.run(words)
            counted = start >= recorder.stop_at_ns - task.plan.duration_ns
            self._usage.add(execution, clock.now_ns() - start, counted=counted)
            self._check(execution)

        clock.sleep_until(task.origin_ns)
        if isinstance(task.load, ClosedLoop) and task.load.concurrency > 1:
            Threads(execute, self._prepared(), books, clock, task).run()
            peak = task.load.concurrency
        else:
            paced(execute, self._prepared(), books, clock, task)
            peak = 1
            books.end(clock.now_ns())
        self._tell(books, peak)

    def _prepared(self) -> Iterator[tuple[str, ...]]:
        """The words of one execution after another; the preparation runs when they are drawn, which is not timed."""
        for words, prepare in itertools.cycle(self._commands):
            if prepare is not None:
                done = self._executor.run(("/bin/sh", "-c", prepare))
                if done.status != 0:
                    raise TargetError(f"--prepare {prepare!r} ended with {done.how}", hint=done.said)
            yield words

    def _check(self, execution: Execution) -> None:
        if execution.timed_out:
            raise Failure("timeout", f"took longer than {self._plan.timeout_ns / 1e9:g} s")
        if execution.status not in self._options.expect_exit:
            raise Failure(execution.how, execution.said)

    def _spawn_cost(self, clock: Clock) -> list[int]:
        """Wall times of an empty command through the same path, and of nothing else."""
        words = ("/bin/sh", "-c", ":") if self._options.shell else (shutil.which("true") or "/bin/true",)
        times = []
        for _ in range(EMPTY_RUNS):
            start = clock.now_ns()
            execution = self._executor.run(words)
            times.append(clock.now_ns() - start)
            self._usage.floor_bytes = max(self._usage.floor_bytes, execution.peak_memory_bytes or 0)
        return sorted(times)

    def _tell(self, books: Books, peak: int) -> None:
        usage, spawn = self._usage, self._spawn_ns
        usage.floor_bytes = max(usage.floor_bytes, own_peak_bytes() or 0)
        self._facts = {
            "in_flight_max": peak,
            "error_examples": dict(books.examples),
            "cpu_ns": usage.cpu_ns,
            "peak_memory_bytes": usage.peak_bytes,
            "caveats": usage.caveats(),
        }
        if spawn:
            middle = spawn[len(spawn) // 2]
            self._facts["controls"] = {
                "operation_ns": usage.median_ns,
                "empty_ns": float(middle),
                "empty_spread_ns": IQR_TO_SPREAD * (spawn[len(spawn) * 3 // 4] - spawn[len(spawn) // 4]),
            }
            said = f"starting an empty command takes {middle / 1e6:.2f} ms here; every time includes it"
            self._facts["caveats"].append(("command.spawn", said))

    def facts(self) -> Mapping[str, Any]:
        return self._facts

    def close(self) -> None:
        self._executor.close()


class _Usage:
    """CPU time and memory of the executions that started in the counted window."""

    def __init__(self) -> None:
        self.user_ns = self.system_ns = self._peak = self.floor_bytes = 0
        self._walls: list[int] = []

    def add(self, execution: Execution, wall_ns: int, *, counted: bool) -> None:
        if len(self._walls) < MOST_KEPT:
            self._walls.append(wall_ns)
        if counted:
            self.user_ns += execution.user_ns
            self.system_ns += execution.system_ns
            self._peak = max(self._peak, execution.peak_memory_bytes or 0)

    @property
    def cpu_ns(self) -> int:
        return self.user_ns + self.system_ns

    @property
    def median_ns(self) -> float | None:
        return float(sorted(self._walls)[len(self._walls) // 2]) if self._walls else None

    @property
    def peak_bytes(self) -> int | None:
        """None where it is no more than what an empty command or the worker itself shows.

        Linux counts the most that the process which starts a program ever held against the program, so what is
        smaller than the worker itself cannot be seen.
        """
        return self._peak if self._peak > self.floor_bytes * 1.02 else None

    def caveats(self) -> list[tuple[str, str]]:
        found = [("command.cpu", f"user {self.user_ns / 1e9:.3f} s, system {self.system_ns / 1e9:.3f} s in the window")]
        if self.peak_bytes is None:
            floor = f"{self.floor_bytes / 2**20:.0f} MiB"
            found.append(("command.memory", f"peak memory is below the {floor} that the harness itself shows"))
        return found
