"""Killed, crowded or without room: the old file or the new one, and nobody's entry is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from seal_builders import House, Run, judged

from bizra_gate import store
from bizra_gate.attest import PrivateKey, parse_keyring
from bizra_gate.errors import BizraGateError

fcntl = pytest.importorskip("fcntl", reason="this system has no locks of the kernel")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours runs after it."""


def die(*_: Any, **__: Any) -> None:
    raise Killed


@pytest.mark.parametrize("step", ["fsync", "fchmod"])
def test_a_writer_that_dies_before_the_rename_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.json"
    store.write(path, b"old")
    with monkeypatch.context() as patched:
        patched.setattr(os, step, die)
        patched.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(Killed):
            store.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    store.write(path, b"newer")
    assert (names(tmp_path), path.read_bytes()) == (["a.json"], b"newer")


def test_what_a_living_writer_has_not_finished_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    theirs = tmp_path / ".a.json.abcdefgh.tmp"
    yours = tmp_path / ".a.json.tmp"
    theirs.write_bytes(b"half")
    yours.write_bytes(b"a file of somebody's own")
    with theirs.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        store.write(path, b"new")
        assert names(tmp_path) == [".a.json.abcdefgh.tmp", ".a.json.tmp", "a.json"]
    store.write(path, b"newer")
    assert names(tmp_path) == [".a.json.tmp", "a.json"]


@pytest.mark.parametrize("step", ["fsync", "fdopen"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_a_sentence_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    path = tmp_path / "a.json"
    store.write(path, b"old")
    monkeypatch.setattr(os, step, full)
    with pytest.raises(BizraGateError, match=rf"a\.json: cannot be written: {os.strerror(code)}"):
        store.write(path, b"new")
    assert (names(tmp_path), path.read_bytes()) == (["a.json"], b"old")


def watched(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[bool]:
    """For every file that is written: whether `folder` was locked meanwhile."""
    held: list[bool] = []
    write: Callable[..., None] = store.write

    def watch(path: Path, *rest: Any, **options: Any) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.append(False)
        except BlockingIOError:
            held.append(True)
        finally:
            os.close(handle)
        write(path, *rest, **options)

    monkeypatch.setattr(store, "write", watch)
    return held


def test_whoever_changes_a_ledger_or_a_keyring_holds_it_alone(
    house: House, cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = tmp_path / "bob.pub"
    public.write_text(PrivateKey.generate().public.openssh())
    held = watched(monkeypatch, house.root / "gates")
    assert cli("trust", public, "--owner", "Bob")[0] == 0
    assert held == [True]
    assert len(parse_keyring((house.root / "gates" / "keyring.toml").read_text()).keys) == 2
    (house.root / "ledger").mkdir()
    held = watched(monkeypatch, house.root / "ledger")
    assert cli("ledger", "append", "--key", house.key_file, "--now", "2026-11-22T07:30:00Z")[0] == 0
    assert held == [True, True]
    assert judged(cli, "--ledger")[0] == 0


@pytest.mark.parametrize("place", ["folder", "file/a.json"])
def test_where_nothing_can_be_written_is_known_before_the_work(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(store.WriteError, match="cannot be written"):
        store.check_writable(tmp_path / place)


def test_to_ask_whether_a_file_can_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    store.check_writable(tmp_path / "new" / "folder" / "a.json")
    assert names(tmp_path) == []
