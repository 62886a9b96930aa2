"""Run ``bizra-gate demo`` and show what it prints, at 80 columns and without colour.

    python benchmarks/readme_demo.py            the session
    python benchmarks/readme_demo.py --write    also into README.md, between its markers

Exit status 0 when the demonstration ended as it should (the honest claim ships, the impossible one is refused).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"(<!-- demo session -->\n```text\n).*?(^```$)", re.DOTALL | re.MULTILINE)


def session() -> tuple[int, str]:
    """Exit code and standard output of the demonstration in a fresh folder."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "bizra_gate", "demo"],
            cwd=folder,
            env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return done.returncode, "\n".join(["$ bizra-gate demo", *lines]) + "\n"


def main() -> int:
    code, text = session()
    print(text, end="")
    if code == 0 and "--write" in sys.argv[1:]:
        before = README.read_text(encoding="utf-8")
        README.write_text(BLOCK.sub(lambda match: match[1] + text + match[2], before), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
