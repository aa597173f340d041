"""The program in a terminal of its own: what it paints there, how it leaves it, and what becomes of it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

COLUMNS, ROWS = 120, 36
PATIENCE = 90.0
"""Seconds after which a program is given up: it decides no result."""

_PRIVATE_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_NOT_OURS = (
    "NO_COLOR",
    "TEXTUAL_THEME",
    "TEXTUAL_DRIVER",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "COLUMNS",  # pytest-xdist sets these two, and they would win over the size of the pty
    "LINES",
)
_OURS = Path(__file__).parent.parent

NORMAL = {
    "1049": False,
    "1000": False,
    "1003": False,
    "1006": False,
    "2004": False,
    "1004": False,
    "25": True,
}
"""Main screen, no mouse, no brackets round what is pasted, no reports of focus; a text cursor, line wrap."""


class PseudoTerminal:
    """Runs `python ARGUMENTS` in a terminal, with settings of its own in `folder`."""

    def __init__(self, arguments: Sequence[str], folder: Path, **variables: str | None) -> None:
        self.painted = b""
        environment = _environment(folder, variables)
        self.process, self._tty = pty.fork()
        if not self.process:
            os.chdir(_OURS)
            size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
            fcntl.ioctl(1, termios.TIOCSWINSZ, size)
            os.execve(sys.executable, [sys.executable, *arguments], environment)
        self.modes_before = self.modes

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the program if it has not ended yet."""
        if self.process:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal's window."""
        if self._tty >= 0:
            os.close(self._tty)
        self._tty = -1

    @property
    def modes(self) -> list[Any]:
        """Echo, line by line or key by key, and whatever else termios says."""
        return termios.tcgetattr(self._tty)

    def press(self, keys: bytes) -> None:
        """Type these bytes; what was painted before is forgotten."""
        self.painted = b""
        os.write(self._tty, keys)

    def kill(self, number: int) -> None:
        """Send the program a signal."""
        os.kill(self.process, number)

    def until(self, text: str | bytes) -> None:
        """Read until this has been painted."""
        wanted = text.encode() if isinstance(text, str) else text
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.painted:
            assert time.monotonic() < deadline, f"{text!r} never came"
            self._read()

    def until_it_changes(self) -> int:
        """Read until the program has ended or stopped; returns the status of `os.waitpid`."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self._read()
            process, status = os.waitpid(self.process, os.WNOHANG | os.WUNTRACED)
            if process:
                break
            assert time.monotonic() < deadline, "it goes on for ever"
        while self._read():  # what it painted last
            pass
        if not os.WIFSTOPPED(status):
            self.process = 0
        return status

    def private_modes(self) -> dict[str, bool]:
        """The modes of the terminal that were set or reset, by number, as they are now."""
        now: dict[str, bool] = {}
        for numbers, letter in _PRIVATE_MODE.findall(self.painted):
            now |= dict.fromkeys(numbers.decode().split(";"), letter == b"h")
        return now

    def _read(self) -> bool:
        """Read what is there; False when nothing is."""
        if self._tty < 0 or not select.select([self._tty], [], [], 0.05)[0]:
            time.sleep(0.01)
            return False
        try:
            new = os.read(self._tty, 1 << 16)
        except OSError:  # on Linux this is how a pty tells that its other side is closed
            time.sleep(0.01)
            return False
        self.painted += new
        return bool(new)


def _environment(folder: Path, variables: Mapping[str, str | None]) -> dict[str, str]:
    ours: dict[str, str | None] = {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "XDG_CONFIG_HOME": str(folder),
        **dict.fromkeys(_NOT_OURS),
        **variables,
    }
    return {name: value for name, value in (dict(os.environ) | ours).items() if value is not None}
