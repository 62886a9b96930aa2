"""From ``py:…`` to an operation with its hooks, and every way in which that can go wrong."""

from __future__ import annotations

import asyncio
import functools
import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from python_bench import MS, Bench

from bizra_gate import targets
from bizra_gate.errors import TargetError, UsageError
from bizra_gate.load.clock import FakeClock, MonotonicClock
from bizra_gate.model import ClosedLoop, OpenLoop, Plan, Warmup
from bizra_gate.targets import overload
from bizra_gate.targets.python import PythonTarget, async_controls
from bizra_gate.targets.python.aio import AsyncLoad
from bizra_gate.targets.python.async_controls import run_async_controls
from bizra_gate.targets.python.controls import empty_like, run_controls, summary
from bizra_gate.targets.python.driver import PythonDriver
from bizra_gate.targets.python.leftovers import look_for_leftovers
from bizra_gate.targets.python.operation import Context, of
from bizra_gate.targets.python.results import Sample, unconsumed

HERE = Context(worker=1, workers=2, run=0, seed=7)


def nothing() -> None:
    return None


async def sleepy() -> None:
    await asyncio.sleep(0)


class Counted:
    def __init__(self) -> None:
        self.calls = 0
        self.closed = False

    def __call__(self) -> int:
        self.calls += 1
        return self.calls

    def validate(self, result: int) -> bool:
        return result % 2 == 0

    def close(self) -> None:
        self.closed = True


# What is named ------------------------------------------------------------------------------------------------------


def test_a_module_and_an_attribute() -> None:
    target = targets.resolve("py:os.path:join")
    assert isinstance(target, PythonTarget)
    assert (target.module, target.attribute, target.path) == ("os.path", "join", None)


def test_a_file_is_looked_for_in_the_repository_and_bound_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "ops.py").write_text("def f(): pass\n")
    target = targets.resolve("py:bench/ops.py:f", root=tmp_path)
    assert isinstance(target, PythonTarget)
    assert target.path == str(tmp_path / "bench" / "ops.py")
    assert target.search[0] == str(tmp_path / "bench")
    before = target.identity()["sha256"]
    (tmp_path / "bench" / "ops.py").write_text("def f(): return 1\n")
    assert target.identity()["sha256"] != before


def test_a_module_is_named_with_the_version_of_its_distribution() -> None:
    assert "version.pytest" in targets.resolve("py:pytest:main").identity()


@pytest.mark.parametrize(
    "spec", ["py:", "py:json", "py:json:", "py:json:1st", "py:not a module:f", "py:a/b:f", "py:json:dumps\n"]
)
def test_what_is_no_callables_name_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        targets.resolve(spec)


def test_a_file_that_is_not_there_is_refused_before_a_process_is_started() -> None:
    with pytest.raises(TargetError, match="no such file"):
        targets.resolve("py:no/such/file.py:f")


@pytest.mark.parametrize(
    ("spec", "meant"), [("htp://x", "http://127"), ("PY:json:loads", "py:module:attr"), ("comd:ls", "cmd:gzip")]
)
def test_an_unknown_scheme_asks_what_was_meant(spec: str, meant: str) -> None:
    with pytest.raises(UsageError) as refused:
        targets.resolve(spec)
    assert f"did you mean '{meant}" in refused.value.hint


