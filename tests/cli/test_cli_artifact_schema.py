"""The published shape of an artifact is the shape that is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_builders import Repository, in_turn, measured

from bizra_gate import demo, load, schema
from bizra_gate.evidence import shape
from bizra_gate.load import FakeClock
from bizra_gate.model import Environment, HttpRequest, Measurement, OpenLoop, Plan, Stage, Warmup
from bizra_gate.targets.fake import Answer, FakeTarget

SECOND = 10**9
SCHEMA = Path(__file__).parents[2] / "schemas" / "artifact.schema.json"


def test_the_published_schema_is_the_one_that_the_annotations_give() -> None:
    again = "python -m bizra_gate.evidence.shape > schemas/artifact.schema.json"
    assert json.loads(SCHEMA.read_text()) == shape.artifact_schema(), f"make it anew: {again}"


def problems(artifact: Path) -> list[str]:
    return [str(problem) for problem in schema.problems("artifact", json.loads(artifact.read_text()), artifact.name)]


def open_loop() -> Measurement:
    stages = (Stage(2 * SECOND, 10.5, 100.0), Stage(SECOND, 100.0, 100.0))
    plan = Plan(
        "http://127.0.0.1:1/",
        OpenLoop(55.125, stages=stages),
        Warmup(SECOND),
        3 * SECOND,
        runs=2,
        http=HttpRequest(headers=(("Accept", "*/*"),), fields={"id": "zipf(1.1, 1000)"}),
    )
    target = FakeTarget(lambda index: Answer(10**6, "timeout" if index % 9 == 8 else None, outcome="hit"))
    return load.run(plan, target, FakeClock(), Environment(packages={"a": "1"}))


def test_what_is_written_fits_the_published_schema(repository: Repository) -> None:
    gate = repository.measured_gate('pass = "<= 1 s"', measure='against = "http://127.0.0.1:8080/b"')
    assert gate.plan is not None
    first, second = in_turn(gate.plan, 1.0)
    assert problems(repository.seal(first, against=second)) == []
    assert problems(repository.seal(open_loop(), "open")) == []
    assert problems(repository.seal(demo.impossible_record(), "foreign")) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("statement", "predicate", "extra"), 1),
        (("statement", "predicate", "measurement", "plan"), {}),
        (("statement", "predicate", "plan", "load", "loop"), "sideways"),
        (("statement", "predicate", "measurement", "runs", 0, "duration_ns"), "long"),
        (("signatures",), []),
    ],
)
def test_what_would_be_refused_does_not_fit(
    repository: Repository, place: tuple[str | int, ...], value: object
) -> None:
    gate = repository.measured_gate('pass = "<= 1 s"', measure="runs = 1")
    assert gate.plan is not None
    document = json.loads(repository.seal(measured(gate.plan)).read_text())
    spot = document
    for step in place[:-1]:
        spot = spot[step]
    spot[place[-1]] = value
    assert schema.problems("artifact", document, "x")
