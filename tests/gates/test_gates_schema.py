"""The JSON Schemas that editors use: they accept what the parsers accept, and catch what has a wrong shape."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from gates_builders import GATE, HEAD, P99
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from test_gates_fuzz import document, mutated, read
from test_gates_parse import FULL
from test_gates_waivers import predicate

SCHEMAS = Path(__file__).parents[2] / "schemas"


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


GATES, KEYRINGS, WAIVERS = validator("gate"), validator("keyring"), validator("waiver")

GOOD = [
    GATE,
    FULL,
    f'{HEAD}[[evidence]]\nname = "a"\nartifact = "a.json"\n{P99}evidence = "a"\n',
    f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ loop = "open", stages = "10s@1k/s, 60s@1k/s..5k/s" }}\n{P99}',
    f'{HEAD}[measure]\ntarget = "cmd:x"\n[measure.command]\nparameters = {{ size = ["1"] }}\n{P99}',
    f'{HEAD}[measure]\ntarget = "http://h/"\n[measure.http]\nheaders = {{ A = "b" }}\nexpect_status = 200\n{P99}',
    f'{HEAD}[measure]\ntarget = "py:a:b"\nwarmup = {{ at_least = "1s", until_steady = true, at_most = "9s" }}\n{P99}',
    f'{HEAD}[[check]]\nmetric = "latency.p99"\nbaseline = {{ ref = "against", max_regression = 0.05 }}\n',
    f'{HEAD}[evidence]\nkind = "scan"\n[[check]]\nmetric = "findings.critical"\npass = "== 0"\n',
]


@pytest.mark.parametrize("text", GOOD)
def test_the_schema_accepts_what_the_parser_accepts(text: str) -> None:
    assert read(text) is not None
    assert list(GATES.iter_errors(tomllib.loads(text))) == []


@given(mutated())
@settings(max_examples=200, deadline=None)
def test_the_schema_never_refuses_what_the_parser_accepts(value: dict[str, Any]) -> None:
    if read(document(value)) is not None:
        parsed = tomllib.loads(document(value))
        assert [error.message for error in GATES.iter_errors(parsed)] == []


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        f"check = []\n{HEAD}",
        GATE.replace('name = "checkout"', ""),
        GATE.replace('"checkout"', '""'),
        f"{GATE}wieght = 2\n",
        f"{GATE}weight = -1\n",
        f"{GATE}weight = true\n",
        f'{GATE}severity = "blocker"\n',
        f"{GATE}min_samples = 0\n",
        GATE.replace('"<= 2 ms"', "2"),
        GATE.replace('"<= 2 ms"', '"2 ms"'),
        GATE.replace("pass", "warn"),
        f'{HEAD}[[check]]\nmetric = "latency.p99"\n',
        f'{GATE}baseline = {{ ref = "git:" , max_regression = "5 %" }}\n',
        f'{GATE}baseline = {{ ref = "git:main" }}\n',
        f'{GATE}baseline = {{ ref = "git:main", max_regression = 5 }}\n',
        f'{HEAD}[evidence]\nkind = "benchmrk"\n{P99}',
        f'{HEAD}[evidence]\nartifact = "/etc/passwd"\n{P99}',
        f'{HEAD}[evidence]\nartifact = "a/../../b"\n{P99}',
        f'{HEAD}[evidence]\nartifact = "artifacts/*.json"\n{P99}',
        f"{HEAD}[evidence]\nartifacts = []\n{P99}",
        f'{HEAD}[evidence]\nartifacts = ["a.json", "a.json"]\n{P99}',
        f'{HEAD}[evidence]\nartifact = "a.json"\nartifacts = ["b.json"]\n{P99}',
        f'{HEAD}[[evidence]]\nartifact = "a.json"\n{P99}',
        f'{HEAD}[policy]\nmin_duration = "120"\n{P99}',
        f"{HEAD}[policy]\nmin_duration = 120\n{P99}",
        f"{HEAD}[policy]\nmax_error_rate = 5\n{P99}",
        f'{HEAD}[measure]\nduration = "9s"\n{P99}',
        f'{HEAD}[measure]\ntarget = "htp://h/"\n{P99}',
        f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ concurrency = 2 }}\n{P99}',
        f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ loop = "open" }}\n{P99}',
        f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ loop = "open", rate = "5k" }}\n{P99}',
        f'{HEAD}[measure]\ntarget = "py:a:b"\nload = {{ loop = "closed", rate = "5k/s" }}\n{P99}',
        f'{HEAD}[measure]\ntarget = "py:a:b"\nwarmup = {{ until_steady = true }}\n{P99}',
    ],
)
def test_the_schema_and_the_parser_refuse_a_wrong_shape(text: str) -> None:
    assert read(text) is None
    assert list(GATES.iter_errors(tomllib.loads(text)))


KEY = {
    "public": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
    "owner": "ci",
    "roles": ["*"],
}


def keyring(**changes: Any) -> dict[str, Any]:
    return {"version": 1, "keys": [KEY | changes.pop("key", {})], **changes}


def as_toml(value: dict[str, Any]) -> str:
    return document(value)


@pytest.mark.parametrize(
    "value",
    [
        keyring(),
        {"version": 3},
        keyring(expires="2027-06-01T00:00:00Z", roles={"benchmark": {"threshold": 2}}),
        keyring(key={"not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00+02:00"}),
        keyring(key={"revoked": {"at": "2026-01-01T00:00:00Z", "reason": "compromised"}}),
    ],
)
def test_the_keyring_schema_accepts_what_its_parser_accepts(value: dict[str, Any]) -> None:
    from bizra_gate.attest.keyring import parse_keyring

    assert parse_keyring(as_toml(value)).version == value["version"]
    assert list(KEYRINGS.iter_errors(value)) == []


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"version": 0},
        {"version": True},
        keyring(extra=1),
        keyring(expires="2027-06-01"),
        keyring(key={"public": "ssh-rsa AAAA"}),
        keyring(key={"owner": ""}),
        keyring(key={"roles": []}),
        keyring(key={"roles": ["benchmrk"]}),
        keyring(key={"unknown": 1}),
        keyring(key={"revoked": {"reason": "compromised"}}),
        keyring(key={"revoked": {"at": "2026-01-01T00:00:00Z", "reason": "bored"}}),
        keyring(roles={"benchmark": {"threshold": 0}}),
        keyring(roles={"benchmrk": {"threshold": 1}}),
    ],
)
def test_the_keyring_schema_and_its_parser_refuse_a_wrong_shape(value: dict[str, Any]) -> None:
    from bizra_gate.attest.keyring import parse_keyring
    from bizra_gate.errors import DefinitionError

    assert list(KEYRINGS.iter_errors(value))
    with pytest.raises(DefinitionError):
        parse_keyring(as_toml(value))


def test_the_roles_of_the_keyring_schema_are_those_of_the_code() -> None:
    from bizra_gate.attest.keyring import ROLES

    roles = KEYRINGS.schema["$defs"]["key"]["properties"]["roles"]["items"]["enum"]  # type: ignore[index]
    assert tuple(roles) == ROLES


def test_the_kinds_of_the_gate_schema_are_those_of_the_code() -> None:
    from bizra_gate.gates import KINDS

    kinds = GATES.schema["$defs"]["evidence"]["properties"]["kind"]["enum"]  # type: ignore[index]
    assert kinds == list(KINDS)


def test_the_waiver_schema_accepts_a_whole_waiver() -> None:
    assert list(WAIVERS.iter_errors(predicate())) == []


@pytest.mark.parametrize(
    "changes",
    [{"expires": None}, {"expires": "never"}, {"gate_digest": "AB" * 32}, {"ticket": 7}, {"reason": ""}, {"x": 1}],
)
def test_the_waiver_schema_refuses_a_wrong_shape(changes: dict[str, Any]) -> None:
    assert list(WAIVERS.iter_errors(predicate(**changes)))


def test_every_key_of_the_gate_language_is_described() -> None:
    def described(schema: Any, where: str) -> None:
        for name, item in schema.get("properties", {}).items():
            if isinstance(item, dict) and "const" not in item:
                assert item.get("description") or "$ref" in item, f"{where}.{name}"
        for key in ("properties", "$defs"):
            for name, item in schema.get(key, {}).items():
                if isinstance(item, dict):
                    described(item, f"{where}.{name}")

    described(GATES.schema, "gate")
