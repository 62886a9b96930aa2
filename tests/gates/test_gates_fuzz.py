"""By force: no text, and no change to a good gate file, ends in anything but a gate or a list of problems."""

from __future__ import annotations

import copy
import json
import math
import tomllib
import unicodedata
from datetime import date, datetime, time
from typing import Any

from gates_builders import evidence, metric, verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from test_gates_changes import FULL as EVIDENCE_GATE
from test_gates_parse import FULL

from bizra_gate import gates
from bizra_gate.errors import DefinitionError
from bizra_gate.model import Gate

DOCUMENTS = [tomllib.loads(FULL), tomllib.loads(EVIDENCE_GATE)]


def toml(value: Any) -> str:
    """`value` as one TOML value, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(str(value), repr(value))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=True) if isinstance(value, str) else str(value)


def document(value: dict[str, Any]) -> str:
    return "\n".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items())


BIDI = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def is_safe(text: str) -> bool:
    """No character that moves a cursor, breaks a line or turns text around."""
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or ord(c) in BIDI for c in text)


def read(text: str) -> Gate | None:
    """The gate, or None after a refusal of which every problem is a sentence with a place."""
    try:
        return gates.parse(text, "gates/x.toml", "0" * 64)
    except DefinitionError as error:
        found = error.problems
    assert found
    for problem in found:
        assert problem.where.startswith("gates/x.toml")
        assert problem.got
        assert problem.expected
        assert len(str(problem)) < 2_000
        assert is_safe(str(problem))
    return None


# Lone surrogates cannot be in a UTF-8 file; \x7f cannot be in a JSON string that is to be TOML.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=20)
LIMITS = ["<= 2 ms", "<= 2", ">= 1/s", "in [1 ms, 2 ms]", "<= 1.1 x service.p50", "== 1"]
QUANTITIES = ["5 %", "30s", "1e999999999 ms", ""]
NAMES = ["must", "holm", "benchmark", "tests", "git:main", "history:3", "../x", "a.json", "latency.p99", "\x1b[31m"]
near_misses = st.sampled_from([*LIMITS, *QUANTITIES, *NAMES])
scalars = st.one_of(
    st.none().map(lambda _: ""),
    near_misses,
    words,
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.booleans(),
    st.dates().map(lambda day: day),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in a document."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(*path, key) for key in keys] + [place for key in keys for place in places(value[key], (*path, key))]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A good document with one to three places changed, removed, renamed or doubled."""
    whole = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        found = places(whole)
        if not found:
            break
        path = draw(st.sampled_from(found))
        holder = whole
        for key in path[:-1]:
            holder = holder[key]
        action = draw(st.sampled_from(["replace", "remove", "rename", "double"]))
        if action == "replace":
            holder[path[-1]] = draw(anything)
        elif action == "remove":
            del holder[path[-1]]
        elif action == "rename" and isinstance(holder, dict):
            holder[draw(words)] = holder.pop(path[-1])
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[path[-1]]))
    return whole


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_refused_in_sentences(text: str) -> None:
    read(text)


@given(st.dictionaries(words, anything, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_document_is_refused_in_sentences(value: dict[str, Any]) -> None:
    assert read(document(value)) is None


@given(mutated())
@settings(max_examples=400, deadline=None)
def test_any_change_to_a_gate_gives_a_gate_or_sentences(value: dict[str, Any]) -> None:
    changed = read(document(value))
    if changed is None:
        return
    assert changed.checks
    assert all(check.limit is not None or check.baseline is not None for check in changed.checks)
    assert all(math.isfinite(check.weight) and check.weight >= 0 for check in changed.checks)
    assert all(spec.artifacts for spec in changed.evidence)
    assert gates.diff([changed], [changed]) == ()
    if changed.plan is not None:
        assert gates.plan_from_document(gates.plan_document(changed.plan)) == changed.plan


@given(mutated())
@settings(max_examples=150, deadline=None)
def test_whatever_a_gate_asks_no_evidence_is_never_ship(value: dict[str, Any]) -> None:
    changed = read(document(value))
    if changed is not None:
        assert verdict(changed).verdict != "SHIP"


numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True)


@given(numbers, numbers, numbers, st.none() | st.integers(0, 10**9), st.sampled_from(DOCUMENTS))
@settings(max_examples=150, deadline=None)
def test_whatever_evidence_holds_the_judge_answers(
    estimate: float | None, low: float | None, high: float | None, n: int | None, value: dict[str, Any]
) -> None:
    judged = gates.parse(document(value), "gates/x.toml", "0" * 64)
    pieces = [
        evidence(metric(estimate=estimate, interval=(low, high), n=n), file=file)
        for file in judged.evidence[0].artifacts
    ]
    report = verdict(judged, *pieces)
    assert report.exit_code in (0, 1, 3, 4, 5)
    for check in report.gates[0].checks:
        assert check.reason
        assert check.estimate is None or math.isfinite(check.estimate)


def test_the_documents_that_are_mutated_are_good_ones() -> None:
    assert all(read(document(value)) is not None for value in DOCUMENTS)
