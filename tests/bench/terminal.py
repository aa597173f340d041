"""A terminal for measurements: starts a program in a pty, reads what it paints, and presses keys."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

COLUMNS, ROWS = 120, 36
PATIENCE = 60.0
"""Seconds after which a program is given up."""
_ASKS_FOR_FRAMES = b"\x1b[?2026$p"
_GRANTS_FRAMES = b"\x1b[?2026;1$y"


class Terminal:
    """Runs `python ARGUMENTS`; times are seconds of the monotonic clock."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self.painted = b""
        self.started = time.monotonic()
        self._process, self._tty = pty.fork()
        if not self._process:
            size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
            fcntl.ioctl(sys.stdout.fileno(), termios.TIOCSWINSZ, size)
            os.execve(sys.executable, [sys.executable, *arguments], environment)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the program if it has not ended yet."""
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
        os.close(self._tty)

    def press(self, key: bytes) -> float:
        """Press a key; returns when. What was painted before is forgotten."""
        self.painted = b""
        now = time.monotonic()
        os.write(self._tty, key)
        return now

    @property
    def processor_time(self) -> float:
        """Seconds that the program's main thread has run so far, on Linux; NaN where that is not told."""
        try:
            return int(Path(f"/proc/{self._process}/schedstat").read_text().split()[0]) / 1e9
        except OSError:
            return float("nan")

    def until(self, text: str) -> float:
        """Read until this text has been painted; returns when."""
        while text.encode() not in self.painted:
            assert self._read(PATIENCE), f"{text!r} never came"
        return time.monotonic()

    def until_quiet(self, silence: float) -> float:
        """Read until nothing is painted for so many seconds; returns when the last was."""
        last = time.monotonic()
        while self._read(silence):
            last = time.monotonic()
        return last

    def until_painted(self, silence: float) -> float:
        """Read until something was painted, and nothing more for so many seconds; returns when the last was.

        A key that paints nothing is waited for as long as a person would wait for it, 1 s.
        """
        return self.until_quiet(silence) if self._read(1.0) else time.monotonic()

    def until_exit(self) -> float:
        """Read until the program has ended; returns when."""
        while self._read(PATIENCE):
            pass
        os.waitpid(self._process, 0)
        self._process = 0
        return time.monotonic()

    def _read(self, patience: float) -> bool:
        """Read what is there; False when nothing came, or the program has ended."""
        if not select.select([self._tty], [], [], patience)[0]:
            return False
        try:
            new = os.read(self._tty, 1 << 16)
        except OSError:  # on Linux this is how a pty tells that its other side is closed
            return False
        self.painted += new
        if _ASKS_FOR_FRAMES in new:
            os.write(self._tty, _GRANTS_FRAMES)
        return bool(new)


def environment_in(folder: str) -> dict[str, str]:
    """The variables for a measured program: with settings of its own, in a terminal that has all colours.

    Its code is read compiled after the first time, as where it is installed, also where this process leaves
    no bytecode behind.
    """
    ours = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": folder}
    ours["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
    dropped = ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if name not in dropped} | ours
