"""``compare`` on artifacts, folders and other tools' outputs: better, worse, the same, or can't tell."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_builders import Repository, measured

from bizra_gate.attest import PrivateKey, read, seal
from bizra_gate.comparing import compare
from bizra_gate.model import Audit, Finding, Metric
from bizra_gate.model.plan import ClosedLoop, Plan, Warmup
from bizra_gate.sides import Side

Run = Callable[..., tuple[int, str, str]]
SECOND = 1_000_000_000
FIXTURES = Path(__file__).parents[1] / "importers" / "fixtures"
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


# ── other tools' outputs ─────────────────────────────────────────────────────────────────────────────────────────


def hyperfine(path: Path, times: list[float], command: str = "make", codes: list[int] | None = None) -> str:
    """A file of hyperfine's with one process for each of `times` (seconds)."""
    result = {
        "command": command, "mean": sum(times) / len(times), "stddev": None, "median": sorted(times)[len(times) // 2],
        "user": 0.001, "system": 0.001, "min": min(times), "max": max(times), "times": times,
        "exit_codes": codes or [0] * len(times),
    }  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"results": [result]}))
    return str(path)


QUICK = [0.1 + step / 10_000 for step in range(10)]


@pytest.mark.parametrize(
    ("factor", "code", "verdict"), [(1.001, 0, "same"), (1.3, 1, "worse"), (0.8, 0, "better"), (1.05, 5, "undecided")]
)
def test_each_run_of_hyperfine_is_a_process(tmp_path: Path, cli: Run, factor: float, code: int, verdict: str) -> None:
    base = hyperfine(tmp_path / "base.json", QUICK)
    head = hyperfine(tmp_path / "head.json", [time * factor for time in QUICK])
    ended, found = said(cli, base, head)
    assert (ended, found["verdict"], verdicts(found)["latency.mean"]) == (code, verdict, verdict)
    (row,) = (row for row in found["pairs"][0]["metrics"] if row["metric"] == "latency.mean")
    assert (row["base"]["runs"], row["head"]["runs"]) == (10, 10)
    assert row["interval"][0] < row["ratio"] < row["interval"][1]


def test_a_percentile_of_single_operations_is_compared_only_when_asked_for_and_says_why_it_cannot_be(
    tmp_path: Path, cli: Run
) -> None:
    base, head = (hyperfine(tmp_path / f"{side}.json", QUICK) for side in ("base", "head"))
    assert not [name for name in verdicts(said(cli, base, head)[1]) if ".p" in name]
    code, found = said(cli, base, head, "--metric", "latency.p50")
    assert code == 5
    assert "a process of one operation has no percentile of its own" in found["pairs"][0]["metrics"][0]["reason"]


def test_commands_that_failed_are_no_rate_of_successes(tmp_path: Path, cli: Run) -> None:
    base = hyperfine(tmp_path / "base.json", QUICK)
    head = hyperfine(tmp_path / "head.json", QUICK, codes=[0] + [3] * 9)
    code, found = said(cli, base, head)
    assert (code, verdicts(found)["throughput"], verdicts(found)["error_rate"]) == (1, "undecided", "worse")


def wrk2(path: Path, average_ms: float, *, connections: int = 4) -> str:
    """The short report of one run of wrk2's."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"""Running 20s test @ http://127.0.0.1:1/
  2 threads and {connections} connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency {average_ms:8.2f}ms    2.00ms   99.00ms   80.00%
    Req/Sec   100.00      1.00   110.00     80.00%
  4000 requests in 20.00s, 1.00MB read
