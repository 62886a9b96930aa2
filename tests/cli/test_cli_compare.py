"""``compare`` on artifacts, folders and other tools' outputs: better, worse, the same, or can't tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_builders import Repository, measured

from bizra_gate.comparing import Side, compare
from bizra_gate.model import Audit, Metric
from bizra_gate.model.plan import ClosedLoop, Plan, Warmup

Run = Callable[..., tuple[int, str, str]]
SECOND = 1_000_000_000
PLAN = Plan("fake:script", ClosedLoop(4), Warmup(0), 2 * SECOND, runs=4)


@pytest.fixture
def sealed(repository: Repository) -> Callable[..., str]:
    """Seals a measurement and gives its path."""

    def seal(name: str, factor: float = 1.0, seed: int = 7) -> str:
        return str(repository.seal(measured(PLAN, factor, seed), name))

    return seal


def said(cli: Run, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, out, _ = cli("compare", *arguments, "--format", "json")
    return code, json.loads(out)


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {row["metric"]: row["verdict"] for pair in found["pairs"] for row in pair["metrics"]}


@pytest.mark.parametrize(
    ("factor", "code", "verdict"), [(1.0, 0, "same"), (1.5, 1, "worse"), (0.6, 0, "better"), (1.05, 5, "undecided")]
)
def test_the_worst_metric_decides_the_exit_code(
    sealed: Callable[..., str], cli: Run, factor: float, code: int, verdict: str
) -> None:
    ended, found = said(cli, sealed("base"), sealed("head", factor, 9), "--metric", "latency.mean")
    assert (ended, found["verdict"]) == (code, verdict)


def test_two_sides_without_errors_are_the_same_in_that(sealed: Callable[..., str], cli: Run) -> None:
    code, found = said(cli, sealed("base"), sealed("head", 1.0, 9))
    assert (code, verdicts(found)["error_rate"]) == (0, "same")


def test_head_over_base_is_the_ratio_beside_them(sealed: Callable[..., str], cli: Run) -> None:
    """The figures are means over processes, as the ratio is; those of all operations together are others."""
    _, found = said(cli, sealed("base"), sealed("head", 1.3, 9), "--metric", "latency.p99", "--metric", "throughput")
    for row in found["pairs"][0]["metrics"]:
        assert row["head"]["estimate"] / row["base"]["estimate"] == pytest.approx(row["ratio"])
        assert row["base"]["interval"][0] < row["base"]["estimate"] < row["base"]["interval"][1]


def test_any_percentile_can_be_compared(sealed: Callable[..., str], cli: Run) -> None:
    _, found = said(cli, sealed("base"), sealed("head"), "--metric", "latency.p42")
    assert verdicts(found) == {"latency.p42": "same"}


def test_a_metric_that_there_is_not_is_refused_with_the_nearest(sealed: Callable[..., str], cli: Run) -> None:
    code, _, err = cli("compare", sealed("base"), sealed("head"), "--metric", "latency.p9z")
    assert code == 2
    assert 'Did you mean "latency.p9' in err


def test_a_metric_that_neither_side_has_is_told_and_decides_nothing(sealed: Callable[..., str], cli: Run) -> None:
    code, found = said(cli, sealed("base"), sealed("head"), "--metric", "outcome.hit.ratio")
    assert (code, verdicts(found)) == (5, {"outcome.hit.ratio": "undecided"})


def test_folders_are_paired_by_the_names_of_their_files(
    sealed: Callable[..., str], repository: Repository, cli: Run
) -> None:
    sealed("base/x")
    sealed("base/y")
    sealed("head/x", 1.0, 9)
    sealed("head/z")
    folders = [str(repository.root / "artifacts" / side) for side in ("base", "head")]
    code, found = said(cli, *folders)
    assert (code, found["verdict"]) == (5, "undecided")
    assert [pair["name"] for pair in found["pairs"]] == ["x"]
    assert [note.partition(":")[0] for note in found["notes"]] == ["y is gone from the head", "z is new in the head"]


def test_what_is_new_in_the_head_is_told_and_decides_nothing(
    sealed: Callable[..., str], repository: Repository, cli: Run
) -> None:
    for name, seed in (("base/x", 7), ("base/y", 7), ("head/x", 9), ("head/y", 9), ("head/z", 9)):
        sealed(name, 1.0, seed)
    code, found = said(cli, *(str(repository.root / "artifacts" / side) for side in ("base", "head")))
    assert (code, found["verdict"]) == (0, "same")
    assert [note.partition(":")[0] for note in found["notes"]] == ["z is new in the head"]


def test_a_run_against_itself_is_told(sealed: Callable[..., str], cli: Run) -> None:
    code, found = said(cli, sealed("base"), sealed("base2", 1.0, 9))
    assert found["pairs"][0]["notes"] == []
    one = sealed("one")
    code, found = said(cli, one, one)
    assert (code, found["pairs"][0]["notes"]) == (
        0,
        ["both sides are one and the same run: it is compared with itself"],
    )


def test_an_improvement_too_good_to_be_true_is_flagged(sealed: Callable[..., str], cli: Run) -> None:
    code, found = said(cli, sealed("base"), sealed("head", 0.3, 9), "--metric", "latency.mean")
    assert (code, found["verdict"]) == (0, "better")
    (note,) = found["pairs"][0]["notes"]
    assert note.startswith("better by more than 50 % in latency.mean: too good to be true")
    assert said(cli, sealed("base"), sealed("head", 0.8, 9))[1]["pairs"][0]["notes"] == []


def test_an_empty_folder_is_a_sentence(tmp_path: Path, sealed: Callable[..., str], cli: Run) -> None:
    (tmp_path / "empty").mkdir()
    code, _, err = cli("compare", str(tmp_path / "empty"), sealed("head"))
    assert code == 2
    assert "empty: a folder without artifacts" in err


def test_the_number_of_further_runs_is_said_once_and_only_where_it_would_decide(
    sealed: Callable[..., str], cli: Run
) -> None:
    base, head = sealed("base"), sealed("head", 1.048, 9)
    _, out, _ = cli("compare", base, head, "--metric", "latency.mean")
    assert out.count("more run") <= 1
    assert "0 more runs" not in cli("compare", base, sealed("slow", 1.5, 9), "--metric", "latency.mean")[1]


def shares(values: tuple[float, ...], interval: tuple[float, float]) -> Side:
    mean = sum(values) / len(values)
    metric = Metric("error_rate", "ratio", "lower", mean, interval, n=10_000, process_values=values)
    return Side("x", {"error_rate": metric}, Audit("VALID"))


NONE = shares((0.0, 0.0), (0.0, 0.0004))
SOME = shares((0.0, 0.0002), (0.0, 0.0009))
MANY = shares((0.01, 0.03), (0.017, 0.023))


@pytest.mark.parametrize(
    ("base", "head", "verdict"),
    [
        (NONE, NONE, "same"),
        (NONE, SOME, "undecided"),
        (SOME, NONE, "undecided"),
        (SOME, SOME, "undecided"),
        (NONE, MANY, "worse"),
        (MANY, NONE, "better"),
        (MANY, SOME, "better"),
    ],
)
def test_shares_of_nothing_are_compared_by_their_intervals(base: Side, head: Side, verdict: str) -> None:
    found = compare("a", "b", [base], [head], margin=0.05)
    assert found.pairs[0].rows[0].verdict == verdict
