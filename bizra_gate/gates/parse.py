"""A gate file (TOML) into a `Gate`, or every problem in it at once."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

from bizra_gate.errors import DefinitionError, Problem
from bizra_gate.model import Check, Gate

from .checks import read_checks
from .measure import read_plan
from .metrics import AGAINST
from .plans import plan_digest
from .reader import Problems, Table, has_control, plain, shown
from .sections import read_evidence, read_policy, repeated_artifacts

MAX_CHARACTERS = 1_000_000
"""A gate file is written and reviewed by people."""
LONGEST_NAME = 120


def parse(text: str, file: str, sha256: str) -> Gate:
    """The gate that `text` describes.

    `file` is how reports name it, `sha256` the digest of its bytes, to which waivers are bound. Raises
    `DefinitionError` with every problem: file, path (the first check is ``check[0]``), got, expected, next step.
    """
    problems = Problems(file)
    document = Table(_toml(text, file), "", problems)
    gate = _gate(document, file, sha256)
    document.done()
    if problems.items:
        raise DefinitionError(problems.items)
    return gate


def _toml(text: str, file: str) -> dict[str, object]:
    if len(text) > MAX_CHARACTERS:
        got = f"{len(text):,} characters"
        raise DefinitionError([Problem(file, got, f"a gate file of at most {MAX_CHARACTERS:,}")])
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number of too many digits
        raise DefinitionError([Problem(file, f"no TOML: {plain(str(error), 300)}", "a TOML document")]) from None
    except RecursionError:
        raise DefinitionError([Problem(file, "tables nested too deeply", "a gate file")]) from None


def _gate(document: Table, file: str, sha256: str) -> Gate:
    name = _name(document)
    claim = document.required_text("claim", why="what is claimed, as one sentence for people", longest=500)
    measure = document.table("measure")
    plan = read_plan(measure, name) if measure is not None else None
    evidence = read_evidence(document, name, plan)
    for path in repeated_artifacts(evidence):
        document.problems.add("evidence", shown(path), "each artifact once: a copy is no second piece of evidence")
    policy = read_policy(document)
    checks = read_checks(document, evidence, policy)
    if plan is not None and plan.against is None:
        _without_second_target(document.problems, checks)
    return Gate(
        name=name,
        claim=claim,
        file=file,
        sha256=sha256,
        checks=checks,
        evidence=evidence,
        policy=policy,
        plan=plan,
        plan_digest=plan_digest(plan) if plan is not None else None,
        owner=document.optional_text("owner", longest=200),
        family=document.choice("family", ("each", "holm"), "each"),
    )


def _name(document: Table) -> str:
    name = document.required_text("name", why="a name that no other gate has", longest=LONGEST_NAME)
    if name != name.strip() or has_control(name):
        document.refuse("name", "a name on one line, without blanks around it")
    return name


def _without_second_target(problems: Problems, checks: Sequence[Check]) -> None:
    """Refuse what reads a second target that ``[measure]`` does not measure."""
    for i, check in enumerate(checks):
        references = [limit.reference for limit in (check.limit, check.warn) if limit is not None]
        read = {
            "baseline.ref": check.baseline.ref if check.baseline is not None else "",
            "metric": check.metric if check.metric.startswith(AGAINST) else "",
            "pass": next((one.metric for one in references if one is not None and one.artifact is None), ""),
        }
        for key, name in read.items():
            if f"{name}.".startswith(AGAINST):
                expected = "a second target to compare with: [measure] has no against"
                problems.add(f"check[{i}].{key}", f'"{plain(name)}"', expected)


def check_set(gates: Sequence[Gate]) -> None:
    """Refuse gates that cannot stand beside each other: one name may mean one gate only.

    Raises `DefinitionError` with every clash.
    """
    problems: list[Problem] = []
    first: dict[str, Gate] = {}
    for gate in gates:
        other = first.setdefault(gate.name, gate)
        if other is not gate:
            got = f"{shown(gate.name)}, which is the name of {other.file} too"
            problems.append(Problem(f"{gate.file}: name", got, "a name that no other gate has"))
    if problems:
        raise DefinitionError(problems)
