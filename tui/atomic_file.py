"""Writing a file whole or not at all: whatever fails, the old file stays, and no part of the new one."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


class NotOrdinaryFileError(OSError):
    """What has the name is a device, a pipe or a folder, which no file may displace."""


def write_whole(path: Path, data: bytes, *, replace: bool) -> None:
    """Write these bytes at `path`: `fill_whole` with a single piece."""
    fill_whole(path, lambda file: file.write(data), replace=replace)


def fill_whole(path: Path, fill: Callable[[BinaryIO], object], *, replace: bool) -> None:
    """Write the file at `path`, in a folder that is there, piece by piece.

    A reader never meets a half-written file. Replacing one keeps its permissions and follows a link to it.

    Args:
        path: any name that the file system takes, the longest too.
        fill: writes the bytes into the file that it is given; what it raises ends the writing and is raised.
        replace: whether a file of that name may be displaced.

    Raises:
        FileExistsError: there is a file of that name, and `replace` is false.
        NotOrdinaryFileError: what is there is not an ordinary file.
        OSError, ValueError, RuntimeError: it could not be written, or the name names no file.
    """
    if not replace and os.path.lexists(path):  # found out at the end too, but then the work was for nothing
        raise FileExistsError("a file of that name is there already")
    target = path.resolve() if replace else path
    permissions = _permissions_to_keep(target)
    # The name holds nothing of the target's: a name of the longest length would make one that is too long.
    temporary = target.with_name(f".{os.urandom(8).hex()}.part")
    try:
        _write(temporary, fill)
        if permissions is not None:
            temporary.chmod(permissions)
        _put_in_place(temporary, target, replace=replace)
    finally:
        temporary.unlink(missing_ok=True)


def _permissions_to_keep(target: Path) -> int | None:
    """Those of the file that is to be replaced; None where there is none."""
    if not target.exists():
        return None
    mode = target.stat().st_mode
    if not stat.S_ISREG(mode):
        raise NotOrdinaryFileError("what is there is not an ordinary file")
    return stat.S_IMODE(mode)


def _write(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    with path.open("xb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())  # or a crash of the machine could leave an empty file under the final name


def _put_in_place(temporary: Path, target: Path, *, replace: bool) -> None:
    """Give the finished file its name. Without `replace`, by a link, which never displaces another file."""
    if not replace:
        try:
            target.hardlink_to(temporary)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):  # no hard links on this file system
            if os.path.lexists(target):
                raise FileExistsError("a file of that name is there already") from None
        else:
            return
    temporary.replace(target)
