"""`bench --against`: two targets measured in turn, stored in one artifact, compared pair by pair."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_builders import NOW, Repository, in_turn

from bizra_gate import against, demo, opening, pipeline, schema
from bizra_gate.cli import planning, reading
from bizra_gate.errors import UntrustedError, UsageError
from bizra_gate.evidence import benchmark as benchmarks
from bizra_gate.evidence.benchmark import Benchmark
from bizra_gate.model import ClosedLoop, Gate, Measurement, Plan, Policy, Warmup

Run = Callable[..., tuple[int, str, str]]
OTHER = 'against = "http://127.0.0.1:8080/b"'
NO_WORSE = 'baseline = { ref = "against", max_regression = "5 %" }'


def judged(cli: Run) -> tuple[int, dict, dict]:
    code, out, err = cli("verify", "--now", NOW, "--format", "json")
    assert "Traceback" not in err
    report = json.loads(out)
    return code, report, report["gates"][0]["checks"][0]


@pytest.fixture
def gate(repository: Repository) -> Gate:
    return repository.measured_gate(NO_WORSE, measure=OTHER)


# ── judged ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("factor", "code", "verdict"),
    [(1.0, 0, "pass"), (1.05, 5, "inconclusive"), (1.2, 1, "fail"), (0.4, 5, "inconclusive")],
)
def test_the_second_target_is_the_baseline_of_the_first(
    repository: Repository, gate: Gate, cli: Run, factor: float, code: int, verdict: str
) -> None:
    assert gate.plan is not None
    first, second = in_turn(gate.plan, factor)
    repository.seal(first, against=second)
    got, _, check = judged(cli)
    assert (got, check["verdict"]) == (code, verdict)
    assert "Against the second target it is" in check["reason"]
    assert "5 runs of each in turn" in check["reason"]


def test_what_falls_on_both_alike_is_not_taken_for_a_difference(repository: Repository, gate: Gate, cli: Run) -> None:
    assert gate.plan is not None
    first, second = in_turn(gate.plan, 1.0)
    day = [1.0, 1.3, 0.8, 1.15, 0.9]
    made = Benchmark("r", "2026-11-22T07:00:00Z", benchmarks.Tool("t", "1"), first, {}, against=second).metrics()
    values = made["latency.mean"].process_values
    shaken = [value * luck for value, luck in zip(values, day, strict=True)]
    assert pipeline._compare(shaken, [v * 1.001 for v in shaken], "lower", 0.05).regression == "inconclusive"
    assert pipeline._compare(shaken, [v * 1.001 for v in shaken], "lower", 0.05, paired=True).regression == "pass"


def test_an_impossible_second_target_is_under_audit(repository: Repository, gate: Gate, cli: Run) -> None:
    assert gate.plan is not None
    first, second = in_turn(gate.plan, 1.0)
    runs = tuple(dataclasses.replace(run, operations=(run.operations or 0) * 3) for run in second.runs)
    repository.seal(first, against=dataclasses.replace(second, runs=runs))
    code, report, check = judged(cli)
    assert (code, check["verdict"]) == (3, "refused")
    audit = report["gates"][0]["evidence"][0]["audit"]
    assert audit["verdict"] == "INVALID"
    assert any(finding["message"].startswith("The second target: ") for finding in audit["findings"])


def test_a_second_target_that_was_measured_for_less_than_planned_is_under_audit(
    repository: Repository, gate: Gate, cli: Run
) -> None:
    assert gate.plan is not None
    first, _ = in_turn(gate.plan, 1.0)
    _, short = in_turn(dataclasses.replace(gate.plan, duration_ns=10**9), 1.0)
    repository.seal(first, against=short)
    code, _, check = judged(cli)
    assert (code, check["verdict"]) == (3, "refused")


def test_a_gate_that_wants_a_second_target_is_not_content_with_one(
    repository: Repository, gate: Gate, cli: Run
) -> None:
    assert gate.plan is not None
    first, _ = in_turn(gate.plan, 1.0)
    repository.seal(first)
    code, report, check = judged(cli)
    assert (code, check["verdict"]) == (4, "untrusted")
    assert (
        "a second measurement, as the plan asks" in report["gates"][0]["evidence"][0]["trust"]["reasons"][0]["message"]
    )


def predicate_of(gate: Gate) -> dict:
    assert gate.plan is not None
    first, second = in_turn(gate.plan, 1.0)
    made = Benchmark("r", "2026-11-22T07:00:00Z", benchmarks.Tool("t", "1"), first, {}, against=second)
    _, predicate = benchmarks.state(made)
    return json.loads(json.dumps(predicate))


def test_both_halves_and_both_summaries_come_back(gate: Gate) -> None:
    predicate = predicate_of(gate)
    read = benchmarks.decode(predicate)
    assert read.against is not None
    assert read.against.plan is not None
    assert (read.against.plan.target, read.against.plan.against) == ("http://127.0.0.1:8080/b", None)
    assert {row.metric for row in read.against.printed} == {row.metric for row in read.measurement.printed}
    assert opening.audit_of(read, gate.policy).verdict == "VALID"


def test_the_ratio_of_two_targets_measured_in_turn_is_told(gate: Gate) -> None:
    """Of every metric that each of their runs has, with its interval."""
    assert gate.plan is not None
    first, second = in_turn(gate.plan, 1.3)
    both = Benchmark("a" * 32, NOW, benchmarks.Tool("t", "1"), first, {"target": "fake:a"}, against=second)
    told = {text.partition(" ")[0]: text for text in reading.ratios(both, gate.policy)}
    assert float(told["latency.mean"].split()[1]) == pytest.approx(1.3, rel=0.02)
    assert "worse" in told["latency.mean"]
    assert not [text for text in told.values() if "one process" in text], told


def test_a_summary_of_the_second_target_that_its_counts_do_not_give_is_invalid(gate: Gate) -> None:
    predicate = predicate_of(gate)
    row = next(row for row in predicate["summary"] if row["metric"] == "against.latency.p99")
    row["estimate"] *= 2
    audit = opening.audit_of(benchmarks.decode(predicate), gate.policy)
    assert audit.verdict == "INVALID"
    assert [finding.code for finding in audit.findings] == ["coherence.summary"]


def test_a_summary_of_a_second_target_that_is_not_there_is_invalid(gate: Gate) -> None:
    predicate = predicate_of(gate)
    del predicate["against"], predicate["plan"]["against"]
    assert opening.audit_of(benchmarks.decode(predicate), gate.policy).verdict == "INVALID"


@pytest.mark.parametrize("remove", ["plan.against", "run"])
def test_halves_that_do_not_belong_together_are_refused(gate: Gate, remove: str) -> None:
    predicate = predicate_of(gate)
    if remove == "run":
        del predicate["against"]["runs"][-1]
    else:
        del predicate["plan"]["against"]
    with pytest.raises(UntrustedError, match=r"predicate\.against"):
        benchmarks.decode(predicate)


# ── made ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_file_at_a_revision_is_measured_with_what_it_imported_then(repository: Repository, cli: Run) -> None:
    (repository.root / "pkg").mkdir()
    (repository.root / "pkg" / "__init__.py").write_text('AGE = "old"\n')
    (repository.root / "bench").mkdir()
    (repository.root / "bench" / "work.py").write_text("from pkg import AGE\ndef work():\n    return AGE\n")
    commit = repository.commit()
    (repository.root / "pkg" / "__init__.py").write_text('AGE = "new"\n')
    cli("keygen", "--out", str(repository.root.parent / "k.key"))
    code, out, err = cli(
        "bench", "py:bench/work.py:work", "--against", "HEAD", "--runs", "2", "--warmup", "10ms", "--duration", "50ms",
        "--key", str(repository.root.parent / "k.key"), "--name", "work",
    )  # fmt: skip
    assert code == 0, err
    assert "in turn with git:HEAD, 2 runs of each" in out
    data = Path("artifacts/work.json").read_bytes()
    assert schema.problems("artifact", json.loads(data), "work.json") == []
    made = pipeline.decode_artifact(data, "work.json")
    assert made.against is not None
    assert (made.measurement.outcomes or {}).keys() == {"new"}
    assert (made.against.outcomes or {}).keys() == {"old"}
    assert made.subject["against.commit"] == commit
    assert repository.git("status", "--porcelain", "--untracked-files=no") == "M pkg/__init__.py"
    starts = [[run.started_at for run in one.runs] for one in (made.measurement, made.against)]
    assert len(starts[0]) == len(starts[1]) == 2
    code, shown, _ = cli("show", "artifacts/work.json")
    assert code == 0
    assert "in turn with git:HEAD" in " ".join(shown.split())
    assert "git:HEAD" in cli("audit", "artifacts/work.json")[1]


def plan(target: str, other: str) -> Plan:
    return Plan(target, ClosedLoop(), Warmup(0), 10**9, against=other)


@pytest.mark.parametrize(
    ("target", "other", "says"),
    [
        ("http://127.0.0.1:1/", "git:HEAD", "no file that git could have"),
        ("py:json:dumps", "git:HEAD", "no file that git could have"),
        ("cmd:true", "git:HEAD", "no file that git could have"),
        ("http://127.0.0.1:1/", "cmd:true", "cannot be compared"),
        ("py:json:dumps", "http://127.0.0.1:1/", "cannot be compared"),
    ],
)
def test_two_that_cannot_be_compared_are_refused_before_anything_runs(target: str, other: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        against.check(plan(target, other))


def test_http_and_https_are_one_engine() -> None:
    against.check(plan("http://127.0.0.1:1/", "https://127.0.0.1:1/"))


@pytest.mark.parametrize(
    ("revision", "says"),
    [("no-such-branch", "git knows no revision"), ("HEAD", "that revision has no"), ("-x", "is not a git revision")],
)
def test_a_revision_without_the_file_is_refused(repository: Repository, revision: str, says: str) -> None:
    repository.commit()
    (repository.root / "new.py").write_text("def f(): pass\n")
    with pytest.raises(UsageError, match=says), against.rival(plan("py:new.py:f", f"git:{revision}"), repository.root):
        pass


def test_a_file_outside_of_the_repository_has_no_revisions(repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    (tmp_path / "elsewhere.py").write_text("def f(): pass\n")
    target = f"py:{tmp_path / 'elsewhere.py'}:f"
    outside = pytest.raises(UsageError, match="outside of the repository")
    with outside, against.rival(plan(target, "git:HEAD"), repository.root):
        pass


def test_nothing_of_the_revision_is_left_behind(repository: Repository) -> None:
    (repository.root / "f.py").write_text("def f(): pass\n")
    repository.commit()
    with against.rival(plan("py:f.py:f", "git:HEAD"), repository.root) as rival:
        assert rival is not None
        place = Path(rival.target.path)  # type: ignore[attr-defined]
        assert place.read_text() == "def f(): pass\n"
        assert repository.root not in place.parents
    assert not place.exists()


def asked(**options: object) -> planning.Asked:
    return planning.Asked(**options)  # type: ignore[arg-type]


def test_without_a_word_each_side_is_measured_five_times() -> None:
    one = plan("py:f.py:f", "git:HEAD")
    one = dataclasses.replace(one, against=None)
    made = planning.overridden(one, asked(against="main"))
    assert (made.against, made.runs) == ("git:main", 5)
    assert planning.overridden(one, asked(against="main", runs=2)).runs == 2
    assert planning.overridden(one, asked()).runs == 1


def test_a_target_is_taken_as_it_is() -> None:
    one = dataclasses.replace(plan("http://127.0.0.1:1/", ""), against=None)
    assert planning.overridden(one, asked(against="http://127.0.0.1:2/")).against == "http://127.0.0.1:2/"


def test_the_impossible_record_has_no_second_target() -> None:
    one: Measurement = demo.impossible_record()
    made = Benchmark("r", "2026-11-22T07:00:00Z", benchmarks.Tool("t", "1"), one, {})
    assert opening.audit_of(made, Policy()).verdict == "INVALID"
