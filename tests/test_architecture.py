"""The house rules: who may import what, and that asking for help stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "bizra_gate"

ROWS = {
    "units": 1, "errors": 1, "version": 1,
    "model": 2, "schema": 2,
    "stats": 3, "attest": 3, "gates": 3,
    "audit": 4,
    "load": 5, "targets": 5, "importers": 5, "exporters": 5, "evidence": 5, "reports": 5, "probe": 5, "store": 5,
    "repository": 5,
    "pipeline": 6, "opening": 6, "openers": 6, "binding": 6, "keystore": 6, "exports": 6, "starter": 6, "demo": 6,
    "selftest": 6, "origin": 6, "ledgers": 6, "docket": 6, "head_changes": 6, "comparing": 6, "cosigning": 6,
    "baselines": 6, "against": 6, "pooling": 6, "history": 6, "sides": 6,
    "cli": 7, "api": 8, "testing": 8,
    "__init__": 9, "__main__": 9,
}  # fmt: skip
"""Room → row; a room imports only from rows below its own, or from itself. Row 6 is one room in several files."""

BORROWED = {
    ("gates", "stats"): "the judge compares processes with the same statistics that `compare` shows",
    ("evidence", "gates"): "a plan is written and digested by the room that defines it",
}

ALLOWED = {
    "typer": ("cli/",),
    "rich": ("cli/", "reports/terminal"),
    "numpy": ("stats/", "load/"),
    "scipy": ("stats/", "load/"),
    "hdrh": ("stats/", "selftest"),
    "nacl": ("attest/keys",),
    "jsonschema": ("schema",),
    "socket": ("targets/http", "targets/http/"),
    "ssl": ("targets/http/",),
    "select": ("targets/http/", "load/", "targets/"),
    "asyncio": ("targets/",),
    "uvloop": ("targets/http/",),
    "httptools": ("targets/http/",),
    "subprocess": ("targets/command", "targets/http/embedded", "load/workers", "probe", "repository"),
}  # fmt: skip
"""Third-party or effectful module → path prefixes (below the package) that may import it."""


MODULES = [path.relative_to(PACKAGE).with_suffix("").as_posix() for path in sorted(PACKAGE.rglob("*.py"))]


@cache
def imports(name: str) -> list[str]:
    """Absolute dotted names of everything that a module imports, wherever in it."""
    tree = ast.parse((PACKAGE / f"{name}.py").read_text())
    depth = name.split("/")
    package = ["bizra_gate", *depth[:-1]]
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            found += [f"{stem}.{alias.name}" for alias in node.names]
    return found


def room(dotted: str) -> str | None:
    """The room that a dotted name of ours lives in, None for foreign names."""
    parts = dotted.split(".")
    if parts[0] != "bizra_gate":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in ROWS else "__init__"


@pytest.mark.parametrize("name", MODULES)
def test_a_room_imports_only_from_the_rows_below(name: str) -> None:
    here = name.split("/")[0]
    assert here in ROWS, f"{name}: a room that the plan of the house does not know"
    for dotted in imports(name):
        there = room(dotted)
        if there is None or there == here or ROWS[here] == 6 == ROWS[there] or (here, there) in BORROWED:
            continue
        if dotted.startswith("bizra_gate.version") or dotted == "bizra_gate.__version__":
            continue
        assert ROWS[there] < ROWS[here], f"{name} imports {dotted}: {there} is not below {here}"


@pytest.mark.parametrize("name", MODULES)
def test_effects_are_imported_only_where_they_belong(name: str) -> None:
    for dotted in imports(name):
        module = dotted.split(".")[0]
        if module in ALLOWED:
            assert name.startswith(ALLOWED[module]), f"{name} imports {dotted}; only {ALLOWED[module]} may"


def test_only_the_clock_and_the_command_line_read_the_time() -> None:
    readers = {name for name in MODULES if any(i.split(".")[0] == "time" for i in imports(name))}
    allowed = ("load/clock", "cli/waiting", "targets/http/embedded", "targets/http/server")
    assert all(name.startswith(allowed) for name in readers), readers


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["verify", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; sys.argv=['bizra-gate', *sys.argv[1:]]\n"
        "from bizra_gate.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy','scipy','uvloop','pyperf','hdrh','httptools','jsonschema','nacl'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout, done.stdout[-300:]
