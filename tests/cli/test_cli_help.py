"""Help is drawn without what it does not show, and looks the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
from bizra_gate.cli import app, help_page
asked, sys.argv = sys.argv[1], ["bizra-gate", *sys.argv[2:]]
if asked == "whole":
    help_page.prepare = lambda arguments: None
try:
    app.main()
except SystemExit as stop:
    print("CODE", stop.code)
print("LOADED", sorted({"markdown_it", "pygments", "rich.markdown", "rich.traceback"} & set(sys.modules)))
from rich.markdown import Markdown
from rich.traceback import Traceback
print(Markdown("*x*").markup, callable(Traceback.from_exception))
"""


def shown(how: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", CODE, how, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("arguments", [("--help",), ("verify", "-h"), ("ledger", "--help"), ()])
def test_help_is_the_same_without_markdown_and_tracebacks_which_can_still_be_had(arguments: tuple[str, ...]) -> None:
    *quick, loaded, later = shown("quick", *arguments)
    *whole, all_loaded, _ = shown("whole", *arguments)
    assert quick == whole
    assert any("Usage: bizra-gate" in line for line in quick)
    assert loaded == "LOADED []"
    assert "markdown_it" in all_loaded
    assert later == "*x* True"


def test_what_typer_takes_more_of_is_loaded_in_full() -> None:
    code = (
        "import sys\n"
        "from bizra_gate.cli import help_page\n"
        "help_page.UNUSED = {'rich.markdown': 'Other', 'rich.traceback': 'Traceback'}\n"
        "help_page.prepare(['--help'])\n"
        "import typer.rich_utils\n"
        "print(typer.rich_utils.Markdown.__module__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "rich.markdown\n"
