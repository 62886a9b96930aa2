"""`history`: one gate's metrics over every committed version of its artifact, and since when they changed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from cli_builders import MACHINE, NOW, Repository, measured

from bizra_gate.attest import PrivateKey
from bizra_gate.model import Gate, Measurement
from bizra_gate.reports import history_json, terminal_history
from bizra_gate.reports.trend import History, Trend, TrendPoint, TrendShift, advice

Run = Callable[..., tuple[int, str, str]]
GATE = "gates/checkout.toml"


@pytest.fixture
def gate(repository: Repository) -> Gate:
    return repository.measured_gate('pass = "<= 100 ms"')


def of(gate: Gate, factor: float = 1.0, seed: int = 7) -> Measurement:
    assert gate.plan is not None
    return measured(gate.plan, factor, seed)


def versions(repository: Repository, gate: Gate, *factors: float) -> list[str]:
    """One commit for each factor, a day apart."""
    commits = []
    for number, factor in enumerate(factors, start=1):
        repository.seal(of(gate, factor, seed=number), finished=f"2026-11-{number:02}T07:00:00Z")
        commits.append(repository.commit())
    return commits


def told(cli: Run, *options: str) -> dict:
    code, out, err = cli("history", GATE, "--now", NOW, "--format", "json", *options)
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["schema"] == "bizra-gate/history/v1"
    return document


def test_a_lasting_change_is_told_with_its_commit(repository: Repository, gate: Gate, cli: Run) -> None:
    commits = versions(repository, gate, 1, 1, 1, 1, 1.3, 1.3, 1.3, 1.3)
    (trend,) = told(cli)["trends"]
    assert (trend["metric"], trend["unit"], trend["better"]) == ("latency.mean", "ns", "lower")
    assert [point["commit"] for point in trend["points"]] == commits
    (change,) = trend["changes"]
    assert (change["commit"], change["direction"]) == (commits[4], "worse")
    assert change["ratio"] == pytest.approx(1.3, rel=0.05)
    code, page, _ = cli("history", GATE, "--now", NOW)
    assert code == 0
    assert f"worse since {commits[4][:10]} (2026-11-05)" in " ".join(page.split())
    assert "⠁" <= max(page) <= "⣿"


def test_other_metrics_can_be_asked_for(repository: Repository, gate: Gate, cli: Run) -> None:
    versions(repository, gate, 1, 1, 1, 1.3, 1.3, 1.3)
    found = told(cli, "--metric", "throughput", "--metric", "latency.p97")["trends"]
    assert [trend["metric"] for trend in found] == ["throughput", "latency.p97"]
    assert all(point["used"] for trend in found for point in trend["points"])
    assert [change["direction"] for change in found[0]["changes"]] in ([], ["worse"])


def test_few_versions_are_drawn_and_nothing_is_claimed(repository: Repository, gate: Gate, cli: Run) -> None:
    versions(repository, gate, 1, 2, 3)
    (trend,) = told(cli)["trends"]
    assert trend["changes"] == []
    assert "at least 6 are needed" in trend["advice"][0]


def test_what_cannot_be_believed_is_left_out_with_its_reason(repository: Repository, gate: Gate, cli: Run) -> None:
    versions(repository, gate, 1, 1)
    known, repository.key = repository.key, PrivateKey.generate()
    versions(repository, gate, 9)
    repository.key = known
    assert gate.plan is not None
    repository.seal(measured(dataclasses.replace(gate.plan, seed=4)))
    repository.commit()
    runs = tuple(dataclasses.replace(run, operations=(run.operations or 0) * 3) for run in of(gate).runs)
    repository.seal(dataclasses.replace(of(gate), runs=runs))
    repository.commit()
    other = dataclasses.replace(MACHINE, cpu_model="another")
    repository.seal(dataclasses.replace(of(gate), environment=other), finished="2026-11-07T07:00:00Z")
    repository.commit()
    (repository.root / "artifacts" / "checkout.json").write_text("{}")
    repository.commit()
    versions(repository, gate, 1)
    (trend,) = told(cli)["trends"]
    reasons = [point["left_out"] for point in trend["points"]]
    assert [reason is None for reason in reasons] == [True, True, False, False, False, False, False, True]
    for reason, word in zip(reasons[2:7], ("key", "another plan", "INVALID", "another machine", ""), strict=True):
        assert word in reason
    page = cli("history", GATE, "--now", NOW)[1]
    assert "1 version left out: INVALID" in page


def test_age_does_not_matter_and_what_is_not_committed_comes_last(repository: Repository, cli: Run) -> None:
    gate = repository.measured_gate('pass = "<= 100 ms"', evidence='max_age = "1d"')
    versions(repository, gate, 1, 1)
    repository.seal(of(gate, 1.0, seed=5))
    (trend,) = told(cli)["trends"]
    assert [point["used"] for point in trend["points"]] == [True] * 3
    assert trend["points"][-1]["commit"] is None
    assert "not committed" in cli("history", GATE, "--now", NOW)[1]


def test_a_run_that_is_committed_again_is_one_point(repository: Repository, gate: Gate, cli: Run) -> None:
    versions(repository, gate, 1)
    file = repository.root / "artifacts" / "checkout.json"
    data = file.read_bytes()
    versions(repository, gate, 1)
    file.write_bytes(data)
    repository.commit()
    (trend,) = told(cli)["trends"]
    assert len(trend["points"]) == 2


def test_a_shallow_clone_says_so(repository: Repository, gate: Gate, cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    versions(repository, gate, 1, 1)
    clone = repository.root.parent / "clone"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone))
    monkeypatch.chdir(clone)
    document = told(cli)
    assert len(document["trends"][0]["points"]) == 1
    assert "shallow" in document["notes"][0]


def test_nothing_to_tell_says_why(repository: Repository, gate: Gate, cli: Run) -> None:
    code, _, err = cli("history", GATE, "--now", NOW)
    assert (code, "git work tree" in err) == (2, True)
    repository.commit()
    code, _, err = cli("history", GATE, "--now", NOW)
    assert (code, "no version of its artifacts is committed" in err) == (5, True)
    versions(repository, gate, 1)
    code, _, err = cli("history", GATE, "--metric", "latency.p9999")
    assert (code, "latency.p9999" in err) == (2, True)
    code, _, err = cli("history", GATE, "--format", "html")
    assert (code, "expected one of json, terminal" in err) == (2, True)
    code, _, err = cli("history", "gates/no.toml")
    assert (code, "no.toml" in err) == (2, True)


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────


def points(*values: float) -> tuple[TrendPoint, ...]:
    return tuple(
        TrendPoint(f"{at:040x}", f"2026-10-{at + 1:02}T00:00:00Z", value, (value * 0.9, value * 1.1), 100)
        for at, value in enumerate(values)
    )


def trend(*values: float) -> Trend:
    return Trend("latency.p99", "ns", "lower", "artifacts/checkout.json", points(*values))


def changed(one: Trend) -> Trend:
    return dataclasses.replace(one, shifts=(TrendShift(one.points[5], 1e6, 1.3e6, 1.3, 0.0125, "worse"),))


CHANGED = changed(trend(*[1e6] * 5, *[1.3e6] * 25))


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("unicode", [True, False])
def test_a_page_keeps_to_its_width_and_names_the_last_versions(width: int, unicode: bool) -> None:
    page = terminal_history.render(
        History("checkout", GATE, (CHANGED, trend(1.0)), ("a note",)), width, unicode=unicode
    )
    assert max(map(len, page.splitlines())) <= width
    assert page.isascii() or unicode
    assert "1 change (worse)" in page
    assert "and 20 earlier versions" in page
    assert "! a note" in page


def test_the_plot_names_the_days_of_its_ends_and_of_its_changes() -> None:
    one = trend(*[1e6] * 15, *[1.3e6] * 15)
    shift = TrendShift(one.points[15], 1e6, 1.3e6, 1.3, 0.01, "worse")
    page = terminal_history.render(History("c", GATE, (dataclasses.replace(one, shifts=(shift,)),)), 80)
    (days,) = [line.split() for line in page.splitlines() if line.count("2026-") == 3]
    assert days == ["2026-10-01", "2026-10-16", "2026-10-30"]


def test_hostile_names_stay_names() -> None:
    one = dataclasses.replace(CHANGED, artifact="a\x1b[31m\n::error::x")
    page = terminal_history.render(History("c\x1b]0;x\x07", GATE, (one,)), 80)
    assert "\x1b" not in page
    assert not any(line.startswith("::") for line in page.splitlines())


@pytest.mark.parametrize("values", [(5.0, 5.0), (0.0, 0.0), (0.0, 3.0), (-1.0, 2.0)])
def test_flat_and_empty_series_can_be_drawn(values: tuple[float, ...]) -> None:
    assert "checkout" in terminal_history.render(History("checkout", GATE, (trend(*values),)), 80)


def test_the_json_has_every_point_and_no_number_that_is_none() -> None:
    one = dataclasses.replace(CHANGED, points=(*CHANGED.points, TrendPoint(None, None, left_out="not trusted")))
    document = json.loads(history_json.render(History("checkout", GATE, (one,))))
    (found,) = document["trends"]
    assert len(found["points"]) == 31
    assert found["points"][-1] == {
        "commit": None, "finished_at": None, "estimate": None, "interval": None, "n": None, "used": False,
        "left_out": "not trusted",
    }  # fmt: skip
    assert found["changes"][0]["p_value"] == 0.0125


def test_the_advice_says_how_much_and_since_when() -> None:
    assert advice(CHANGED) == [
        "worse since 0000000000 (2026-10-06): 1 ms before, 1.3 ms after, 1.3 times as much (p = 0.013)"
    ]
    assert advice(trend(*[1.0] * 6)) == ["No lasting change over 6 versions."]
    assert advice(trend(1.0))[0].startswith("1 version can be compared")
