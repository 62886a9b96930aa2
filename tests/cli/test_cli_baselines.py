"""Earlier measurements in real repositories: a file, a revision, the last that shipped, a window of history."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from cli_builders import MACHINE, NOW, Repository, measured

from bizra_gate import repository as git
from bizra_gate.attest import PrivateKey
from bizra_gate.errors import UsageError
from bizra_gate.model import Gate, Measurement

Run = Callable[..., tuple[int, str, str]]
REVISION, FILE = "git:HEAD", "artifacts/base.json"
REFS = [REVISION, "last-shipped", "history:1", FILE]


def rule(ref: str, limit: str = 'pass = "<= 1 s"') -> str:
    return f'{limit}\nbaseline = {{ ref = "{ref}", max_regression = "5 %" }}'


def judged(cli: Run) -> tuple[int, str, str]:
    """Exit code, verdict and reason of the first check."""
    code, out, err = cli("verify", "--now", NOW, "--format", "json")
    assert "Traceback" not in err
    assert out, err
    check = json.loads(out)["gates"][0]["checks"][0]
    return code, check["verdict"], check["reason"]


def of(gate: Gate, factor: float = 1.0, seed: int = 7) -> Measurement:
    assert gate.plan is not None
    return measured(gate.plan, factor, seed)


def before(repository: Repository, ref: str, one: Measurement, **how: str) -> None:
    """`one` where `ref` will find it."""
    repository.seal(one, name="base" if ref == FILE else "checkout", **how)
    repository.commit()


@pytest.fixture
def gate(repository: Repository, request: pytest.FixtureRequest) -> Gate:
    return repository.measured_gate(rule(request.param), measure="runs = 5")


each_ref = pytest.mark.parametrize(("gate", "ref"), [(ref, ref) for ref in REFS], indirect=["gate"], ids=REFS)


@each_ref
@pytest.mark.parametrize(("factor", "code", "verdict"), [(1.0, 0, "pass"), (1.2, 1, "fail"), (0.3, 5, "inconclusive")])
def test_the_same_ships_a_regression_does_not_and_a_wonder_is_asked_about(
    repository: Repository, gate: Gate, ref: str, cli: Run, factor: float, code: int, verdict: str
) -> None:
    before(repository, ref, of(gate))
    repository.seal(of(gate, factor, seed=9))
    assert judged(cli)[:2] == (code, verdict)


@each_ref
def test_without_a_baseline_nothing_passes(repository: Repository, gate: Gate, ref: str, cli: Run) -> None:
    repository.commit()
    repository.seal(of(gate))
    assert judged(cli)[:2] == (5, "missing")


@each_ref
def test_outside_of_git_nothing_passes(repository: Repository, gate: Gate, ref: str, cli: Run) -> None:
    repository.seal(of(gate))
    assert judged(cli)[:2] == (5, "missing")


@pytest.mark.parametrize(("gate", "ref"), [(ref, ref) for ref in (REVISION, "history:1", FILE)], indirect=["gate"])
def test_a_baseline_that_nobody_trusted_signed_is_never_a_pass(
    repository: Repository, gate: Gate, ref: str, cli: Run
) -> None:
    known, repository.key = repository.key, PrivateKey.generate()
    before(repository, ref, of(gate))
    repository.key = known
    repository.seal(of(gate, seed=9))
    assert judged(cli)[:2] == (4, "untrusted")


@pytest.mark.parametrize(("gate", "ref"), [(ref, ref) for ref in (REVISION, "history:1", FILE)], indirect=["gate"])
def test_a_baseline_with_a_changed_byte_is_never_a_pass(repository: Repository, gate: Gate, ref: str, cli: Run) -> None:
    before(repository, ref, of(gate))
    path = repository.root / "artifacts" / ("base.json" if ref == FILE else "checkout.json")
    path.write_bytes(path.read_bytes().replace(b'"confidence": 0.95', b'"confidence": 0.96', 1))
    repository.commit()
    repository.seal(of(gate, seed=9))
    assert judged(cli)[:2] == (4, "untrusted")


@each_ref
def test_a_baseline_of_another_machine_is_never_a_pass(repository: Repository, gate: Gate, ref: str, cli: Run) -> None:
    other = dataclasses.replace(MACHINE, cpu_model="another")
    before(repository, ref, dataclasses.replace(of(gate), environment=other))
    repository.seal(of(gate, seed=9))
    code, verdict, reason = judged(cli)
    assert (code, verdict) == (5, "inconclusive")
    assert "another environment" in reason


@pytest.mark.parametrize(
    ("ref", "code", "verdict"),
    [(REVISION, 4, "untrusted"), ("history:1", 4, "untrusted"), (FILE, 4, "untrusted"), ("last-shipped", 5, "missing")],
)
def test_a_stale_baseline_is_never_a_pass(repository: Repository, cli: Run, ref: str, code: int, verdict: str) -> None:
    gate = repository.measured_gate(rule(ref), measure="runs = 5", evidence='max_age = "2d"')
    before(repository, ref, of(gate), finished="2026-11-12T07:00:00Z")
    repository.seal(of(gate, seed=9))
    assert judged(cli)[:2] == (code, verdict)


@pytest.mark.parametrize(("gate", "ref"), [(ref, ref) for ref in (REVISION, "history:1", FILE)], indirect=["gate"])
def test_an_impossible_baseline_is_under_audit(repository: Repository, gate: Gate, ref: str, cli: Run) -> None:
    one = of(gate)
    runs = tuple(dataclasses.replace(run, operations=(run.operations or 0) * 3) for run in one.runs)
    before(repository, ref, dataclasses.replace(one, runs=runs))
    repository.seal(of(gate, seed=9))
    assert judged(cli)[:2] == (3, "refused")


@pytest.mark.parametrize("gate", [REVISION], indirect=True)
def test_a_baseline_of_another_plan_is_never_a_pass(repository: Repository, gate: Gate, cli: Run) -> None:
    assert gate.plan is not None
    repository.seal(measured(dataclasses.replace(gate.plan, seed=2)))
    repository.commit()
    repository.seal(of(gate, seed=9))
    code, verdict, reason = judged(cli)
    assert (code, verdict) == (4, "untrusted")
    assert "another plan" in reason


@pytest.mark.parametrize(
    ("gate", "ref", "advice"),
    [
        (FILE, FILE, "measure it, or name another in baseline.ref"),
        (REVISION, REVISION, "let a measurement reach it"),
        ("last-shipped", "last-shipped", "commit this measurement, and the next one has a baseline"),
        ("history:1", "history:1", "commit this measurement, and the next one has a baseline"),
    ],
    indirect=["gate"],
)
def test_a_missing_baseline_comes_with_what_to_do(
    repository: Repository, gate: Gate, ref: str, advice: str, cli: Run
) -> None:
    repository.commit()
    repository.seal(of(gate))
    assert advice in judged(cli)[2]


def test_the_last_that_shipped_says_why_the_newest_did_not(repository: Repository, cli: Run) -> None:
    gate = repository.measured_gate(rule("last-shipped", 'pass = "<= 12 ms"'), measure="runs = 5")
    repository.seal(of(gate, 2.0))
    commit = repository.commit()
    repository.seal(of(gate, 1.0, seed=9))
    code, verdict, reason = judged(cli)
    assert (code, verdict) == (5, "missing")
    assert f"the newest is NO-SHIP (git:{commit[:12]}): latency.mean is" in reason


def test_a_baseline_that_does_not_hold_comes_with_what_to_do(repository: Repository, cli: Run) -> None:
    gate = repository.measured_gate(rule(FILE), measure="runs = 5", evidence='max_age = "2d"')
    before(repository, FILE, of(gate), finished="2026-11-12T07:00:00Z")
    repository.seal(of(gate, seed=9))
    assert "Measure a new baseline and put it at artifacts/base.json, or name another" in judged(cli)[2]


def test_what_falls_out_of_a_window_is_told(repository: Repository, cli: Run) -> None:
    gate = repository.measured_gate(rule("history:2"), measure="runs = 5")
    known, repository.key = repository.key, PrivateKey.generate()
    before(repository, "history:2", of(gate))
    repository.key = known
    before(repository, "history:2", of(gate, seed=3))
    repository.seal(of(gate, seed=9))
    code, verdict, reason = judged(cli)
    assert (code, verdict) == (0, "pass")
    assert "Left out of the window: 1 of 2 versions; the version git:" in reason
    assert "Left out of the window" in " ".join(cli("verify", "--now", NOW, "--format", "terminal")[1].split())


# ── the last that shipped ────────────────────────────────────────────────────────────────────────────────────────


def test_what_did_not_ship_is_no_baseline(repository: Repository, cli: Run) -> None:
    gate = repository.measured_gate(rule("last-shipped", 'pass = "<= 12 ms"'), measure="runs = 5")
    for factor in (1.0, 2.0):
        repository.seal(of(gate, factor))
        repository.commit()
    repository.seal(of(gate, 1.0, seed=9))
    code, verdict, reason = judged(cli)
    assert (code, verdict) == (0, "pass")
    assert "Against last-shipped it is 1" in reason or "Against last-shipped it is 0.9" in reason


TABLES = """\
name = "checkout"
claim = "Checkout is quick"
[[evidence]]
name = "quick"
artifact = "artifacts/checkout.json"
[[evidence]]
name = "other"
artifact = "artifacts/other.json"
[policy]
min_duration = "12s"
min_warmup = "2s"
[[check]]
evidence = "quick"
metric = "latency.mean"
{limit}
baseline = {{ ref = "last-shipped", max_regression = "5 %" }}
[[check]]
evidence = "other"
metric = "throughput"
pass = ">= 1M/s"
"""


def tables(repository: Repository, limit: str) -> Gate:
    plan = repository.measured_gate('pass = "<= 1 s"', measure="runs = 5")
    (repository.root / "gates" / "checkout.toml").write_text(TABLES.format(limit=limit))
    return plan


def test_only_the_checks_of_the_same_evidence_decide_whether_it_shipped(repository: Repository, cli: Run) -> None:
    gate = tables(repository, 'pass = "<= 12 ms"')
    repository.seal(of(gate, 1.0), "other")
    repository.seal(of(gate, 1.0, seed=3))
    repository.commit()
    repository.seal(of(gate, 1.0, seed=9))
    code, verdict, reason = judged(cli)
    assert (code, verdict) == (1, "pass"), reason


def test_limits_that_refer_to_another_artifact_are_held_against_the_one_of_the_same_commit(
    repository: Repository, cli: Run
) -> None:
    gate = tables(repository, 'pass = "<= 1.2 x artifacts/bare.json#latency.mean"')
    repository.seal(of(gate, 1.0), "other")
    repository.seal(of(gate, 1.0, seed=4), "bare")
    repository.seal(of(gate, 1.0, seed=3))
    repository.commit()
    repository.seal(of(gate, 0.5, seed=4), "bare")
    repository.commit()
    repository.seal(of(gate, 0.9, seed=4), "bare")
    repository.seal(of(gate, 1.0, seed=9))
    _, verdict, reason = judged(cli)
    assert verdict == "pass", reason


# ── a window of history ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("window", "processes"), [(1, 5), (2, 10), (9, 15)])
def test_a_window_holds_so_many_versions_and_not_the_one_that_is_judged(
    repository: Repository, cli: Run, window: int, processes: int
) -> None:
    gate = repository.measured_gate(rule(f"history:{window}"), measure="runs = 5")
    for seed in (1, 2, 3):
        repository.seal(of(gate, 1.0, seed))
        repository.commit()
    repository.seal(of(gate, 1.0, seed=9))
    for _ in range(2):
        code, verdict, reason = judged(cli)
        assert (code, verdict) == (0, "pass")
        assert f"5 processes against {processes}" in reason
        repository.commit()


def test_versions_come_newest_first_and_skip_what_was_removed(repository: Repository) -> None:
    file = repository.root / "artifacts" / "x.json"
    file.parent.mkdir()
    for text in ("one\n", "two\n", None, "thr\nee"):
        file.write_text(text) if text else file.unlink()
        repository.commit(str(text))
    found = list(git.versions(repository.root, "artifacts/x.json"))
    assert [data for _, data in found] == [b"thr\nee", b"two\n", b"one\n"]
    assert [data for _, data in git.versions(repository.root, "artifacts/x.json", limit=1)] == [b"thr\nee"]
    assert not git.shallow(repository.root)
    for count in range(40):
        file.write_text(str(count))
        repository.commit()
    assert [data for _, data in git.versions(repository.root, "artifacts/x.json")][:40] == [
        str(count).encode() for count in reversed(range(40))
    ]


def test_nothing_is_checked_out_of_a_revision_that_is_not_there(repository: Repository) -> None:
    repository.commit()
    with pytest.raises(UsageError, match="git knows no revision"):
        git.export(repository.root, "nowhere", repository.root / "tree")
    assert not (repository.root / "tree").exists()
