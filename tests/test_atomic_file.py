"""A file is written whole or not at all, whatever the length of its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import pytest

from tui.atomic_file import fill_whole, write_whole

LONGEST = 255  # bytes, on every file system in common use


@pytest.fixture(autouse=True, params=["without a name", "with a name"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written into a file that has no name yet, or, as where there are none, into one that has another."""
    if request.param == "with a name":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("no files without a name here")


@pytest.mark.parametrize("name", ["核" * 85, "核" * 79, "x" * LONGEST], ids=["85 CJK", "79 CJK", "255 ASCII"])
@pytest.mark.parametrize("replace", [True, False])
def test_a_name_of_the_longest_length_is_taken(tmp_path: Path, name: str, *, replace: bool) -> None:
    assert len(os.fsencode(name)) <= LONGEST
    write_whole(tmp_path / name, b"new", replace=replace)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {name: b"new"}


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_whole(path, b"new", replace=True)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


def test_an_existing_file_is_displaced_only_where_that_was_said(tmp_path: Path) -> None:
    path = tmp_path / "new"

    def fill(file: BinaryIO) -> None:
        file.write(b"new")
        path.write_bytes(b"of another program")  # meanwhile

    with pytest.raises(FileExistsError):
        fill_whole(path, fill, replace=False)
    assert path.read_bytes() == b"of another program"
    fill_whole(path, lambda file: file.write(b"new"), replace=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"new": b"new"}


@pytest.mark.parametrize("replace", [True, False])
def test_nothing_is_in_the_folder_meanwhile_for_a_kill_to_leave(tmp_path: Path, *, replace: bool) -> None:
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("a file with a name is there")
    seen: list[Path] = []
    fill_whole(tmp_path / "new", lambda _file: seen.extend(tmp_path.iterdir()), replace=replace)
    assert seen == []
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_a_failure_leaves_the_old_file_and_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is full"):
        write_whole(path, b"new", replace=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old": b"old"}