def test_resolving_imports_neither_the_engines_nor_the_thing_under_test() -> None:
    code = (
        "import sys; from bizra_gate import targets; targets.resolve('py:this:d');"
        "print([m for m in ('this','numpy','httptools','bizra_gate.targets.http','bizra_gate.targets.command')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# What it is -----------------------------------------------------------------------------------------------------------


def test_a_function_is_the_operation() -> None:
    operation = of(nothing, "x")
    assert operation.call is nothing
    assert not operation.is_async


@pytest.mark.parametrize("found", [sleepy, functools.partial(sleepy)])
def test_a_coroutine_function_runs_on_a_loop(found: Any) -> None:
    assert of(found, "x").is_async


def test_an_asynchronous_call_of_a_class_is_noticed() -> None:
    class Client:
        async def __call__(self) -> None: ...

    assert of(Client, "x").is_async


def test_a_class_is_instantiated_and_its_hooks_are_used() -> None:
    operation = of(Counted, "x")
    assert operation.call() == 1
    assert operation.validate is not None
    assert operation.validate(4)
    assert operation.close is not None
    operation.close()
    assert operation.owner.closed


@pytest.mark.parametrize(
    ("found", "message"),
    [(int, "class without __call__"), ("text", "str, not a callable"), (lambda a, b: None, "without a, b"),
     (lambda *, key: None, "without key")],
)  # fmt: skip
def test_what_is_no_operation_is_a_sentence(found: Any, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        of(found, "py:x:y")


def test_a_class_that_cannot_be_made_is_a_sentence() -> None:
    class Broken:
        def __init__(self) -> None:
            raise OSError("no database")

        def __call__(self) -> None: ...

    with pytest.raises(TargetError, match="OSError: no database"):
        of(Broken, "x")


def with_arguments(arguments: Any) -> Any:
    def operation(item: Any, other: Any = None) -> Any:
        return item, other

    operation.arguments = arguments  # type: ignore[attr-defined]
    return operation


@pytest.mark.parametrize(
    "given",
    [[1, (2, 3)], (n for n in [1, (2, 3)]), lambda context: iter([1, (2, 3)])],
    ids=["list", "generator", "callable"],
)
def test_arguments_go_round_and_a_tuple_is_unpacked(given: Any) -> None:
    operation = of(with_arguments(given), "x")
    assert operation.arguments is not None
    drawn: Iterator[tuple[Any, ...]] = operation.arguments(HERE)
    assert list(itertools.islice(drawn, 5)) == [(1,), (2, 3), (1,), (2, 3), (1,)]


def test_arguments_know_their_worker_and_are_the_same_every_time() -> None:
    operation = of(with_arguments(lambda context: [context.random.random(), context.worker]), "x")
    assert operation.arguments is not None
    first, again = (list(itertools.islice(operation.arguments(Context(1, 2, 0, 7)), 2)) for _ in range(2))
    assert first == again
    assert first[1] == (1,)
    other = list(itertools.islice(operation.arguments(Context(0, 2, 0, 7)), 2))
    assert other[0] != first[0]


def test_a_generator_asked_for_by_each_item_goes_on_and_does_not_start_again() -> None:
    """``(context.random.random() for _ in range(100))`` would otherwise be the same number a hundred times."""
    context = Context(1, 2, 0, 7)
    assert len({context.random.random() for _ in range(100)}) == 100


def test_empty_arguments_are_told_and_not_waited_for() -> None:
    operation = of(with_arguments([]), "x")
    assert operation.arguments is not None
    with pytest.raises(TargetError, match="empty"):
        next(operation.arguments(HERE))


def test_arguments_that_are_no_such_thing_are_refused() -> None:
    with pytest.raises(TargetError, match="neither iterable nor callable"):
        of(with_arguments(5), "x")


# What it returned -----------------------------------------------------------------------------------------------------


async def _agen() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (None, None), ([1], None), (iter([1]), "iterator"), (map(str, []), "iterator"), (zip([]), "iterator"),
        (itertools.count(), "iterator"), ((n for n in ()), "generator"), (_agen(), "async_generator"), ({}, None),
    ],
)  # fmt: skip
def test_what_was_never_consumed_is_noticed(result: Any, kind: str | None) -> None:
    assert unconsumed(result) == kind


def test_a_coroutine_that_nobody_awaited_is_noticed() -> None:
    result = sleepy()
    assert unconsumed(result) == "coroutine"
    result.close()


