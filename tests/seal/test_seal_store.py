"""Files are read whole or not at all, and only those that lie where they are said to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizra_gate import store
from bizra_gate.errors import MissingError, UntrustedError, UsageError


@pytest.mark.parametrize("size", [0, 1, 2**16 - 1, 2**16, 2**16 + 1, 200_000])
def test_a_file_is_read_to_its_last_byte_within_the_limit(tmp_path: Path, size: int) -> None:
    file, data = tmp_path / "a", bytes(index * 7 % 251 for index in range(size))
    file.write_bytes(data)
    assert store.read(file) == data
    assert store.read(file, limit=size) == data
    if size:
        with pytest.raises(UntrustedError, match=f"a: larger than {size - 1:,} bytes"):
            store.read(file, limit=size - 1)


def test_line_ends_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\r\ntwo\x1athree\n")
    assert store.read(tmp_path / "a") == b"one\r\ntwo\x1athree\n"


def test_what_is_no_readable_file_is_refused_by_name_and_nothing_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_bytes(b"x")
    before = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    for name, kind, words in [
        ("", UntrustedError, "a directory, expected a file"),
        ("pipe", UntrustedError, "not a regular file"),
        ("loop", UntrustedError, "cannot be read: "),
        ("file/below", UntrustedError, "cannot be read: Not a directory"),
        ("none", MissingError, "no such file"),
    ]:
        with pytest.raises(kind) as refusal:
            store.read(tmp_path / name)
        assert refusal.value.message.startswith(f"{tmp_path / name}: {words}")
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that is reached over a link, with links in it that lead about, out, up and nowhere."""
    folder = tmp_path_factory.mktemp("tree")
    root = folder / "real"
    (root / "in" / "deep").mkdir(parents=True)
    (root / "in" / "file").write_text("x")
    (folder / "out").mkdir()
    (folder / "out" / "file").write_text("secret")
    for name, target in [
        ("about", "in"),
        ("out", "../out"),
        ("up", ".."),
        ("none", "nowhere"),
        ("away", "/etc"),
        ("loop", "loop"),
    ]:
        (root / name).symlink_to(target)
        (root / "in" / name).symlink_to(target)
    (root / "in" / "leaf").symlink_to("../../out/file")
    (folder / "root").symlink_to("real")
    return folder / "root"


_STEPS = st.sampled_from(
    ["in", "deep", "file", "leaf", "about", "out", "up", "none", "away", "loop", "..", ".", "", "new"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_STEPS, min_size=1, max_size=5), st.sampled_from(["", "/"]))
def test_a_path_stays_below_its_root_exactly_where_following_every_link_says_so(
    tree: Path, steps: list[str], lead: str
) -> None:
    relative = lead + "/".join(steps)
    here = Path(relative)
    below = not here.is_absolute() and ".." not in here.parts
    below = below and Path(os.path.realpath(tree / relative)).is_relative_to(os.path.realpath(tree))
    if below:
        assert store.inside(tree, relative, "test") == tree / relative
        return
    with pytest.raises(UsageError) as refusal:
        store.inside(tree, relative, "test")
    assert refusal.value.message.startswith(f"test: {relative!r} ")


def test_a_folder_that_becomes_a_link_is_noticed_the_next_time(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "a", outside):
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")
    assert store.inside(root, "a/file", "test") == root / "a" / "file"
    (root / "a" / "file").unlink()
    (root / "a").rmdir()
    (root / "a").symlink_to(outside)
    with pytest.raises(UsageError, match="'a/file' is a link that leads outside the repository"):
        store.inside(root, "a/file", "test")


def test_a_path_is_below_the_working_directory_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("/etc")
    assert store.inside(Path("."), "a", "test") == Path("a")
    assert store.inside(Path(), "a/new", "test") == Path("a/new")
    with pytest.raises(UsageError, match="leads outside"):
        store.inside(Path("."), "b/hosts", "test")
