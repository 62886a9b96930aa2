"""Micro-benchmarks on their way into evidence and out again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_builders import Repository

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def keyed(repository: Repository, cli: Cli) -> Cli:
    assert cli("keygen")[0] == 0
    return cli


def pyperf(values: list[list[float]]) -> str:
    runs = [{"values": row, "warmups": [[1000, row[0]]]} for row in values]
    metadata = {"name": "parse", "loops": 1000, "unit": "second"}
    document: dict[str, Any] = {"version": "1.0", "metadata": metadata, "benchmarks": [{"runs": runs}]}
    return json.dumps(document)


EIGHT = [[(2000 + 7 * run + value) * 1e-9 for value in range(8)] for run in range(3)]


def test_kept_values_go_into_an_artifact_and_out_to_pyperf_again(keyed: Cli) -> None:
    Path("run.json").write_text(pyperf(EIGHT))
    assert keyed("import", "run.json", "--artifact", "made.json")[0] == 0
    code, said, _ = keyed("export", "--to", "pyperf", "made.json")
    assert code == 0
    runs = json.loads(said)["benchmarks"][0]["runs"]
    assert [run["values"] for run in runs] == [pytest.approx(row, rel=1e-12) for row in EIGHT]


@pytest.mark.parametrize("odd", ["NaN", "Infinity"])
def test_a_value_that_is_no_number_is_audited_as_invalid_and_never_signed(keyed: Cli, odd: str) -> None:
    Path("run.json").write_text(pyperf(EIGHT).replace(json.dumps(EIGHT[1][2]), odd))
    code, said, _ = keyed("audit", "run.json", "--format", "json", "--min-duration", "1us", "--min-warmup", "0s")
    assert code == 3
    assert json.loads(said)["verdict"] == "INVALID"
    code, _, error = keyed("import", "run.json", "--artifact", "made.json")
    assert code == 2
    assert "not a finite number" in error
    assert not Path("made.json").exists()


def test_a_benchmark_of_batches_is_refused_as_a_histogram_with_a_way_on(keyed: Cli) -> None:
    Path("run.json").write_text(pyperf(EIGHT))
    keyed("import", "run.json", "--artifact", "made.json")
    code, said, error = keyed("export", "--to", "hlog", "made.json")
    assert (code, said) == (2, "")
    assert "export as csv, pyperf" in error