def test_the_validator_is_asked_and_one_that_raises_has_refused() -> None:
    def validate(result: int) -> bool:
        return 1 / result > 0

    sample = Sample(validate)
    for result in (1, 0, -1, 2):
        sample.look(result)
    assert (sample.validated, sample.rejected, sample.distinct, sample.result_type) == (4, 2, 4, "int")


def test_distinct_results_are_counted_even_where_they_cannot_be_hashed() -> None:
    sample = Sample(None)
    for result in ([1], [1], {"a": 1}, [2]):
        sample.look(result)
    assert sample.distinct == 3


# Negative controls ----------------------------------------------------------------------------------------------------


def controls(call: Any, bench: Bench, **more: Any) -> dict[str, Any]:
    operation = of(call, "x")
    arguments = itertools.repeat(()) if operation.arguments is None else operation.arguments(HERE)
    sample = more.pop("sample", Sample(None))
    return run_controls(
        operation, call, arguments, sample, bench.clock, **{"batched": False, "operation_ns": MS} | more
    )


@pytest.mark.parametrize("batched", [False, True])
def test_doing_it_twice_takes_twice_as_long_and_nothing_takes_nothing(batched: bool) -> None:
    bench = Bench(ClosedLoop(), tick_ns=40)
    found = controls(bench.taking(MS), bench, batched=batched)
    assert found["operation_ns"] == pytest.approx(MS, rel=0.02)
    assert found["twice_ns"] == pytest.approx(2 * MS, rel=0.02)
    assert found["empty_ns"] <= 40
    assert found["empty_spread_ns"] == 0


@pytest.mark.parametrize("batched", [False, True])
def test_what_an_operation_stood_in_the_queue_for_a_core_is_not_its_cost(batched: bool) -> None:
    """Of ten milliseconds it is held up for fifteen in every second call, so that two in a row always are."""
    bench = Bench(ClosedLoop())
    calls = itertools.count()

    def held_up() -> None:
        bench.clock.advance(10 * MS)
        if next(calls) % 2:
            bench.clock.advance(15 * MS)
            bench.clock.waited_ns += 15 * MS

    found = controls(held_up, bench, batched=batched, operation_ns=10 * MS)
    assert (found["operation_ns"], found["twice_ns"]) == (10 * MS, 20 * MS)


def test_a_long_operation_of_random_length_has_too_few_rounds_to_be_told_twice() -> None:
    bench = Bench(ClosedLoop())
    draw = random.Random(3)
    found = controls(lambda: bench.clock.advance(draw.randrange(10 * MS, 500 * MS)), bench, operation_ns=200 * MS)
    assert found["operation_ns"] > 10 * MS
    assert "twice_ns" not in found


