"""The worked examples in the docstrings run, and every rule has everything that a rule must have."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from typing import Any

import pytest

import bizra_gate.audit
from bizra_gate.audit import RULES

MODULES = sorted(module.name for module in pkgutil.iter_modules(bizra_gate.audit.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    module = importlib.import_module(f"bizra_gate.audit.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_states_formula_tolerance_source_example_violator_and_neighbour(rule: Any) -> None:
    text = inspect.getdoc(rule.check) or ""
    for part in ("*Formula.*", "*Tolerance.*", "*Source.*", "*Example.*", ">>> ", "*Violator.*", "*Neighbour.*"):
        assert part in text, f"{rule.code}: no {part}"


def test_rules_and_examples_need_no_numpy() -> None:
    import subprocess
    import sys

    script = (
        "import sys, bizra_gate.audit as audit\n"
        "from bizra_gate.model import Distribution, Latency, Measurement, Policy, Source\n"
        "held = Latency(histogram=Distribution.of(range(10**6, 2 * 10**6, 999)))\n"
        "audit.examine(Measurement(Source('own', foreign=False), latency=held), Policy())\n"
        "print(sorted({'numpy', 'scipy', 'uvloop'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
