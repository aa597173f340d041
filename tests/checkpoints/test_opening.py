"""A file is told by what it holds; what is none is refused in one line that a terminal can show."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.checkpoints.samples import library_save, same_bits, small_state_dict
from tui.checkpoints.choosing.folder import checkpoints_in
from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.errors import CheckpointError, FolderError
from tui.checkpoints.opening import open_checkpoint


def refusal_of(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_the_suffix_does_not_matter(tmp_path: Path) -> None:
    library_save(tmp_path / "a.pt", small_state_dict())
    torch.save(small_state_dict(), tmp_path / "b.safetensors")
    torch.save(small_state_dict(), tmp_path / "c", _use_new_zipfile_serialization=False)
    found = []
    for name in ("a.pt", "b.safetensors", "c"):
        with open_checkpoint(tmp_path / name) as checkpoint:
            found.append(checkpoint.format)
            assert all(same_bits(checkpoint.tensor(key), value) for key, value in small_state_dict().items())
    assert found == [Format.SAFETENSORS, Format.TORCH, Format.TORCH]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "run git lfs pull"),
        (b"<!doctype html><html>", "is a page of the web"),
        (b"\x89HDF\r\n\x1a\n and more", "is HDF5"),
        (b"GGUF\3\0\0\0 and more", "is GGUF"),
        (b"\x93NUMPY\1\0 and more", "is an array of NumPy"),
        (b"\x1f\x8b\x08 and more", "is packed by gzip"),
        (b"a text of more than eight bytes", "is no checkpoint"),
        (b"{not json", "is no JSON"),
        (b'{"a": 1}', 'has no "weight_map"'),
        (bytes(600), "is no checkpoint"),
    ],
)
def test_foreign_files_are_told_as_what_they_are(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "foreign").write_bytes(content)
    message = refusal_of(tmp_path / "foreign")
    assert message.startswith("'foreign' ")
    assert words in message


def test_what_is_not_a_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("gone")
    (tmp_path / "file").write_bytes(b"x")
    assert refusal_of(tmp_path / "pipe") == f"'{tmp_path}/pipe' is a pipe or a device, and a file is expected"
    assert refusal_of(Path("/dev/zero")) == "'/dev/zero' is a pipe or a device, and a file is expected"
    assert refusal_of(tmp_path / "broken") == "'broken' is a link to a file that is not there"
    assert refusal_of(tmp_path / "none") == "'none' is not there: check the name, and the folder"
    assert "is not there" in refusal_of(tmp_path / "file" / "in it")
    assert "file name too long" in refusal_of(tmp_path / ("x" * 300))
    assert refusal_of(Path("a\0b")) == r"'a\x00b' cannot be read: embedded null byte"


def test_a_name_with_escapes_and_markup_is_shown_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "\x1b[31m[red]\n").write_bytes(b"")
    assert refusal_of(tmp_path / "\x1b[31m[red]\n") == r"'\x1b[31m[red]\n' is empty"


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library_save(tmp_path / "a", small_state_dict())

    def deny(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", deny)  # root, as whom tests may run, is denied nothing
    assert refusal_of(tmp_path / "a") == "'a' cannot be read: permission denied"


def test_a_folder_is_refused_with_what_lies_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    assert refusal_of(folder) == "'models' is a folder, and no checkpoint lies in it"
    assert refusal_of(Path("/bin")).startswith("'/bin' is a folder")
    names = [
        "b.pt", "a.SAFETENSORS", "c.pth", "big-00001-of-00002.safetensors", "big-00002-of-00002.safetensors",
        "big.safetensors.index.json", "other-00001-of-00001.safetensors", "config.json", "readme",
    ]  # fmt: skip
    for name in names:
        (folder / name).touch()
    (folder / "folder.pt").mkdir()
    with pytest.raises(
        FolderError, match=r"'models' is a folder: name a file in it, such as 'a.SAFE"
    ) as caught:
        open_checkpoint(folder)
    found = [path.name for path in caught.value.files]
    wanted = [
        "a.SAFETENSORS",
        "b.pt",
        "big.safetensors.index.json",
        "c.pth",
        "other-00001-of-00001.safetensors",
    ]
    assert found == wanted
    assert checkpoints_in(folder) == caught.value.files


@pytest.fixture(params=["safetensors", "pt", "legacy"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Checkpoint]:
    path = tmp_path / "file"
    if request.param == "safetensors":
        library_save(path, small_state_dict())
    else:
        torch.save(small_state_dict(), path, _use_new_zipfile_serialization=request.param == "pt")
    with open_checkpoint(path) as checkpoint:
        yield checkpoint


def refusals_of(checkpoint: Checkpoint) -> set[str]:
    found = set()
    for name in checkpoint.entries:
        for read in (checkpoint.tensor, lambda name: list(checkpoint.pieces(name))):
            with pytest.raises(CheckpointError) as caught:
                read(name)
            found.add(str(caught.value))
    return found


def test_a_file_that_vanishes(opened: Checkpoint) -> None:
    opened.path.unlink()
    assert refusals_of(opened) == {"'file' is no longer there: it was moved or deleted"}


def test_a_file_that_is_cut_while_open(opened: Checkpoint) -> None:
    os.truncate(opened.path, 20)
    assert refusals_of(opened) == {"'file' has changed since it was opened: open it anew"}


def test_a_file_that_is_written_over_with_as_many_bytes(opened: Checkpoint) -> None:
    status = opened.path.stat()
    opened.path.write_bytes(bytes(status.st_size))
    os.utime(opened.path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))  # however coarse the clock is
    assert refusals_of(opened) == {"'file' has changed since it was opened: open it anew"}


def test_another_file_in_its_place(opened: Checkpoint) -> None:
    status = opened.path.stat()
    other = opened.path.with_name("other")
    other.write_bytes(opened.path.read_bytes())
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(opened.path)
    assert refusals_of(opened) == {"'file' has changed since it was opened: open it anew"}


def test_after_closing_nothing_is_read(opened: Checkpoint) -> None:
    read = opened.tensor("stem.conv.weight")
    opened.close()
    opened.close()
    assert same_bits(read, small_state_dict()["stem.conv.weight"])
    assert refusals_of(opened) == {"'file' was closed"}
