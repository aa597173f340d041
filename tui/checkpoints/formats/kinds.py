"""Which format a file has, told by its first bytes; and what a file is that has none of ours."""

from __future__ import annotations

from enum import Enum, auto

from tui.checkpoints.formats import safetensors_header, torch_archive
from tui.checkpoints.formats.torch_file import LEGACY_MAGIC

HEAD = 512
"""Bytes that tell."""


class Kind(Enum):
    """A format that is read."""

    SAFETENSORS = auto()
    INDEX = auto()
    """The list of a sharded safetensors checkpoint's files."""
    TORCH = auto()


class ForeignError(ValueError):
    """It is no checkpoint; the message says what it is, as what follows the file's name."""


_FOREIGN = {
    b"version https://git-lfs": "is the pointer of Git LFS and not the file itself: run git lfs pull",
    b"<!DOCTYPE": "is a page of the web and not a checkpoint: the download went wrong",
    b"<html": "is a page of the web and not a checkpoint: the download went wrong",
    b"\x89HDF\r\n": "is HDF5 (Keras), which is not read: save it as safetensors",
    b"GGUF": "is GGUF, which is not read: only safetensors and files of torch.save",
    b"\x93NUMPY": "is an array of NumPy and not a checkpoint: only safetensors and files of torch.save",
    b"\x1f\x8b": "is packed by gzip: unpack it first",
    b"BZh": "is packed by bzip2: unpack it first",
    b"\xfd7zXZ": "is packed by xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "is packed by zstd: unpack it first",
    b"Rar!": "is packed by RAR: unpack it first",
    b"7z\xbc\xaf": "is packed by 7-Zip: unpack it first",
}
_LATEST_MAGIC = 32
"""The byte until which the number of the old format of torch stands."""
_TAR = slice(257, 262)


def kind_of(head: bytes, size: int) -> Kind:
    """The format, by the first `HEAD` bytes of a file of `size`.

    Raises:
        ForeignError: it has none that is read.
    """
    if not size:
        raise ForeignError("is empty")
    if head.startswith(torch_archive.MAGIC) or LEGACY_MAGIC in head[:_LATEST_MAGIC]:
        return Kind.TORCH
    for begin, message in _FOREIGN.items():
        if head.lower().startswith(begin.lower()):
            raise ForeignError(message)
    if head[:1] == b"\x80" and head[1:2] in b"\x00\x01\x02\x03\x04\x05" and not _is_header(head):
        raise ForeignError("is a pickle that torch.save did not write: loading it could run any code")
    if head[_TAR] == b"ustar":
        raise ForeignError("is a tar archive: unpack it first, or, of torch before 0.1.10, save it anew")
    if head.lstrip()[:1] == b"{":
        return Kind.INDEX
    if _is_header(head) or _is_short(head, size):
        return Kind.SAFETENSORS
    raise ForeignError("is no checkpoint: only safetensors and files of torch.save are read")


def _is_header(head: bytes) -> bool:
    """Whether JSON begins where a safetensors file has it."""
    return head[safetensors_header.BEFORE : safetensors_header.BEFORE + 1] == b"{"


def _is_short(head: bytes, size: int) -> bool:
    """Whether it may be a safetensors file of which little more than the length is there."""
    length = int.from_bytes(head[: safetensors_header.BEFORE], "little")
    return size <= safetensors_header.BEFORE or (length <= safetensors_header.MOST_HEADER and length > size)
