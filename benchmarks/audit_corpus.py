"""Print the audit's corpus: every lie with the code it is refused by, every honest measurement with its verdict.

    python benchmarks/audit_corpus.py            the table
    python benchmarks/audit_corpus.py --write    also into docs/audit-corpus.md

Exit status 0 when every lie is refused with the right code and no honest measurement is accused.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "audit-corpus.md"
HEADING = """# The audit's corpus

Made by `python benchmarks/audit_corpus.py --write` from the small builders in `tests/audit/corpus/`, each seeded; a
test keeps this page true. Every lie is an honest measurement with one thing changed.

"""


def main(argv: list[str]) -> int:
    sys.path.insert(0, str(ROOT / "tests" / "audit"))
    from corpus.shelves import outcomes, table

    found = outcomes()
    text = table(found)
    print(text, end="")
    if "--write" in argv:
        PAGE.write_text(HEADING + text, encoding="utf-8")
    return 0 if all(outcome.holds for outcome in found) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
