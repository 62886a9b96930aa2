"""What `audit` and `import` take: files, standard input, pipes and Criterion's folders."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_builders import Repository

Cli = Callable[..., tuple[int, str, str]]
FIXTURES = Path(__file__).parent.parent / "importers" / "fixtures"
WRK = (FIXTURES / "wrk" / "closed-c6.txt").read_bytes()
LAX = ("--min-duration", "1s", "--min-warmup", "0s")


@pytest.fixture
def keyed(repository: Repository, cli: Cli) -> Cli:
    assert cli("keygen")[0] == 0
    return cli


def _typed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_minus_is_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    _typed(monkeypatch, WRK)
    code, said, _ = cli("audit", "-", "--format", "json", *LAX)
    assert code == 0
    assert json.loads(said)["source"] == {"tool": "wrk", "file": "standard input"} | json.loads(said)["source"]


def test_nothing_on_standard_input_is_a_sentence(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    _typed(monkeypatch, b"")
    code, _, error = cli("audit", "-")
    assert (code, error.strip()) == (2, "bizra-gate: standard-input: is empty; nothing was measured")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_to_its_end(cli: Cli, tmp_path: Path) -> None:
    pipe = tmp_path / "wrk.txt"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(WRK,))
    writer.start()
    code, _, _ = cli("audit", str(pipe), *LAX)
    writer.join()
    assert code == 0


def test_import_says_what_an_audit_will_say_under_the_policy_that_was_asked_for(keyed: Cli) -> None:
    Path("wrk.txt").write_bytes(WRK)
    code, said, _ = keyed("import", "wrk.txt")
    assert code == 0
    assert "audit: INSUFFICIENT" in said
    assert "method.duration" in said
    assert "audit: VALID" in keyed("import", "wrk.txt", *LAX)[1]


def test_an_artifact_names_the_file_and_not_the_importers_folders(
    keyed: Cli, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("somebodys-home")
    (elsewhere / "wrk.txt").write_bytes(WRK)
    assert keyed("import", str(elsewhere / "wrk.txt"), "--artifact", "far.json")[0] == 0
    _typed(monkeypatch, WRK)
    assert keyed("import", "-", "--artifact", "typed.json")[0] == 0
    for name, file in (("far.json", "wrk.txt"), ("typed.json", "standard-input")):
        predicate = json.loads(Path(name).read_text())["statement"]["predicate"]
        assert predicate["measurement"]["source"]["file"] == file
        assert "somebodys-home" not in Path(name).read_text()


def test_facts_that_were_stated_are_signed_as_stated(keyed: Cli) -> None:
    Path("hey.txt").write_bytes((FIXTURES / "hey" / "closed-c6.txt").read_bytes())
    keyed("import", "hey.txt", "--connections", "6", "--target-duration", "3s", "--artifact", "made.json")
    measurement = json.loads(Path("made.json").read_text())["statement"]["predicate"]["measurement"]
    assert measurement["stated"] == {"connections": "6", "target_duration": "3 s"}
    assert measurement["concurrency"] == 6


def test_all_benchmarks_below_a_folder_of_criterion_are_read(keyed: Cli) -> None:
    for group in ("one", "two"):
        for kind in ("new", "base"):
            folder = Path("criterion", group, kind)
            folder.mkdir(parents=True)
            for part in ("sample", "estimates", "benchmark"):
                shutil.copy(FIXTURES / "criterion" / f"linear.{part}.json", folder / f"{part}.json")
    code, said, _ = keyed("audit", "criterion", "--format", "json")
    assert code == 5
    files = [one["source"]["file"] for one in json.loads(said)["audits"]]
    assert files == ["criterion/one/new/sample.json", "criterion/two/new/sample.json"]
    code, said, _ = keyed("import", "criterion")
    made = sorted(file.name for file in Path("artifacts").glob("*.json"))
    assert len(made) == 2, "benchmarks of one name do not overwrite each other"


def test_a_broken_file_below_a_folder_is_named(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "criterion" / "one" / "new"
    folder.mkdir(parents=True)
    (folder / "sample.json").write_text('{"sampling_mode":"Linear","iters":[1.0')
    code, _, error = cli("audit", str(tmp_path / "criterion"))
    assert code == 2
    assert "one" in error
    assert "ends in the middle of its JSON" in error


GATE = """
name = "wrk"
claim = "Three runs of wrk tell how sure their mean is"

[evidence]
artifacts = ["artifacts/wrk-1.json", "artifacts/wrk-2.json", "artifacts/wrk-3.json"]
aggregate = "merge"

[policy]
min_duration = "1s"
min_warmup = "0s"

[[check]]
metric = "throughput"
pass = ">= 400/s"

[[check]]
metric = "latency.p99"
pass = "<= 1 ms"
"""


def test_printed_figures_of_several_runs_are_judged_by_how_far_the_runs_lie_apart(keyed: Cli) -> None:
    """One report has no interval for its figures, so a check on it is inconclusive; three runs have one."""
    one = WRK.decode()
    runs = [one, one.replace("1440 ", "1441 ").replace("479.80", "480.13"), one.replace("14.50ms", "14.90ms")]
    assert keyed("trust")[0] == 0
    Path("wrk.txt").write_text("".join(runs))
    assert keyed("import", "wrk.txt", *LAX)[0] == 0
    Path("gates/wrk.toml").write_text(GATE)
    code, said, _ = keyed("verify", "gates/wrk.toml", "--format", "json")
    throughput, p99 = json.loads(said)["gates"][0]["checks"]
    assert (code, throughput["verdict"], p99["verdict"]) == (1, "pass", "fail")
    assert throughput["interval"][0] < throughput["estimate"] < throughput["interval"][1]
