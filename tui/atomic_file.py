"""Writing a file whole or not at all: whatever fails, the old file stays, and no part of the new one."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


class NotOrdinaryFileError(OSError):
    """What has the name is a device, a pipe or a folder, which no file may displace."""


def write_whole(path: Path, data: bytes, *, replace: bool) -> None:
    """Write these bytes at `path`: `fill_whole` with a single piece."""
    fill_whole(path, lambda file: file.write(data), replace=replace)


def fill_whole(
    path: Path,
    fill: Callable[[BinaryIO], object],
    *,
    replace: bool,
    synced: Callable[[int], object] = lambda _: None,
) -> None:
    """Write the file at `path`, in a folder that is there, piece by piece.

    A reader never meets a half-written file. Replacing one keeps its permissions and follows a link to it.

    Args:
        path: any name that the file system takes, the longest too.
        fill: writes the bytes into the file that it is given; what it raises ends the writing and is raised.
        replace: whether a file of that name may be displaced.
        synced: told the bytes when all are on the disk, before the file has its name; ends it as `fill` does.

    Raises:
        FileExistsError: there is a file of that name, and `replace` is false.
        NotOrdinaryFileError: what is there is not an ordinary file.
        OSError, ValueError, RuntimeError: it could not be written, or the name names no file.
    """
    part = UnnamedFile(path, replace=replace)
    try:
        fill(part.file)
        part.put_in_place(synced)
    finally:
        part.discard()


class UnnamedFile:
    """A file that is being written, in the folder of the name that it gets when it is whole.

    Attributes:
        file: it, open for writing and reading, one thread at a time.
    """

    def __init__(self, path: Path, *, replace: bool) -> None:
        """Make it; the arguments, and what is raised, as of `fill_whole`."""
        # Found out at the end too, but then the work was for nothing.
        if not replace and os.path.lexists(path):
            raise FileExistsError("a file of that name is there already")
        self._target = path.resolve() if replace else path
        self._replace = replace
        self._permissions = _permissions_to_keep(self._target)
        # The name holds nothing of the target's: one of the longest length would make one that is too long.
        self._path = self._target.with_name(f".{os.urandom(8).hex()}.part")
        nameless = _nameless_in(self._target.parent)
        self._has_name = nameless is None
        self.file: BinaryIO = self._path.open("x+b") if nameless is None else nameless

    def put_in_place(self, synced: Callable[[int], object] = lambda _: None) -> None:
        """Give it its name, once all of it is on the disk; the rest as of `fill_whole`."""
        with self.file:
            self.file.flush()
            number = self.file.fileno()
            os.fsync(number)  # or a crash of the machine could leave an empty file under that name
            synced(os.fstat(number).st_size)
            if not self._has_name:
                if self._permissions is not None:
                    Path(_by_number(number)).chmod(self._permissions)
                _give_name(number, self._path if self._replace else self._target)
                if not self._replace:
                    return
        if self._has_name and self._permissions is not None:
            self._path.chmod(self._permissions)
        _put_in_place(self._path, self._target, replace=self._replace)

    def discard(self) -> None:
        """Leave nothing of it, unless it has its name; twice does nothing."""
        with suppress(OSError):  # what is left in its buffer finds no room on a full disk
            self.file.close()
        self._path.unlink(missing_ok=True)


def _nameless_in(folder: Path) -> BinaryIO | None:
    """A file in that folder that has no name yet, of which a process that is killed leaves nothing.

    None where there are none: beside Linux, on a file system that has none, or where /proc, by which it
    gets its name, is not there.
    """
    flag: int | None = getattr(os, "O_TMPFILE", None)
    if flag is None:
        return None
    try:
        number = os.open(folder, flag | os.O_RDWR | os.O_CLOEXEC, 0o666)
    except OSError:  # also of a folder that cannot be written to: the file with a name says so
        return None
    if Path(_by_number(number)).exists():
        return os.fdopen(number, "w+b")
    os.close(number)
    return None


def _give_name(number: int, path: Path) -> None:
    """Link the file with that number to a name, which never displaces another file.

    With a folder's number, although the path is absolute and needs none, os.link goes through the link in
    /proc to the file itself, and not otherwise.
    """
    os.link(_by_number(number), path, src_dir_fd=number, follow_symlinks=True)


def _by_number(number: int) -> str:
    return f"/proc/self/fd/{number}"


def _permissions_to_keep(target: Path) -> int | None:
    """Those of the file that is to be replaced; None where there is none."""
    if not target.exists():
        return None
    mode = target.stat().st_mode
    if not stat.S_ISREG(mode):
        raise NotOrdinaryFileError("what is there is not an ordinary file")
    return stat.S_IMODE(mode)


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
