"""The table of absence from the command line: what is not there never ships, and the reason is said."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cli_builders import NOW, Repository, measured

from bizra_gate.model import Distribution, Latency, Measurement, Run

Cli = Callable[..., tuple[int, str, str]]
Change = Callable[[Repository, Measurement], None]
LIMIT = 'pass = "<= 1 s"'
ARTIFACT = "artifacts/checkout.json"


def nothing(repository: Repository, one: Measurement) -> None:
    """The folder stays as it is: no artifact."""


def sealed(repository: Repository, one: Measurement) -> None:
    repository.seal(one)


def text(written: str) -> Change:
    """A file that nobody signed, in place of the artifact."""

    def write(repository: Repository, one: Measurement) -> None:
        file = repository.seal(one)
        file.write_text(written)

    return write


def replaced(old: str, new: str) -> Change:
    """An artifact in which something was changed after it was signed."""

    def change(repository: Repository, one: Measurement) -> None:
        file = repository.seal(one)
        before = file.read_text()
        assert old in before
        file.write_text(before.replace(old, new, 1))

    return change


def each_run(change: Callable[[Run], Run]) -> Change:
    """Signed by a trusted key, with every run changed beforehand."""

    def seal(repository: Repository, one: Measurement) -> None:
        repository.seal(dataclasses.replace(one, runs=tuple(map(change, one.runs)), printed=()))

    return seal


def hollow(run: Run) -> Run:
    """Operations were counted, and not one of them was timed."""
    empty = Latency(histogram=Distribution((), (), ()), count=0)
    return dataclasses.replace(run, service=empty, response=None, intervals=None)


def idle(run: Run) -> Run:
    return dataclasses.replace(hollow(run), operations=0, errors={})


def without_keyring(repository: Repository, one: Measurement) -> None:
    repository.seal(one)
    (repository.root / "gates" / "keyring.toml").unlink()


def unsent(repository: Repository, one: Measurement) -> None:
    """Nothing was asked and nothing was answered; no figure contradicts another."""
    repository.seal(dataclasses.replace(one, sent=None, runs=tuple(map(idle, one.runs))))


@dataclass(frozen=True)
class Case:
    """One thing that is absent, what is there instead, the exit code, and words that a person gets to read."""

    absent: str
    code: int
    says: str
    change: Change = sealed
    check: str = LIMIT
    metric: str = "latency.mean"
    gate: str | None = None
    """The whole gate file, where it is not the usual one."""


WHOLE = f'name = "checkout"\nclaim = "x"\n[evidence]\nartifact = "{ARTIFACT}"\n'
CASES = [
    Case("artifact", 5, "does not exist", nothing),
    Case("bytes of the artifact", 4, "UNTRUSTED", text("")),
    Case("content of the artifact", 4, "UNTRUSTED", text("{}")),
    Case("a number: NaN", 4, "UNTRUSTED", replaced('"estimate": ', '"estimate": NaN, "x": ')),
    Case("signatures", 4, "UNTRUSTED", replaced('"sig": "', '"sig": "A')),
    Case("keyring", 4, "nobody is trusted", without_keyring),
    Case("values in the histogram", 3, "0 latencies were recorded of", each_run(hollow)),
    Case("operations that were sent", 3, "sent and 0 ended", each_run(idle)),
    Case("operations", 5, "0 values were measured", unsent),
    Case("the metric in the evidence", 5, "was not measured", metric="delay.p99"),
    Case("samples for the percentile", 5, "too few samples", metric="latency.p99.99"),
    Case("baseline", 5, "There is no baseline", check='baseline = { ref = "git:main", max_regression = "5 %" }'),
    Case("second target", 2, "has no against", check='baseline = { ref = "against", max_regression = "5 %" }'),
    Case("reference", 5, "does not exist", check='pass = "<= 1.05 x artifacts/bare.json#latency.mean"'),
    Case("weight", 5, "any weight", check=f"{LIMIT}\nweight = 0"),
    Case("a check that must hold: all info", 5, "nothing decides", check=f'{LIMIT}\nseverity = "info"'),
    Case("a check that must hold: all should", 5, "nothing decides", check=f'{LIMIT}\nseverity = "should"'),
    Case("a known metric", 2, "Did you mean", metric="latency.meen"),
    Case("the right unit", 2, "latency.mean is a time", check='pass = "<= 1 MiB"'),
    Case("any unit", 2, "latency.mean is a time", check='pass = "<= 1"'),
    Case("a finite limit", 2, "latency.mean is a time", check='pass = "<= nan s"'),
    Case("limit and baseline", 2, "check[0]", check='why = "because"'),
    Case("everything in the gate", 2, "a gate that checks nothing would be green for nothing", gate=""),
    Case("checks", 2, "a gate that checks nothing would be green for nothing", gate=WHOLE),
    Case(
        "an artifact's name", 2, "green for nothing", gate=WHOLE.replace(f'artifact = "{ARTIFACT}"', "artifacts = []")
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.absent for case in CASES])
def test_what_is_absent_never_ships(repository: Repository, cli: Cli, case: Case) -> None:
    plan = repository.measured_gate(LIMIT).plan
    assert plan is not None
    case.change(repository, measured(plan))
    file = repository.root / "gates" / "checkout.toml"
    usual = file.read_text().replace(LIMIT, case.check).replace("latency.mean", case.metric, 1)
    file.write_text(usual if case.gate is None else case.gate)
    code, out, err = cli("verify", "--now", NOW, "--no-color")
    said = " ".join((out + err).split())
    assert code == case.code, said
    assert case.says in said
    assert "✓ SHIP" not in said
    assert "Traceback" not in said


def test_a_folder_without_a_gate_is_inconclusive(repository: Repository, cli: Cli) -> None:
    code, out, _ = cli("verify", "--now", NOW)
    assert code == 5
    assert "nothing was judged" in " ".join(out.split())


@pytest.mark.parametrize("place", ["nowhere", "gates/no.toml"])
def test_a_place_that_is_not_there_judges_nothing(repository: Repository, cli: Cli, place: str) -> None:
    code, out, err = cli("verify", "--now", NOW, place)
    assert (code, out) == (2, "")
    assert "no such gate file or folder" in err


@pytest.mark.parametrize("format_", ["json", "markdown", "junit", "sarif", "github", "html"])
def test_no_format_is_green_for_nothing(repository: Repository, cli: Cli, format_: str) -> None:
    code, out, _ = cli("verify", "--now", NOW, "--format", format_)
    assert code == 5
    assert "INCONCLUSIVE" in out or format_ in ("github", "junit", "sarif")
    repository.measured_gate(LIMIT)
    code, out, _ = cli("verify", "--now", NOW, "--format", format_)
    assert code == 5
    assert "does not exist" in out or "missing" in out.lower()
