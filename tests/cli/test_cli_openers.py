"""Many artifacts are opened by several processes, and nobody can tell: order, messages, exit codes, interrupts."""

from __future__ import annotations

import dataclasses
import gc
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from cli_builders import NOW, Repository, in_turn, measured

from bizra_gate import gates, opening
from bizra_gate.evidence.benchmark import against_plan
from bizra_gate.model import Finding, Gate, Metric, OpenedEvidence
from bizra_gate.openers import PARALLEL_FROM, Openers
from bizra_gate.opening import Result, Task
from bizra_gate.stats.recent import Recent

Run = Callable[..., tuple[int, str, str]]
MANY = PARALLEL_FROM + 9
forked = pytest.mark.skipif(sys.platform != "linux", reason="what a test changes reaches a worker only by a fork")

GATE = """\
name = "g-{n:02}"
claim = "Checkout is quick"
[evidence]
artifact = "artifacts/a-{n:02}.json"
[policy]
min_duration = "12s"
min_warmup = "2s"
[[check]]
metric = "latency.p99"
pass = "<= 100 ms"
"""


@pytest.fixture(autouse=True)
def nobody_is_left_behind() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


@pytest.fixture
def many(repository: Repository) -> Repository:
    """As many gates as are worth several processes; every fifth without evidence."""
    plan = repository.measured_gate('pass = "<= 1 s"').plan
    assert plan is not None
    (repository.root / "gates" / "checkout.toml").unlink()
    for n in range(MANY):
        (repository.root / "gates" / f"g-{n:02}.toml").write_text(GATE.format(n=n))
        if n % 5:
            repository.seal(measured(plan), f"a-{n:02}")
    return repository


def tasks(repository: Repository) -> list[Task]:
    judged = opening.read_gates([repository.root / "gates"])
    return list(opening.tasks(judged, now=NOW, ring=opening.ring_of))


def opened(work: list[Task], processes: int, progress: Callable[[int, int], None] | None = None) -> list[Result]:
    with Openers(processes) as crew:
        for task in work:
            crew.offer([task])
        return crew.results(progress)


def test_several_processes_find_what_one_finds_in_the_same_order(many: Repository) -> None:
    work = tasks(many)
    (many.root / "artifacts" / "a-03.json").write_bytes(b"{")
    alone, together = opened(work, 1), opened(work, 3)
    assert [result.gate for result in together] == [f"g-{n:02}" for n in range(MANY)]
    assert together == alone
    assert {result.evidence.missing for result in alone} == {True, False}


# ── together ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def mixed(many: Repository) -> list[Task]:
    """Honest and missing artifacts, one cut, one changed after it was signed, a folder, a path that leads outside."""
    work, folder = tasks(many)[:14], many.root / "artifacts"
    (folder / "a-01.json").write_bytes((folder / "a-01.json").read_bytes()[:-200])
    (folder / "a-02.json").write_text((folder / "a-03.json").read_text().replace("latency.p99", "latency.p98"))
    (folder / "a-04.json").unlink()
    (folder / "a-04.json").mkdir()
    return [*work, dataclasses.replace(work[6], file="../outside.json"), dataclasses.replace(work[7], keyring=None)]


@pytest.mark.parametrize("together", [1, 2**16, 2**40])
def test_artifacts_that_are_opened_together_are_what_each_is_alone(
    mixed: list[Task], monkeypatch: pytest.MonkeyPatch, together: int
) -> None:
    monkeypatch.setattr(opening, "TOGETHER", together)
    found = opening.open_all(mixed)
    assert found == [opening.open_one(task) for task in mixed]
    told = {result.evidence.file: {reason.code for reason in result.evidence.trust.reasons} for result in found}
    assert [told[file] for file in ("artifacts/a-02.json", "../outside.json")] == [{"signature.invalid"}, {"path"}]
    assert sum(result.evidence.audit is not None for result in found) == 8


