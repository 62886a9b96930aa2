"""A plan as JSON and back, and the digest that binds evidence to a gate."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from gates_builders import HEAD, P99, gate
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate.errors import DefinitionError, UntrustedError
from bizra_gate.gates import plan_digest, plan_document, plan_from_document
from bizra_gate.gates.plans import decimal_text
from bizra_gate.model import ClosedLoop, CommandOptions, HttpRequest, OpenLoop, Plan, Stage, Warmup

whole = st.integers(0, 2**53 - 1)
positive = st.floats(1e-6, 1e12, allow_nan=False, allow_infinity=False)
words = st.text(max_size=12)
loads = st.one_of(
    st.builds(ClosedLoop, concurrency=whole, think_ns=whole),
    st.builds(
        OpenLoop,
        rate_per_s=positive,
        arrivals=st.sampled_from(["constant", "poisson"]),
        stages=st.lists(st.builds(Stage, whole, positive, positive), max_size=2).map(tuple),
        max_in_flight=whole,
        seed=whole,
    ),
)
requests = st.builds(
    HttpRequest,
    method=words,
    headers=st.lists(st.tuples(words, words), max_size=2).map(tuple),
    body=st.none() | words,
    expect_status=st.lists(whole, max_size=2).map(tuple),
    expect_body=st.none() | words,
    follow_redirects=st.booleans(),
    data=st.none() | words,
    fields=st.dictionaries(words, words, max_size=2),
)
commands = st.builds(
    CommandOptions,
    shell=st.booleans(),
    prepare=st.none() | words,
    expect_exit=st.lists(whole, max_size=2).map(tuple),
    parameters=st.dictionaries(words, st.lists(words, max_size=2).map(tuple), max_size=2),
)
plans = st.builds(
    Plan,
    target=words,
    load=loads,
    warmup=st.builds(Warmup, whole, st.booleans(), st.none() | whole),
    duration_ns=whole,
    runs=whole,
    name=st.none() | words,
    gc=st.sampled_from(["on", "off", "freeze"]),
    http=st.none() | requests,
    command=st.none() | commands,
    sources=st.lists(words, max_size=2).map(tuple),
    against=st.none() | words,
)

PLAN = Plan("http://127.0.0.1/", OpenLoop(5000.0), Warmup(30 * 10**9), 120 * 10**9)


@given(plans)
@settings(max_examples=150)
def test_a_plan_survives_the_way_through_json(plan: Plan) -> None:
    document = json.loads(json.dumps(plan_document(plan)))
    assert plan_from_document(document) == plan
    assert plan_digest(plan_from_document(document)) == plan_digest(plan)


@given(plans)
@settings(max_examples=50)
def test_a_plan_document_holds_no_floats(plan: Plan) -> None:
    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]

    assert {type(leaf) for leaf in leaves(plan_document(plan))} <= {str, int, bool}


@given(positive)
def test_a_rate_has_one_spelling_that_reads_back(rate: float) -> None:
    assert float(decimal_text(rate)) == rate


def test_the_digest_is_that_of_canonical_json() -> None:
    plan = Plan("py:a:b", ClosedLoop(1), Warmup(0), 1)
    assert plan_document(plan) == {
        "target": "py:a:b",
        "load": {"loop": "closed", "concurrency": 1, "think_ns": 0},
        "warmup": {"at_least_ns": 0, "until_steady": False},
        "duration_ns": 1,
        "runs": 1,
        "workers": 1,
        "timeout_ns": 10_000_000_000,
        "seed": 1,
        "gc": "on",
        "sources": [],
    }
    assert len(plan_digest(plan)) == 64


def test_every_part_of_a_plan_changes_its_digest() -> None:
    from dataclasses import replace

    others = [
        replace(PLAN, target="http://127.0.0.1/x"),
        replace(PLAN, load=OpenLoop(5001.0)),
        replace(PLAN, load=OpenLoop(5000.0, "poisson")),
        replace(PLAN, load=ClosedLoop(64)),
        replace(PLAN, warmup=Warmup(29 * 10**9)),
        replace(PLAN, duration_ns=119 * 10**9),
        replace(PLAN, runs=2),
        replace(PLAN, workers=2),
        replace(PLAN, timeout_ns=1),
        replace(PLAN, seed=2),
        replace(PLAN, gc="off"),
        replace(PLAN, http=HttpRequest(method="POST")),
        replace(PLAN, sources=("src/a.py",)),
        replace(PLAN, against="git:main"),
    ]
    assert len({plan_digest(plan) for plan in [PLAN, *others]}) == len(others) + 1


def test_a_gate_may_be_renamed_without_new_evidence() -> None:
    text = f'{HEAD}[measure]\ntarget = "py:a:b"\n{P99}'
    assert gate(text).plan_digest == gate(text.replace("checkout", "basket")).plan_digest


def test_options_that_say_only_the_defaults_are_the_same_plan_as_none() -> None:
    from dataclasses import replace

    assert plan_digest(replace(PLAN, http=HttpRequest())) == plan_digest(PLAN)
    assert plan_digest(replace(PLAN, command=CommandOptions())) == plan_digest(PLAN)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("load", "loop"), "shut"),
        (("load", "rate_per_s"), 5000),
        (("load", "rate_per_s"), "5000.0"),
        (("load", "rate_per_s"), "5e3"),
        (("load", "rate_per_s"), "nan"),
        (("load", "rate_per_s"), "-1"),
        (("load", "concurrency"), 5),
        (("load", "max_in_flight"), True),
        (("load", "max_in_flight"), 1.0),
        (("load", "seed"), -1),
        (("load", "seed"), 2**53),
        (("load", "arrivals"), "random"),
        (("load", "stages"), [{"duration_ns": 1}]),
        (("load", "stages"), {}),
        (("duration_ns",), "120s"),
        (("duration_ns",), None),
        (("gc",), "sometimes"),
        (("warmup",), 30),
        (("warmup", "until_steady"), 1),
        (("http",), {"headers": [["a"]]}),
        (("http",), {"fields": {"a": 1}}),
        (("sources",), "src"),
        (("extra",), 1),
        (("load",), None),
    ],
)
def test_a_plan_that_was_not_written_by_us_is_refused(path: tuple[str, ...], value: object) -> None:
    document: Any = copy.deepcopy(plan_document(PLAN))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(UntrustedError) as caught:
        plan_from_document(document)
    assert "plan" in caught.value.message
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("document", [None, [], 3, "plan", {}, {"load": 3}])
def test_what_is_no_plan_at_all_is_refused(document: object) -> None:
    with pytest.raises(UntrustedError):
        plan_from_document(document)


def test_a_plan_without_its_target_is_refused() -> None:
    document = plan_document(PLAN)
    del document["target"]
    with pytest.raises(UntrustedError, match=r"plan\.target"):
        plan_from_document(document)


def plan_of(target: str, rest: str) -> Plan:
    made = gate(f'{HEAD}[measure]\ntarget = "{target}"\n{rest}\n{P99}').plan
    assert made is not None
    return made


def test_two_targets_are_measured_five_times_each_unless_somebody_says_otherwise() -> None:
    other = 'against = "http://127.0.0.1:2/"'
    assert plan_of("http://127.0.0.1:1/", "").runs == 1
    assert plan_of("http://127.0.0.1:1/", other).runs == 5
    assert plan_of("http://127.0.0.1:1/", f"{other}\nruns = 2").runs == 2


def test_git_has_other_revisions_of_files_only() -> None:
    assert plan_of("py:bench/a.py:f", 'against = "git:origin/main"').against == "git:origin/main"
    for target in ("http://127.0.0.1:1/", "py:json:dumps", "cmd:true"):
        with pytest.raises(DefinitionError, match=r"measure\.against: .*py:path\.py:attr only"):
            plan_of(target, 'against = "git:origin/main"')
    for revision in ("git:", "git:-x", "git: x", "main"):
        with pytest.raises(DefinitionError, match=r"measure\.against"):
            plan_of("py:bench/a.py:f", f'against = "{revision}"')
