"""README, CHANGELOG, `--help` and the code say the same."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from bizra_gate import errors, schema
from bizra_gate.cli.app import EXIT_CODES as EPILOG
from bizra_gate.cli.app import app
from bizra_gate.cli.commands import register
from bizra_gate.model.report import EXIT_CODES
from bizra_gate.version import __version__

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
CODES = dict(re.findall(r"^\| (\d+) \| (.+?) \|$", README, re.MULTILINE))


def commands() -> dict[str, Any]:
    register()
    found: dict[str, Any] = typer.main.get_group(app).commands
    return found


def block(marker: str) -> str:
    """The fenced block that follows a marker."""
    (text,) = re.findall(rf"<!-- {marker} -->\n```\w*\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    return text


def typed() -> list[list[str]]:
    """Every command line of ours in a shell block, without its comment."""
    blocks = re.findall(r"^```bash\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    lines = [line for text in blocks for line in text.splitlines() if line.startswith("bizra-gate ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_every_command_is_in_the_table_and_none_besides() -> None:
    table = README.split("## Commands")[1].split("\n## ")[0]
    assert set(re.findall(r"`bizra-gate (\w+)`", table)) == set(commands())


@pytest.mark.parametrize("words", typed(), ids=" ".join)
def test_every_line_that_it_says_to_type_can_be_typed(words: list[str]) -> None:
    options = {name for parameter in commands()[words[0]].params for name in parameter.opts}
    assert [word for word in words[1:] if word.startswith("--") and word not in options] == []


def test_there_are_lines_to_type() -> None:
    assert {words[0] for words in typed()} >= {"init", "keygen", "bench", "verify"}


def test_the_table_of_exit_codes_is_complete() -> None:
    raised = {one.exit_code for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "exit_code")}
    verdicts = set(EXIT_CODES.values())
    assert {int(code) for code in CODES} == raised | verdicts | {0, 1}
    assert set(CODES) == set(re.findall(r"(?:: |· )(\d+) ", EPILOG.replace("\n", " ")))


def test_each_verdict_stands_beside_its_code() -> None:
    for verdict, code in EXIT_CODES.items():
        assert verdict in CODES[str(code)]


def test_what_it_links_to_is_there() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_recorded_demonstration_tells_both_stories() -> None:
    session = block("demo session")
    assert session.startswith("$ bizra-gate demo\n")
    for words in ("SHIP · grade A+", "UNDER AUDIT, do not ship · no grade", "littles_law.zero", "clock.resolution",
                  "method.duration", "method.warmup", "exit code 3", "bizra-gate-demo/gates/honest.toml"):  # fmt: skip
        assert words in session
    assert max(map(len, session.splitlines())) <= 110


def test_two_commands_do_everything() -> None:
    for marker, end in (("demo command", "bizra-gate demo"), ("test command", "pytest -n 2")):
        (line,) = block(marker).splitlines()
        assert line.endswith(end)


def test_what_was_released_is_in_the_changelog() -> None:
    released = re.findall(r"^## \[(\d[^]]*)\]", CHANGELOG, re.MULTILINE)
    assert __version__ in released or "## [Unreleased]" in CHANGELOG
    missing = [name for name in commands() if f"`{name}`" not in CHANGELOG]
    assert missing == []


def test_every_schema_is_published_and_travels_in_the_wheel() -> None:
    files = {file.name.removesuffix(".schema.json") for file in (ROOT / "schemas").glob("*.json")}
    assert files == set(schema.NAMES)
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"] == {"schemas": "bizra_gate/schemas"}


def test_the_schema_of_each_document_names_its_version() -> None:
    for name in schema.NAMES:
        document = schema.load(name)
        assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert document.get("title")
