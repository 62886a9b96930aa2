"""Whole outputs kept in files, so that a change of wording is seen. `BIZRA_GATE_GOLDEN=write` writes them anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import reports_builders as builders

from bizra_gate.reports import AUDIT_REPORTERS, COMPARE_REPORTERS, REPORTERS, SHOW_REPORTERS
from bizra_gate.version import __version__

GOLDEN = Path(__file__).parent / "golden"

OUTPUTS: dict[str, Callable[[], str]] = {
    **{
        f"{name}.80.txt": lambda make=make: REPORTERS["terminal"](make(), 80) for name, make in builders.REPORTS.items()
    },
    **{
        f"{name}.120.txt": lambda make=make: REPORTERS["terminal"](make(), 120)
        for name, make in builders.REPORTS.items()
    },
    **{
        f"{name}.{end}": lambda make=make, kind=kind: REPORTERS[kind](make())
        for name, make in builders.REPORTS.items()
        for kind, end in (
            ("json", "json"),
            ("markdown", "md"),
            ("junit", "xml"),
            ("sarif", "sarif"),
            ("github", "github.txt"),
        )
    },
    "no-ship.ascii.txt": lambda: REPORTERS["terminal"](builders.no_ship(), 80, False, False),
    "no-ship.color.txt": lambda: REPORTERS["terminal"](builders.no_ship(), 80, True),
    "audit.80.txt": lambda: AUDIT_REPORTERS["terminal"](builders.audited_impossible(), 80),
    "audit.120.txt": lambda: AUDIT_REPORTERS["terminal"](builders.audited() + builders.audited_impossible(), 120),
    "audit.json": lambda: AUDIT_REPORTERS["json"](builders.audited_impossible()),
    "audit.md": lambda: AUDIT_REPORTERS["markdown"](builders.audited_impossible()),
    "show.80.txt": lambda: SHOW_REPORTERS["terminal"](builders.shown(), 80),
    "show.ascii.txt": lambda: SHOW_REPORTERS["terminal"](builders.shown(), 80, False, False),
    "compare.80.txt": lambda: COMPARE_REPORTERS["terminal"](builders.comparison(), 80),
    "compare.120.txt": lambda: COMPARE_REPORTERS["terminal"](builders.comparison(), 120),
    "compare.md": lambda: COMPARE_REPORTERS["markdown"](builders.comparison()),
    "compare.json": lambda: COMPARE_REPORTERS["json"](builders.comparison()),
}


@pytest.mark.parametrize("name", sorted(OUTPUTS))
def test_the_output_is_the_one_that_was_looked_at(name: str) -> None:
    said = OUTPUTS[name]().replace(f'"{__version__}"', '"VERSION"')
    file = GOLDEN / name
    if os.environ.get("BIZRA_GATE_GOLDEN") == "write":
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {file.name for file in GOLDEN.iterdir()} == set(OUTPUTS)
