"""Print the table of absence: every way in which a gate could be green for nothing, and what it ends in instead.

    python benchmarks/absence_table.py

Exit status 1 if any of them were SHIP. The cases are those of the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "gates"))

from gates_absence import CASES, UNREADABLE, said
from gates_builders import gate

from bizra_gate.errors import DefinitionError


def rows() -> list[tuple[str, str, int, str]]:
    """What is absent, verdict, exit code, and the sentence that says so."""
    found = [(name, "(refused)", *_refusal(text, says)) for name, text, says in UNREADABLE]
    for case in CASES:
        report = case.report()
        sentence = next(line for line in said(report).splitlines() if case.says.lower() in line.lower())
        found.append((case.absent, report.verdict, report.exit_code, sentence))
    return found


def _refusal(text: str, says: str) -> tuple[int, str]:
    try:
        gate(text)
    except DefinitionError as error:
        return error.exit_code, next(str(problem) for problem in error.problems if says in str(problem))
    return 0, "read without a complaint"


def main() -> int:
    table = rows()
    print("| absent | verdict | exit | said |\n|---|---|---|---|")
    for name, verdict, code, sentence in table:
        print(f"| {name} | {verdict} | {code} | {sentence} |")
    green = [name for name, verdict, code, _ in table if code == 0]
    print(f"\n{len(table)} cases, {len(green)} of them SHIP")
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main())
