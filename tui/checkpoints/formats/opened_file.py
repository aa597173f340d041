"""A file that is held open and read piece by piece, as long as it is the one that was opened."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import IO

from tui.checkpoints.errors import CheckpointError, about, about_path, reason_of

_NEVER_BLOCK = getattr(os, "O_NONBLOCK", 0)
"""So that a pipe, put in a file's place at the last moment, is not waited for."""
_WITHOUT_CHANGE = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class OpenedFile:
    """An ordinary file, open for reading, by several threads at the same time where the system can do that.

    Attributes:
        path: its name when it was opened.
        size: its bytes when it was opened.
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            CheckpointError: it is not there, cannot be read, or is not an ordinary file.
        """
        self.path = path
        self._lock = threading.Lock()
        try:
            _ordinary(path, path.stat())
            self._file = open(path, "rb", buffering=0, opener=_open)  # noqa: SIM115  # held open; Path has no opener
        except (OSError, ValueError) as error:
            raise error if isinstance(error, CheckpointError) else _not_opened(path, error) from None
        status = os.fstat(self._file.fileno())
        try:
            _ordinary(path, status)
        except CheckpointError:
            self.close()
            raise
        self.size = status.st_size
        self._mark = _mark_of(status)

    def check(self) -> None:
        """See whether the file is still the one that was opened.

        Raises:
            CheckpointError: it is gone, another has its name, or it was written to.
        """
        if self._file.closed:
            raise about(self.path, "was closed")
        try:
            status = os.stat(self.path)  # noqa: PTH116  # asked for each strip of a weight, and twice as fast
        except FileNotFoundError:
            raise about(self.path, "is no longer there: it was moved or deleted") from None
        except OSError as error:
            raise about(self.path, f"can no longer be read: {reason_of(error)}") from None
        if _mark_of(status) != self._mark:
            raise about(self.path, "has changed since it was opened: open it anew")

    def head(self, count: int) -> bytes:
        """The first bytes, fewer where the file has fewer."""
        data = bytearray(min(count, self.size))
        self.read_into(memoryview(data), 0)
        return bytes(data)

    def stream(self) -> IO[bytes]:
        """The file from its beginning, buffered, for one reader alone who closes it."""
        self._file.seek(0)
        return os.fdopen(os.dup(self._file.fileno()), "rb")

    def read_into(self, target: memoryview, start: int) -> None:
        """Fill the memory with the bytes from `start` on; `check` afterwards tells whether they are right.

        Raises:
            CheckpointError: they cannot be read, or the file has no longer as many.
        """
        done = 0
        try:
            while done < len(target):
                count = self._read(target[done:], start + done)
                if not count:
                    break
                done += count
            if done < len(target):
                raise about(self.path, "was cut short while it was read: open it anew")
        except (OSError, ValueError) as error:
            self.check()  # which knows better what happened
            if isinstance(error, CheckpointError):
                raise
            raise about(self.path, f"cannot be read: {reason_of(error)}") from None

    def _read(self, target: memoryview, start: int) -> int:
        """Read once; returns how many bytes came."""
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [target], start)
        with self._lock:
            self._file.seek(start)
            return self._file.readinto(target) or 0

    def close(self) -> None:
        """Let it go; closing twice does nothing."""
        self._file.close()


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | _NEVER_BLOCK | _WITHOUT_CHANGE)


def _mark_of(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _ordinary(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise about(path, "is a folder, and a file is expected")
    if not stat.S_ISREG(status.st_mode):
        raise about_path(path, "is a pipe or a device, and a file is expected")


def _not_opened(path: Path, error: OSError | ValueError) -> CheckpointError:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        if path.is_symlink():
            return about(path, "is a link to a file that is not there")
        tell = about if path.parent.is_dir() else about_path
        return tell(path, "is not there: check the name, and the folder")
    return about(path, f"cannot be read: {reason_of(error)}")