@pytest.mark.parametrize(
    ("together", "held"), [(0, [1] * 5 + [0]), (60, [2, 2, 1]), (61, [3, 2]), (100, [3, 2]), (999, [5])]
)
def test_no_further_one_is_held_at_the_same_time_where_those_are_large(
    monkeypatch: pytest.MonkeyPatch, many: Repository, together: int, held: list[int]
) -> None:
    monkeypatch.setattr(opening, "TOGETHER", together)
    task = tasks(many)[0]
    openings = [opening._Opening(task, bytes(size)) for size in (30, 30, 40, 20, 10)]
    groups = list(opening._held_together(openings))
    assert [one for group in groups for one in group] == openings
    assert list(map(len, groups)) == held


def test_nothing_of_an_artifact_is_kept_once_it_was_opened(many: Repository) -> None:
    for result in opening.open_all(tasks(many)):
        assert result.measurement is None
    assert Recent.every
    assert not [one for one in Recent.every if one._known]
    assert Recent.fewest == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_progress_ends_at_the_whole_and_never_goes_back(many: Repository, processes: int) -> None:
    told: list[tuple[int, int]] = []
    opened(tasks(many), processes, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (MANY, MANY)


def test_all_offered_at_once_is_opened_as_well(many: Repository) -> None:
    work = tasks(many)
    with Openers(2) as crew:
        crew.offer(work)
        assert [result.gate for result in crew.results()] == [task.gate.name for task in work]


def test_few_are_opened_without_any_process(many: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Openers, "_running", lambda crew: pytest.fail("a process was started"))
    assert len(opened(tasks(many)[: PARALLEL_FROM - 1], 8)) == PARALLEL_FROM - 1


def test_many_gates_are_reported_in_the_order_of_their_files(many: Repository, cli: Run) -> None:
    code, out, _ = cli("verify", "--now", NOW, "--format", "json")
    found = json.loads(out)["gates"]
    assert code == 5
    assert [gate["name"] for gate in found] == [f"g-{n:02}" for n in range(MANY)]
    assert [gate["verdict"] for gate in found] == ["SHIP" if n % 5 else "INCONCLUSIVE" for n in range(MANY)]


def test_the_mistakes_of_all_gates_are_told_though_artifacts_were_opened_already(many: Repository, cli: Run) -> None:
    for n in (PARALLEL_FROM + 2, MANY - 1):
        (many.root / "gates" / f"g-{n:02}.toml").write_text(GATE.format(n=n).replace("<= 100 ms", "<= 100"))
    code, out, err = cli("verify", "--now", NOW)
    assert (code, out) == (2, "")
    places = [line.split(": got")[0] for line in err.splitlines() if ": got" in line]
    assert [place.split("gates/")[1] for place in places] == [
        f"g-{n:02}.toml: check[0].pass" for n in (PARALLEL_FROM + 2, MANY - 1)
    ]


@pytest.mark.parametrize("bad_gate", [True, False])
def test_a_mistake_in_the_keyring_is_told_where_no_gate_has_one(many: Repository, cli: Run, bad_gate: bool) -> None:
    (many.root / "gates" / "keyring.toml").write_text("version = ")
    if bad_gate:
        (many.root / "gates" / f"g-{MANY - 1:02}.toml").write_text("name = ")
    code, _, err = cli("verify", "--now", NOW)
    assert code == 2
    assert ("keyring.toml" in err) is not bad_gate
    assert (f"g-{MANY - 1:02}.toml" in err) is bad_gate


@pytest.mark.parametrize("gates_there", [True, False])
def test_a_keyring_that_was_named_and_is_not_there_is_told(many: Repository, cli: Run, gates_there: bool) -> None:
    (many.root / "empty").mkdir()
    code, _, err = cli("verify", "--now", NOW, "--keyring", "nowhere.toml", "gates" if gates_there else "empty")
    assert code == 2
    assert "--keyring: nowhere.toml: no such file" in err


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _at(monkeypatch: pytest.MonkeyPatch, artifact: str, act: Callable[[], object]) -> None:
    """Let `act` happen in the worker that is to open `artifact`."""
    usual = opening.open_all

    def open_all(tasks: Sequence[Task]) -> list[Result]:
        if f"artifacts/{artifact}.json" in {task.file for task in tasks}:
            act()
        return usual(tasks)

    monkeypatch.setattr(opening, "open_all", open_all)


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@forked
@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize(
    ("artifact", "end", "said"),
    [
        ("a-01", _killed, "ended by signal 9"),
        (f"a-{MANY - 1:02}", _killed, "ended by signal 9"),
        ("a-02", lambda: os._exit(7), "ended with exit code 7, at artifacts/a-00.json or a later one"),
    ],
)
def test_a_process_that_ends_by_itself_is_told_and_nothing_is_judged(
    many: Repository,
    cli: Run,
    monkeypatch: pytest.MonkeyPatch,
    artifact: str,
    end: Callable[[], object],
    said: str,
) -> None:
    _at(monkeypatch, artifact, end)
    code, out, err = cli("verify", "--now", NOW, "--format", "json")
    assert (code, out) == (2, "")
    assert said in err
    assert "nothing was judged" in err
    assert "memory" in err


@forked
@pytest.mark.usefixtures("two_cores")
def test_a_fault_of_ours_in_a_worker_is_an_internal_error_that_says_where(
    many: Repository, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _at(monkeypatch, "a-02", lambda: [].pop())
    code, _, err = cli("verify", "--now", NOW)
    assert code == 2
    assert "internal error: IndexError: pop from empty list" in err
    with pytest.raises(IndexError) as raised:
        opened(tasks(many), 2)
    assert "test_cli_openers.py" in str(raised.value.__cause__)


@pytest.fixture
def nobody_hears_the_collector() -> Iterator[None]:
    """Hypothesis listens to it, and an interrupt that arrives within such a listener is dropped by Python."""
    listeners = gc.callbacks[:]
    gc.callbacks.clear()
    yield
    gc.callbacks[:] = listeners


@forked
@pytest.mark.usefixtures("two_cores", "nobody_hears_the_collector")
def test_an_interrupt_ends_every_process_with_130(many: Repository, cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def act() -> None:
        os.kill(os.getppid(), signal.SIGINT)
        signal.sigtimedwait([], 30)  # until it is killed: nobody waits for it

    _at(monkeypatch, f"a-{MANY - 1:02}", act)
    code, out, err = cli("verify", "--now", NOW)
    assert (code, out) == (130, "")
    assert err == "bizra-gate: interrupted; nothing was written\n"


@forked
@pytest.mark.usefixtures("two_cores")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_worker_that_is_asked_to_end_is_an_interrupt(
    many: Repository, cli: Run, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    _at(monkeypatch, "a-01", lambda: os.kill(os.getpid(), number))
    code, out, err = cli("verify", "--now", NOW)
    assert (code, out) == (130, "")
    assert "interrupted" in err


@forked
@pytest.mark.usefixtures("two_cores")
def test_a_workers_own_interrupt_from_the_terminal_is_left_to_its_parent(
    many: Repository, cli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _at(monkeypatch, "a-01", lambda: os.kill(os.getpid(), signal.SIGINT))
    assert cli("verify", "--now", NOW)[0] == 5


# ── what is carried to the judge ─────────────────────────────────────────────────────────────────────────────────


class Watched(dict[str, Metric]):
    """Metrics that remember which of them were looked at."""

    def __init__(self, metrics: dict[str, Metric], seen: set[str]) -> None:
        super().__init__(metrics)
        self.seen = seen

    def get(self, name: str, default: object = None) -> Metric | None:  # type: ignore[override]
        self.seen.add(name)
        return super().get(name)


CHECKS = {
    "a limit": 'pass = "<= 1 s"',
    "a relative limit": 'pass = "<= 1.5 x service.p50"',
    "a relative limit with a band": 'pass = "<= 0.1 x service.p50"\nwarn = "<= 0.2 x response.p90"',
    "of another file": 'pass = "<= 2 x artifacts/other.json#latency.p75"',
    "against": 'baseline = { ref = "against", max_regression = "50 %" }',
    "at another confidence": 'pass = "<= 1 s"\nconfidence = 0.999',
    "of the second target": 'pass = "<= 1 s"\n[[check]]\nmetric = "against.latency.p99"\npass = "<= 1 s"',
    "late": 'pass = "<= 1 s"\n[[check]]\nmetric = "latency.p99"\npass = "<= 1 ms"',
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_the_judge_looks_at_no_metric_that_was_not_carried_to_it(repository: Repository, check: str) -> None:
    gate = repository.measured_gate(check, measure='against = "http://127.0.0.1:8080/b"')
    assert gate.plan is not None
    one, other = in_turn(gate.plan, 1.0)
    repository.seal(one, against=other)
    repository.seal(measured(against_plan(gate.plan)), "other")
    (task,) = opening.tasks([gate], now=NOW, ring=opening.ring_of)
    whole = late(opening.open_one(task).evidence)
    seen: set[str] = set()
    watched = dataclasses.replace(
        whole,
        metrics=Watched(dict(whole.metrics), seen),
        metrics_at={level: Watched(dict(metrics), seen) for level, metrics in whole.metrics_at.items()},
    )
    assert judged(gate, watched) == judged(gate, whole) == judged(gate, late(opened([task], 1)[0].evidence))
    assert seen
    assert seen <= gates.wanted_metrics(gate)


def late(piece: OpenedEvidence) -> OpenedEvidence:
    """`piece` with a generator that lagged in the tail, whose failures are looked at by service time too."""
    assert piece.audit is not None
    lag = Finding("generator.lag", "note", "It lagged.")
    return dataclasses.replace(piece, audit=dataclasses.replace(piece.audit, findings=(lag,)))


def judged(gate: Gate, piece: OpenedEvidence) -> object:
    beside = opening.tasks([gate], now=NOW, ring=opening.ring_of)
    others = {
        (gate.name, path): opening.open_one(dataclasses.replace(task, file=path, bound=False)).evidence
        for task in beside
        for path in gates.wanted_references(gate)
    }
    return gates.evaluate([gate], {gate.name: [piece]}, NOW, references=others)


def test_only_metrics_that_are_wanted_are_carried(many: Repository) -> None:
    present = [result for result in opened(tasks(many), 2) if not result.evidence.missing]
    assert all(set(result.evidence.metrics) == {"latency.p99", "service.p99"} for result in present)
    assert Path(present[0].evidence.file).stem == "a-01"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("gates/g.toml", "gates/g.toml"),
        ("./gates//g.toml", "gates/g.toml"),
        ("gates/../gates/g.toml", "gates/g.toml"),
        ("../repo/gates/g.toml", "gates/g.toml"),
        ("../g.toml", "../g.toml"),
        (".", "."),
    ],
)
def test_a_file_is_named_from_where_the_command_runs(repository: Repository, given: str, said: str) -> None:
    assert opening.shown(Path(given)) == said
    assert opening.shown(repository.root / given) == said


@pytest.mark.parametrize(
    ("file", "root"),
    [
        ("gates/g.toml", "."),
        ("gates/deep/er/g.toml", "."),
        ("g.toml", "."),
        ("other/g.toml", "other"),
        ("a/gates/b/gates/c/g.toml", "a/gates/b"),
    ],
)
def test_the_root_is_what_holds_the_nearest_gates_folder(repository: Repository, file: str, root: str) -> None:
    assert opening.root_of(Path(file)) == opening.root_of(repository.root / file) == repository.root / root


def test_the_root_follows_the_working_directory(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository.root / "below").mkdir()
    assert opening.root_of(Path("g.toml")) == repository.root
    monkeypatch.chdir(repository.root / "below")
    assert opening.root_of(Path("g.toml")) == repository.root / "below"


def test_a_report_leaves_the_collector_as_it_was(many: Repository, cli: Run) -> None:
    before = gc.get_threshold()
    assert cli("verify", "--now", NOW)[0] == 5
    assert cli("verify", "--now", NOW, "nowhere.toml")[0] == 2
    assert gc.get_threshold() == before
