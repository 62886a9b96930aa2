"""The reference of the gate language is held true: its examples are gates, and no key is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from gates_builders import HEAD, P99, gate

from bizra_gate import gates
from bizra_gate.gates import KINDS, names_of

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)
LOADS = re.findall(r"^load = .*$", DOCS, re.MULTILINE)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_in_the_reference_is_a_gate(text: str) -> None:
    assert gate(text).checks


@pytest.mark.parametrize("line", LOADS)
def test_every_load_in_the_reference_can_be_read(line: str) -> None:
    assert gate(f'{HEAD}[measure]\ntarget = "py:a:b"\n{line}\n{P99}').plan is not None


def test_the_reference_has_examples() -> None:
    assert len(EXAMPLES) >= 2
    assert len(LOADS) >= 3


def test_every_key_of_the_schema_is_in_the_reference() -> None:
    schema = json.loads((ROOT / "schemas" / "gate.schema.json").read_text(encoding="utf-8"))

    def keys(node: Any) -> set[str]:
        if isinstance(node, list):
            return {key for item in node for key in keys(item)}
        if not isinstance(node, dict):
            return set()
        return set(node.get("properties", {})) | {key for item in node.values() for key in keys(item)}

    missing = [key for key in sorted(keys(schema)) if not re.search(rf"\b{re.escape(key)}\b", DOCS)]
    assert missing == []


def test_every_metric_with_a_name_of_its_own_is_in_the_reference() -> None:
    named = [name for kind in KINDS if kind != "benchmark" for name in names_of(kind)]
    assert [name for name in named if f"`{name}`" not in DOCS] == []


def test_the_waiver_in_the_reference_is_one() -> None:
    from gates_builders import TRUSTED

    (text,) = re.findall(r"^```json\n(.*?)^```", DOCS, re.DOTALL | re.MULTILINE)
    whole = json.loads(text.replace("<sha256 of the gate file>", "ab" * 32))
    assert gates.parse_waiver(whole, "waiver.json", TRUSTED).check == "p99"