def test_a_short_operation_of_random_length_is_told_twice() -> None:
    bench = Bench(ClosedLoop())
    draw = random.Random(3)
    found = controls(lambda: bench.clock.advance(draw.randrange(MS // 20, MS)), bench, operation_ns=MS / 2)
    assert found["twice_ns"] / found["operation_ns"] == pytest.approx(2, rel=0.2)


def test_an_operation_that_remembers_is_found_out_by_doing_it_twice() -> None:
    bench = Bench(ClosedLoop())
    done: set[int] = set()

    def lazy() -> None:
        if bench.clock.time_ns // MS not in done:
            bench.clock.advance(MS)
            done.add(bench.clock.time_ns // MS)

    found = controls(lazy, bench)
    assert found["twice_ns"] < 1.5 * MS


def test_an_operation_that_takes_too_long_is_not_repeated() -> None:
    found = controls(nothing, Bench(ClosedLoop()), operation_ns=3e9)
    assert "operation_ns" not in found
    assert "leftover_threads" not in found


def test_an_operation_that_fails_has_no_controls_but_its_results() -> None:
    def failing() -> None:
        raise OSError

    sample = Sample(None)
    sample.look("x")
    found = controls(failing, Bench(ClosedLoop()), sample=sample)
    assert found["result_type"] == "str"
    assert "twice_ns" not in found


def test_the_empty_control_has_the_same_shape() -> None:
    assert empty_like(of(nothing, "x"), ())() is None
    assert empty_like(of(nothing, "x"), (1, 2))(1, 2) is None
    with pytest.raises(TypeError):
        empty_like(of(nothing, "x"), (1,))(1, 2)
    assert type(empty_like(of(Counted, "x"), ())).__name__ == "Nothing"


def test_the_spread_leaves_the_tails_out() -> None:
    found = summary([5.0], [*map(float, range(100)), 1e9], [9.0])
    assert (found["operation_ns"], found["empty_ns"], found["twice_ns"]) == (5, 50, 9)
    assert found["empty_spread_ns"] == pytest.approx(48, abs=1)


def test_a_thread_that_outlives_the_call_is_found() -> None:
    over = threading.Event()

    def leaves_a_thread() -> None:
        threading.Thread(target=over.wait, daemon=True).start()

    found = look_for_leftovers(leaves_a_thread, FakeClock())
    over.set()
    assert found.threads == 1
    assert look_for_leftovers(nothing, FakeClock()).threads == 0


def test_a_thread_that_is_waited_for_is_no_leftover() -> None:
    def waits() -> None:
        thread = threading.Thread(target=nothing)
        thread.start()
        thread.join()

    assert look_for_leftovers(waits, FakeClock()).threads == 0


def test_a_process_that_outlives_the_call_is_found() -> None:
    started: list[subprocess.Popen[bytes]] = []

    def leaves_a_process() -> None:
        started.append(subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE))

    found = look_for_leftovers(leaves_a_process, FakeClock(), calls=3)
    for process in started:
        process.communicate(b"\n")
    assert found.processes == 1


def test_work_handed_to_a_waiting_pool_is_found_by_the_time_that_it_burns() -> None:
    wake, over = threading.Event(), threading.Event()

    def burn() -> None:
        while not over.is_set():
            wake.wait(0.5)
            for _ in range(2000):
                sum(range(100))

    thread = threading.Thread(target=burn)
    thread.start()
    found = look_for_leftovers(wake.set, MonotonicClock())
    over.set()
    thread.join()
    assert found.threads >= 1


# Asynchronous operations ----------------------------------------------------------------------------------------------


def drive_async(call: Any, loop: ClosedLoop, bench: Bench) -> AsyncLoad:
    load = AsyncLoad(call, itertools.repeat(()), Sample(None), bench.recorder, bench.clock, bench.task)
    asyncio.run(load.closed(loop))
    return load


def test_an_asynchronous_operation_is_timed_and_integrated() -> None:
    bench = Bench(ClosedLoop())

    async def operation() -> str:
        bench.clock.advance(2 * MS)
        return "ok"

    load = drive_async(operation, ClosedLoop(1), bench)
    tally = bench.tally()
    assert tally.operations == 1000
    assert tally.outcomes == {"ok": 1000}
    assert tally.in_flight_ns == tally.service.span_ns + tally.carried_in_ns - tally.carried_out_ns == 2_000 * MS
    assert (load.in_flight, load.peak) == (0, 1)


def test_asynchronous_errors_have_their_class() -> None:
    bench = Bench(ClosedLoop())

    async def operation() -> None:
        bench.clock.advance(2 * MS)
        raise LookupError("nobody home")

    load = drive_async(operation, ClosedLoop(1), bench)
    assert bench.tally().errors == {"LookupError": 1000}
    assert load.examples == {"LookupError": "nobody home"}


def test_an_operation_that_cancels_itself_is_an_error_and_ends_nobody_else() -> None:
    bench = Bench(ClosedLoop())

    async def operation() -> None:
        bench.clock.advance(2 * MS)
        raise asyncio.CancelledError

    drive_async(operation, ClosedLoop(2), bench)
    assert bench.tally().errors["CancelledError"] == 1000


def test_what_runs_longer_than_the_timeout_is_cancelled_and_counted() -> None:
    bench = Bench(ClosedLoop(), timeout_ns=100 * MS)

    async def operation() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            bench.clock.advance(1)

    async def passing_time() -> None:
        while bench.clock.now_ns() < bench.window.closes_ns + 300 * MS:
            await asyncio.sleep(0.001)
            bench.clock.advance(25 * MS)

    async def both() -> None:
        load = AsyncLoad(operation, itertools.repeat(()), Sample(None), bench.recorder, bench.clock, bench.task)
        await asyncio.gather(load.closed(ClosedLoop(3)), passing_time())
        assert load.in_flight == 0

    asyncio.run(both())
    tally = bench.tally()
    assert set(tally.errors) == {"timeout"}
    assert tally.service.counts.n == tally.errors["timeout"] > 0
    assert (tally.service.counts.minimum or 0) >= 100 * MS
    assert tally.in_flight_ns == tally.service.span_ns + tally.carried_in_ns - tally.carried_out_ns


def test_a_task_that_outlives_its_operation_is_told() -> None:
    async def leaves_a_task() -> None:
        task = asyncio.ensure_future(asyncio.sleep(3600))
        kept.append(task)

    kept: list[Any] = []

    async def look(call: Any) -> dict[str, Any]:
        found = await run_async_controls(of(call, "x"), call, itertools.repeat(()), Sample(None), FakeClock(), 5e8)
        for task in kept:
            task.cancel()
        return found

    assert asyncio.run(look(leaves_a_task))["unconsumed"] == "task"
    assert asyncio.run(look(sleepy))["unconsumed"] is None


def test_an_operation_that_never_returned_is_not_called_again_for_controls() -> None:
    async def never() -> None:
        raise AssertionError("called again")

    call = never
    found = asyncio.run(run_async_controls(of(call, "x"), call, itertools.repeat(()), Sample(None), FakeClock(), 0.0))
    assert "operation_ns" not in found


def test_controls_of_an_operation_that_hangs_now_and_then_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_controls, "LONGEST_S", 0.001)

    async def never() -> None:
        await asyncio.Event().wait()

    found = asyncio.run(run_async_controls(of(never, "x"), never, itertools.repeat(()), Sample(None), FakeClock(), 5.0))
    assert "operation_ns" not in found


def test_an_async_loop_that_is_hopelessly_behind_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "MOST_UNSENT", 50)
    bench = Bench(OpenLoop(1000, max_in_flight=1), timeout_ns=10_000 * MS)

    async def hanging() -> None:
        bench.clock.advance(3000 * MS)
        await asyncio.Event().wait()

    bench.clock.sleep_until(bench.task.origin_ns)
    load = AsyncLoad(hanging, itertools.repeat(()), Sample(None), bench.recorder, bench.clock, bench.task)
    bench.clock.advance(500 * MS)
    with pytest.raises(TargetError, match="more than 50 operations were due and never sent"):
        asyncio.run(load.open(OpenLoop(1000, max_in_flight=1)))


def test_a_failing_setup_or_close_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "hooks.py"
    file.write_text(
        "class T:\n  def __call__(self): pass\n  def setup(self, context): raise OSError('no disk')\n"
        "class U:\n  def __call__(self): pass\n  def close(self): raise OSError('no end')\n"
        "class V:\n  def __call__(self): pass\n  async def setup(self, context): pass\n"
    )

    def driver(name: str) -> PythonDriver:
        spec = f"py:{file}:{name}"
        made = PythonTarget.parse(spec, tmp_path).driver(Plan(spec, ClosedLoop(), Warmup(0), MS))
        made.place(0, 0, FakeClock(tick_ns=100))
        return made

    with pytest.raises(TargetError, match=r"setup failed: OSError: no disk"):
        driver("T").open()
    with pytest.raises(TargetError, match=r"setup is asynchronous"):
        driver("V").open()
    opened = driver("U")
    opened.open()
    with pytest.raises(TargetError, match=r"close failed: OSError: no end"):
        opened.close()
