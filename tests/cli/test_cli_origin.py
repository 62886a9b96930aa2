"""Where the workflow that ``init`` writes gets this tool from: never a bare name that anybody may have taken."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bizra_gate import origin, starter
from bizra_gate.version import __version__


def folder(path: Path) -> str:
    return json.dumps({"url": path.as_uri(), "dir_info": {"editable": True}})


def checkout(path: Path, remote: str | None) -> str:
    """A repository with one commit, and the commit."""
    git = ["git", "-C", str(path), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    if remote is not None:
        subprocess.run([*git, "remote", "add", "origin", remote], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


def test_a_package_from_an_index_is_pinned_to_its_version() -> None:
    assert origin.requirement(None) == f"bizra-gate=={__version__}"


def test_a_package_from_git_is_pinned_to_its_commit_and_the_address_loses_its_password() -> None:
    said = {"url": "https://user:secret@example.org/b.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}
    assert origin.requirement(json.dumps(said)) == "bizra-gate @ git+https://example.org/b.git@abc123"


def test_an_archive_keeps_its_address() -> None:
    said = {"url": "https://example.org/b.whl", "archive_info": {}}
    assert origin.requirement(json.dumps(said)) == "bizra-gate @ https://example.org/b.whl"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://token@example.org/o/b.git", "https://example.org/o/b.git"),
        ("git@example.org:o/b.git", "ssh://git@example.org/o/b.git"),
        ("ssh://git@example.org/o/b.git", "ssh://git@example.org/o/b.git"),
    ],
)
def test_a_checkout_is_the_commit_of_its_origin(tmp_path: Path, remote: str, address: str) -> None:
    commit = checkout(tmp_path, remote)
    assert origin.requirement(folder(tmp_path)) == f"bizra-gate @ git+{address}@{commit}"


@pytest.mark.parametrize("remote", [None, "/srv/b.git", "../b", "file:///srv/b.git"])
def test_what_only_this_machine_has_is_not_guessed(tmp_path: Path, remote: str | None) -> None:
    checkout(tmp_path, remote)
    assert origin.requirement(folder(tmp_path)) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": "https://example.org", "vcs_info": []}', "no json"])
def test_a_record_that_cannot_be_read_names_no_origin(text: str) -> None:
    assert origin.requirement(text) in (None, "bizra-gate @ https://example.org")


def test_a_workflow_without_a_known_origin_stops_and_says_what_to_fill_in() -> None:
    written = starter.workflow("main", None)
    assert "pip install bizra-gate\n" not in written
    assert "Say in .github/workflows/bizra-gate.yml where bizra-gate comes from." in written
    assert "exit 1" in written


def test_a_workflow_installs_what_is_known_and_listens_to_the_branch_that_is_there() -> None:
    written = starter.workflow("trunk", "bizra-gate==1.2")
    assert "pip install 'bizra-gate==1.2'" in written
    assert 'branches: ["trunk"]' in written
    assert '${GITHUB_BASE_REF:+--base "origin/$GITHUB_BASE_REF"}' in written
