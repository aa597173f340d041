"""A file is written whole or not at all, whatever the length of its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.atomic_file import write_whole

LONGEST = 255  # bytes, on every file system in common use


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


def test_a_failure_leaves_the_old_file_and_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is full"):
        write_whole(path, b"new", replace=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old": b"old"}
