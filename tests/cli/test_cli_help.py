"""Help is drawn without what it does not show, and looks the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bizra_gate.cli.commands import COMMANDS

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


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_alone_in_the_table_is_what_it_is_among_all(name: str) -> None:
    code = (
        "import sys\n"
        "import typer.main\n"
        "from bizra_gate.cli import app, commands\n"
        "commands.register(sys.argv[1])\n"
        "table = typer.main.get_command(app.app).commands\n"
        "print(sys.argv[1] in table, len(table))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
    together = 2 if COMMANDS[name] == "keys" else 1
    assert done.stdout == f"True {together}\n"


def test_every_command_of_the_table_can_be_found_alone() -> None:
    code = (
        "import typer.main\n"
        "from bizra_gate.cli import app, commands\n"
        "commands.register('no such')\n"
        "print(*typer.main.get_command(app.app).commands)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == sorted(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verfy",), "No such command 'verfy'. Did you mean 'verify'?"),
        (("verify", "--nwo"), "No such option: --nwo"),
        (("ledger", "aply"), "No such command 'aply'."),
        (("ledger",), "Usage: bizra-gate ledger"),
    ],
)
def test_a_slip_is_answered_as_among_all(arguments: tuple[str, ...], said: str) -> None:
    output = " ".join(" ".join(told("quick", *arguments)).replace("│", " ").split())
    assert said in output
    assert "CODE 2" in output


def told(how: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", CODE, how, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return (done.stderr + done.stdout).splitlines()


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