Requests/sec:    200.00
Transfer/sec:     51.20KB
"""
    )
    return str(path)


def folder(tmp_path: Path, side: str, averages_ms: list[float], **more: int) -> str:
    for at, average in enumerate(averages_ms, 1):
        wrk2(tmp_path / side / f"run-{at}.txt", average, **more)
    return str(tmp_path / side)


def test_a_single_run_of_another_tool_says_what_would_be_comparable(tmp_path: Path, cli: Run) -> None:
    base, head = wrk2(tmp_path / "base.txt", 10.0), wrk2(tmp_path / "head.txt", 12.0)
    code, found = said(cli, base, head, "--from", "wrk2", "--metric", "latency.mean")
    assert code == 5
    (row,) = found["pairs"][0]["metrics"]
    assert row["reason"] == (
        "one run has no spread between runs: for each side give a folder with the outputs of 5 runs or more"
    )
    assert (row["base"]["runs"], row["head"]["runs"]) == (1, 1)


@pytest.mark.parametrize(("factor", "code", "verdict"), [(1.0, 0, "same"), (1.5, 1, "worse"), (0.7, 0, "better")])
def test_a_folder_of_another_tools_runs_is_one_measurement_of_as_many_processes(
    tmp_path: Path, cli: Run, factor: float, code: int, verdict: str
) -> None:
    averages = [10.0, 10.02, 10.01, 10.03]
    base = folder(tmp_path, "base", averages)
    head = folder(tmp_path, "head", [average * factor + 0.04 for average in averages])
    ended, found = said(cli, base, head, "--from", "wrk2", "--metric", "latency.mean")
    assert (ended, verdicts(found)) == (code, {"latency.mean": verdict})
    (row,) = found["pairs"][0]["metrics"]
    assert (row["base"]["runs"], row["base"]["estimate"]) == (4, pytest.approx(10.015e6, rel=1e-4))


def test_what_a_tool_rounded_away_is_no_difference(tmp_path: Path, cli: Run) -> None:
    """wrk2 prints two digits after the point: 0.10 ms may have been 0.104 ms, and 0.11 ms 0.106 ms."""
    for side, average in (("base", 0.10), ("head", 0.11)):
        for at in range(3):
            file = Path(wrk2(tmp_path / side / f"{at}.txt", average))
            file.write_text(file.read_text() + "\n" * at)  # else it would be one run, copied
    base, head = str(tmp_path / "base"), str(tmp_path / "head")
    code, found = said(cli, base, head, "--from", "wrk2", "--metric", "latency.mean")
    (row,) = found["pairs"][0]["metrics"]
    assert (code, row["verdict"], row["needed_runs"]) == (5, "undecided", None)
    assert row["interval"][0] < 1.05 < 1.1 < row["interval"][1]


def test_a_run_that_was_copied_is_counted_once(tmp_path: Path, cli: Run) -> None:
    base = folder(tmp_path, "base", [10.0, 10.0, 10.0])
    head = folder(tmp_path, "head", [10.1, 10.2])
    code, found = said(cli, base, head, "--from", "wrk2", "--metric", "latency.mean")
    assert code == 5
    assert "for the base give a folder" in found["pairs"][0]["metrics"][0]["reason"]
    assert found["pairs"][0]["notes"] == ["base: 2 of 3 files hold a run that another one holds: it is counted once"]


def test_runs_that_stand_on_both_sides_are_told(tmp_path: Path, cli: Run) -> None:
    base, head = folder(tmp_path, "base", [10.0, 10.1]), folder(tmp_path, "head", [10.1, 10.2])
    notes = said(cli, base, head, "--from", "wrk2")[1]["pairs"][0]["notes"]
    assert notes[0] == "1 of the runs stand on both sides: compared with themselves they are the same"


def test_runs_that_were_appended_to_one_file_are_its_processes(tmp_path: Path, cli: Run) -> None:
    files = []
    for side, averages in (("base", [10.0, 10.1]), ("head", [15.0, 15.1])):
        runs = [Path(wrk2(tmp_path / f"{side}-{at}.txt", average)).read_text() for at, average in enumerate(averages)]
        files.append(tmp_path / f"{side}.txt")
        files[-1].write_text("".join(runs))
    code, found = said(cli, *map(str, files), "--from", "wrk2", "--metric", "latency.mean")
    assert (code, verdicts(found)) == (1, {"latency.mean": "worse"})


def test_an_import_is_compared_as_the_file_that_it_came_from(tmp_path: Path, repository: Repository, cli: Run) -> None:
    key = str(repository.root.parent / "k.key")
    cli("keygen", "--out", key)
    files = [hyperfine(tmp_path / f"{name}.json", QUICK, f"make {name}") for name in ("old", "new")]
    sealed = [f"artifacts/{Path(file).stem}.json" for file in files]
    for file, artifact in zip(files, sealed, strict=True):
        assert cli("import", file, "--artifact", artifact, "--key", key)[0] == 0
    (raw,), (kept,) = (said(cli, *both)[1]["pairs"] for both in (files, sealed))
    assert kept["metrics"] == raw["metrics"]
    assert "different targets (make old against make new): a difference may be theirs" in kept["notes"]


def test_runs_under_another_load_are_not_one_measurement(tmp_path: Path, cli: Run) -> None:
    for side in ("base", "head"):
        for connections in (4, 64):
            wrk2(tmp_path / side / f"load-{connections}.txt", 10.0, connections=connections)
    found = said(cli, *(str(tmp_path / side) for side in ("base", "head")), "--from", "wrk2")[1]
    assert [pair["name"] for pair in found["pairs"]] == ["load-4", "load-64"]


def test_another_load_on_the_other_side_is_told(tmp_path: Path, cli: Run) -> None:
    base, head = folder(tmp_path, "base", [10.0, 10.1]), folder(tmp_path, "head", [10.0, 10.1], connections=64)
    notes = said(cli, base, head, "--from", "wrk2")[1]["pairs"][0]["notes"]
    assert "measured under different load (concurrency 4 against 64): a difference may be the load's" in notes


def test_a_report_and_the_rows_of_the_same_run_are_neither_two_runs_nor_compared_with_each_other(
    tmp_path: Path, cli: Run
) -> None:
    for side in ("base", "head"):
        (tmp_path / side).mkdir()
        for name in ("errors-c4.txt", "errors-c4.tsv"):
            (tmp_path / side / name).write_bytes((FIXTURES / "ab" / name).read_bytes())
    found = said(cli, *(str(tmp_path / side) for side in ("base", "head")))[1]
    assert [pair["name"] for pair in found["pairs"]] == [
        "errors-c4 (ab, gnuplot rows (-g))", "errors-c4 (ab, text report)",
    ]  # fmt: skip
    assert {row["base"]["runs"] for pair in found["pairs"] for row in pair["metrics"] if row["base"]} == {1}


def test_what_no_tool_wrote_is_left_out_of_a_folder_and_told(tmp_path: Path, cli: Run) -> None:
    for side in ("base", "head"):
        for at in range(3):
            hyperfine(tmp_path / side / f"{at}.json", [time + at / 1e5 for time in QUICK])
    (tmp_path / "base" / "README.txt").write_text("how it was measured")
    code, found = said(cli, *(str(tmp_path / side) for side in ("base", "head")))
    assert (code, verdicts(found)["latency.mean"]) == (0, "same")
    assert found["notes"] == [f"{tmp_path}/base: README.txt looks like no output of a known tool and was left out"]


# ── who signed, and what was measured where ──────────────────────────────────────────────────────────────────────


def test_without_a_keyring_it_says_that_no_signature_was_checked(
    sealed: Callable[..., str], repository: Repository, cli: Run
) -> None:
    (repository.root / "gates" / "keyring.toml").unlink()
    _, found = said(cli, sealed("base"), sealed("head", 1.0, 9))
    assert found["signatures"].startswith("signatures were not checked: gates/keyring.toml does not exist")


def test_a_side_that_the_keyring_does_not_trust_is_named(
    sealed: Callable[..., str], repository: Repository, cli: Run
) -> None:
    base, head = sealed("base"), sealed("head", 1.0, 9)
    assert said(cli, base, head)[1]["signatures"] == "every signature is trusted by gates/keyring.toml"
    stranger = PrivateKey.generate()
    Path(head).write_bytes(seal(read(Path(head).read_bytes()).unverified_statement(), [stranger]))
    _, found = said(cli, base, head)
    assert found["signatures"] == "signatures were checked by gates/keyring.toml"
    (note,) = found["pairs"][0]["notes"]
    assert note.startswith("the head is not trusted: ")


def test_other_tools_outputs_bear_no_signature_that_could_be_checked(tmp_path: Path, cli: Run) -> None:
    base, head = (hyperfine(tmp_path / f"{side}.json", QUICK) for side in ("base", "head"))
    assert said(cli, base, head)[1]["signatures"] is None


def side(**more: Any) -> Side:
    metric = Metric("latency.mean", "ns", "lower", 1e6, process_values=(1e6, 1.01e6))
    return Side("x", {"latency.mean": metric}, Audit("VALID"), **more)


@pytest.mark.parametrize(
    ("fact", "base", "head", "note"),
    [
        ("target", "py:a:old", "py:a:new", "different targets (py:a:old against py:a:new)"),
        ("environment", {"cores": "2"}, {"cores": "4"}, "measured in different environments (cores 2 against 4)"),
        ("setup", {"rate": "5/s"}, {"rate": "9/s"}, "measured under different load (rate 5/s against 9/s)"),
    ],
)
def test_what_differs_between_the_sides_besides_the_figures_is_told(fact: str, base: Any, head: Any, note: str) -> None:
    def notes(*facts: Any) -> list[str]:
        (pair,) = compare("a", "b", *([side(**({fact: one} if one else {}))] for one in facts), margin=0.05).pairs
        return [told.rpartition(": ")[0] for told in pair.notes]

    assert notes(base, head) == [note]
    assert notes(base, base) == notes(base, None) == notes(None, head) == []


def test_what_is_invalid_is_told_with_the_rules_that_refuse_it() -> None:
    codes = ["clock.resolution", "littles_law.zero", "clock.resolution"]
    refused = Audit("INVALID", (*(Finding(code, "invalid", "no") for code in codes), Finding("x.y", "note", "so")))
    base = dataclasses.replace(side(), audit=refused)
    (row,) = compare("a", "b", [base], [side()], margin=0.05).pairs[0].rows
    assert row.reason == "the base is INVALID: clock.resolution, littles_law.zero"
