"""What can be asked of `bench` on the command line ends in the plan, or is refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from cli_builders import Repository

from bizra_gate.cli import planning, summary, target_options, values
from bizra_gate.errors import UsageError
from bizra_gate.gates.plans import WITHHELD, plan_document
from bizra_gate.model import ClosedLoop, HttpRequest, OpenLoop, Plan, Warmup
from bizra_gate.model.metric import Metric
from bizra_gate.model.plan import public_target

Run = Callable[..., tuple[int, str, str]]
HTTP = "http://127.0.0.1:9/"


def plan(target: str = HTTP, **options: object) -> Plan:
    return Plan(target, ClosedLoop(), Warmup(0), 10**9, name="x", **options)  # type: ignore[arg-type]


def made(before: Plan, **asked: object) -> Plan:
    return planning.overridden(before, planning.Asked(**asked))  # type: ignore[arg-type]


def request(**asked: object) -> HttpRequest:
    found = made(plan(), **asked).http
    assert found is not None
    return found


def test_a_body_is_posted_unless_a_method_is_named() -> None:
    assert request(body="x").method == "POST"
    assert request(body="x", method="PUT").method == "PUT"


def test_options_of_a_request_reach_the_plan() -> None:
    found = request(follow_redirects=True, new_connections=True, insecure=True, fields={"id": "uniform(1, 9)"})
    assert (found.follow_redirects, found.new_connections, found.verify_tls) == (True, True, False)
    assert found.fields == {"id": "uniform(1, 9)"}


def test_what_a_gate_says_stays_where_nothing_else_is_asked() -> None:
    before = plan(http=HttpRequest(method="PUT", fields={"a": "uniform(1, 2)"}))
    assert made(before).http == before.http
    after = made(before, fields={"b": "zipf(1.1, 10)"}).http
    assert after is not None
    assert (after.method, sorted(after.fields)) == ("PUT", ["a", "b"])


def test_evidence_is_bound_to_the_rows_that_fill_its_requests(repository: Repository) -> None:
    rows = repository.root / "rows.csv"
    rows.write_text("id\n1\n")
    found = made(plan(), data=rows)
    assert found.http is not None
    assert (found.http.data, found.sources) == ("rows.csv", ("rows.csv",))


def test_rows_outside_of_the_repository_are_refused(repository: Repository) -> None:
    outside = repository.root.parent / "rows.csv"
    outside.write_text("id\n1\n")
    with pytest.raises(UsageError, match="lies outside of"):
        made(plan(), data=outside)


@pytest.mark.parametrize(
    ("target", "asked", "named"),
    [
        ("py:json:dumps", {"insecure": True}, "--insecure: for HTTP targets only"),
        ("py:json:dumps", {"fields": {"a": "uniform(1, 2)"}, "method": "PUT"}, "--field, --method: for HTTP"),
        (HTTP, {"expect_exit": (1,)}, "--expect-exit: for cmd: targets only"),
        (HTTP, {"parameters": {"n": ("1",)}}, "--param: for cmd: targets only"),
    ],
)
def test_an_option_of_another_kind_of_target_is_refused(target: str, asked: dict[str, object], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        made(plan(target), **asked)


def test_a_body_that_is_too_long_is_refused(repository: Repository) -> None:
    big = repository.root / "big"
    big.write_text("x" * (target_options.LONGEST_BODY + 1))
    with pytest.raises(UsageError, match="1,000,001 characters"):
        made(plan(), body=f"@{big}")


def test_a_seed_is_that_of_the_arrivals_as_well() -> None:
    found = made(plan(), rate_per_s=100.0, seed=7, max_in_flight=3)
    assert isinstance(found.load, OpenLoop)
    assert (found.seed, found.load.seed, found.load.max_in_flight) == (7, 7, 3)


def test_a_cap_on_what_is_in_flight_belongs_to_an_open_loop() -> None:
    with pytest.raises(UsageError, match="--max-in-flight belongs to an open loop"):
        made(plan(), max_in_flight=3)


def test_an_unknown_way_to_collect_garbage_is_refused() -> None:
    assert made(plan("py:json:dumps"), gc="freeze").gc == "freeze"
    with pytest.raises(UsageError, match="--gc: got 'never', expected on, off or freeze"):
        made(plan("py:json:dumps"), gc="never")


@pytest.mark.parametrize("text", ["x", "0,256", "-1", "0,,1", "٣"])
def test_exit_statuses_are_numbers_from_0_to_255(text: str) -> None:
    assert values.exits("0, 3") == (0, 3)
    with pytest.raises(UsageError, match="--expect-exit"):
        values.exits(text)


@pytest.mark.parametrize("texts", [["n"], ["=1"], ["1n=1"], ["n="], ["n=1", "n=2"]])
def test_names_and_values_are_told_apart(texts: list[str]) -> None:
    assert values.named("--param", ["n=a=b"], "n=1") == {"n": "a=b"}
    with pytest.raises(UsageError, match="--param"):
        values.named("--param", texts, "n=1")


def test_each_combination_of_parameters_is_a_measurement_of_its_own(repository: Repository) -> None:
    asked = planning.Asked(parameters={"n": ("1", "2"), "m": ("x",)}, runs=2)
    jobs = planning.jobs(["cmd:echo {n} {m}"], asked, None)
    assert [job.artifact.name for job in jobs] == ["echo-n-m-n-1-m-x.json", "echo-n-m-n-2-m-x.json"]
    assert planning.in_turn(jobs) == [jobs]
    with pytest.raises(UsageError, match="--artifact names one file, but the parameters make 2"):
        planning.jobs(["cmd:echo {n} {m}"], asked, Path("a.json"))


def test_measurements_of_one_run_each_take_no_turns(repository: Repository) -> None:
    jobs = planning.jobs(["cmd:echo {n}"], planning.Asked(parameters={"n": ("1", "2")}), None)
    assert planning.in_turn(jobs) == [[jobs[0]], [jobs[1]]]


def test_values_that_make_the_same_file_name_are_refused(repository: Repository) -> None:
    with pytest.raises(UsageError, match="the same file name"):
        planning.jobs(["cmd:echo {n}"], planning.Asked(parameters={"n": ("+", "-")}), None)


def test_a_password_and_a_token_are_sent_and_not_written_down() -> None:
    secret = plan(
        "http://me:pass@127.0.0.1:9/p@th",
        http=HttpRequest(headers=(("Authorization", "Bearer abc"), ("X-Api-Key", "abc"), ("Accept", "*/*"))),
        against="https://me:pass@127.0.0.1:10/",
    )
    document = plan_document(secret)
    assert (document["target"], document["against"]) == ("http://127.0.0.1:9/p@th", "https://127.0.0.1:10/")
    assert document["http"]["headers"] == [["Authorization", WITHHELD], ["X-Api-Key", WITHHELD], ["Accept", "*/*"]]
    assert "pass" not in repr(document)
    assert "abc" not in repr(document)
    assert public_target("py:a@b") == "py:a@b"


def test_times_out_of_bounds_are_refused(repository: Repository, cli: Run) -> None:
    code, _, err = cli("bench", "py:json:dumps", "--timeout", "10us")
    assert (code, "--timeout" in err) == (2, True)
    code, _, err = cli("bench", "py:json:dumps", "--duration", "100000h")
    assert (code, "--duration" in err) == (2, True)


@pytest.mark.parametrize("target", ["HTTP://127.0.0.1:1/A", "Cmd:Echo A"])
def test_a_scheme_may_be_written_in_any_case(target: str) -> None:
    scheme, _, rest = target.partition(":")
    assert planning.jobs([target], planning.Asked(), None)[0].plan.target == f"{scheme.lower()}:{rest}"


def test_the_values_of_a_parameter_are_ranked_by_their_means(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = planning.jobs(["cmd:sleep {n}"], planning.Asked(parameters={"n": ("3", "1", "2")}), None)
    means = [Metric("latency.mean", "ns", "lower", mean) for mean in (30.0, 10.0, 15.0)]
    made = [SimpleNamespace(metrics={m.name: m}, artifact=job.artifact) for m, job in zip(means, jobs, strict=True)]
    summary.ranked(made, jobs)  # type: ignore[arg-type]
    first, *rest, last = capsys.readouterr().out.splitlines()
    assert first == "fastest on average: sleep-n n=1"
    assert [line.split(None, 1)[0] for line in rest] == ["1.50", "3.00"]
    assert "compare artifacts/sleep-n-n-1.json artifacts/sleep-n-n-2.json" in last
