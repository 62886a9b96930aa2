"""docs/audit.md speaks of the rules that there are, and of no others."""

from __future__ import annotations

import re
from pathlib import Path

from bizra_gate.audit import RULES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
CODES = {rule.code for rule in RULES}


def test_each_rule_has_a_row_that_says_what_is_allowed() -> None:
    first = [cells.split("|")[1] for cells in PAGE.splitlines() if cells.startswith("| `")]
    assert {code for cell in first for code in re.findall(r"`([\w.]+)`", cell)} >= CODES


def test_no_rule_is_named_that_does_not_exist() -> None:
    families = {code.partition(".")[0] for code in CODES}
    named = {code for code in re.findall(r"`([a-z_]+\.[a-z_]+)`", PAGE) if code.partition(".")[0] in families}
    assert named
    assert named <= CODES
