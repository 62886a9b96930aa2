"""The published table of what is read, by origin, fields, rules, verdict and codes."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

from bizra_gate.importers import IMPORTERS

ROOT = Path(__file__).parents[2]


@cache
def command() -> ModuleType:
    spec = importlib.util.spec_from_file_location("import_table", ROOT / "benchmarks" / "import_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["import_table"] = module
    spec.loader.exec_module(module)
    return module


def test_the_published_table_is_what_the_command_prints() -> None:
    page = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
    found = list(command().rows(command().FIXTURES))
    assert command().written(page, command().markdown(found)) == page, "run: python benchmarks/import_table.py --write"
    assert {row.tool for row in found} == set(IMPORTERS), "every importer has a fixture and an expectation"
