"""A file is written whole or not at all, over another only when told to; failures are told in words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.export.saving import SavingError, TakenError, is_taken, path_from, save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file."""
    (tmp_path / "old.csv").write_bytes(b"old")
    return tmp_path


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_text_and_bytes_are_written_as_they_are(folder: Path) -> None:
    save(folder / "text", "1\r\n×\n")
    save(folder / "bytes", b"\x00\xff\n")
    assert (folder / "text").read_bytes() == "1\r\n×\n".encode()
    assert (folder / "bytes").read_bytes() == b"\x00\xff\n"
    assert names_in(folder) == {"old.csv", "text", "bytes"}


def test_nothing_is_replaced_unless_told(folder: Path) -> None:
    with pytest.raises(TakenError):
        save(folder / "old.csv", "new")
    assert (folder / "old.csv").read_bytes() == b"old"
    save(folder / "old.csv", "new", replace=True)
    assert (folder / "old.csv").read_bytes() == b"new"
    assert names_in(folder) == {"old.csv"}


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_file_that_appears_meanwhile_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def be_overtaken(descriptor: int) -> None:
        (folder / "new.csv").write_bytes(b"theirs")

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError("no links on this file system")

    monkeypatch.setattr(os, "fsync", be_overtaken)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    with pytest.raises(TakenError):
        save(folder / "new.csv", "ours")
    assert (folder / "new.csv").read_bytes() == b"theirs"
    assert names_in(folder) == {"old.csv", "new.csv"}


def test_without_hard_links_it_is_written_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError("no links on this file system")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    save(folder / "new.csv", "ours")
    assert (folder / "new.csv").read_bytes() == b"ours"
    assert names_in(folder) == {"old.csv", "new.csv"}


@pytest.mark.parametrize("replace", [True, False])
def test_a_failure_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SavingError, match="no space left on device"):
        save(folder / ("old.csv" if replace else "new.csv"), "x" * 10_000, replace=replace)
    assert names_in(folder) == {"old.csv"}
    assert (folder / "old.csv").read_bytes() == b"old"


def test_the_old_file_gives_way_only_to_a_finished_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(SavingError, match="device or resource busy"):
        save(folder / "old.csv", "new", replace=True)
    assert (folder / "old.csv").read_bytes() == b"old"
    assert names_in(folder) == {"old.csv"}


def test_a_link_is_followed_and_permissions_stay(folder: Path) -> None:
    (folder / "old.csv").chmod(0o640)
    (folder / "link.csv").symlink_to("old.csv")
    save(folder / "link.csv", "new", replace=True)
    assert (folder / "link.csv").is_symlink()
    assert (folder / "old.csv").read_bytes() == b"new"
    assert (folder / "old.csv").stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_permissions_that_others_have(folder: Path) -> None:
    save(folder / "new.csv", "new")
    assert (folder / "new.csv").stat().st_mode == (folder / "old.csv").stat().st_mode


def test_a_broken_link_counts_as_taken(folder: Path) -> None:
    (folder / "link.csv").symlink_to("gone.csv")
    assert is_taken(folder / "link.csv")
    with pytest.raises(TakenError):
        save(folder / "link.csv", "new")


def test_a_pipe_is_not_replaced(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(SavingError, match="not an ordinary file"):
        save(folder / "pipe", "new", replace=True)
    assert (folder / "pipe").is_fifo()


def test_a_folder_that_lets_nobody_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)  # root, as whom tests may run, is denied nothing
    monkeypatch.setattr(os, "open", deny)
    with pytest.raises(SavingError, match="permission denied"):
        save(folder / "new.csv", "new")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "needs a name"),
        ("   ", "needs a name"),
        ("no such folder/block.py", "no such folder"),
        ("old.csv/block.py", "no such folder"),
        (".", "is a folder"),
        ("new/", "is a folder"),
        ("~nobody-of-that-name/block.py", "no such user"),
        ("a\0b", "zero byte"),
        ("x" * 300, "too long"),
    ],
)
def test_names_that_can_not_be(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SavingError, match=why):
        save(path_from(text), "new")
    assert names_in(folder) == {"old.csv"}


def test_a_tilde_is_the_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert path_from(" ~/block.py ") == folder / "block.py"
