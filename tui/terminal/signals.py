"""The signals that end a program: the terminal is put back as it was, and then they take effect."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from types import FrameType

    from textual.app import App

Modes = list[Any]
"""What termios says of a terminal."""

ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
]

PATIENCE = 2.0
"""Seconds in which the app has to end by itself; quitting takes under half of one."""

RETRY = 0.02

STDIN, STDERR = 0, 2
"""Where textual reads keys, and where it draws."""

RESTORING = (
    b"\x1b[?2026l"  # whatever is held back for the present frame
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # the mouse
    b"\x1b[?2004l\x1b[?2048l\x1b[?1004l"  # brackets round what is pasted, sizes, focus
    b"\x1b[<u\x1b[0m\x1b[?7h\x1b[?1049l\x1b[?25h"  # keyboard, colours, line wrap, main screen, text cursor
)


@contextmanager
def dying_by_signals(app: App[Any]) -> Iterator[None]:
    """While `app` runs, a signal that ends programs lets it end first; after the block it takes effect.

    An app that does not end within PATIENCE, because it hangs or because its terminal has gone away, gets no
    more: the terminal is put back from here. So it is at once when another signal comes. What was ignored
    before, as SIGHUP is under nohup, stays so.
    """
    if sys.platform == "win32":  # there a console program is ended from outside, or by its console
        yield
        return
    received: list[int] = []
    modes = _terminal_modes()

    def handle(number: int, frame: FrameType | None) -> None:
        if received:
            _restore(modes)
            die_by(number)
        received.append(number)
        for work in (partial(_ask_to_end, app), partial(_insist, number, modes)):
            threading.Thread(target=work, name="signal", daemon=True).start()

    before = {
        number: signal.signal(number, handle)
        for number in ENDING
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            die_by(received[0])


def die_by(number: int) -> NoReturn:
    """End this process by the signal, as its parent expects to see it; to be called in the main thread."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _ask_to_end(app: App[Any]) -> None:
    """Let the app exit, as soon as its loop runs."""
    while True:
        try:
            return app.call_from_thread(app.exit)
        except RuntimeError:  # its loop does not run yet
            time.sleep(RETRY)


def _insist(number: int, modes: Modes | None) -> None:
    """Send the signal once more, after a while; and where not even that is handled, do without."""
    time.sleep(PATIENCE)
    os.kill(os.getpid(), number)
    time.sleep(PATIENCE)
    _restore(modes)
    os._exit(128 + number)


def _terminal_modes() -> Modes | None:
    """Of the terminal on stdin; None where there is none."""
    import termios

    try:
        return termios.tcgetattr(STDIN)
    except termios.error:
        return None


def _restore(modes: Modes | None) -> None:
    """Put the terminal back without the app, as far as it is still there."""
    import termios

    with suppress(OSError):
        os.set_blocking(STDERR, False)
        os.write(STDERR, RESTORING)
    if modes is not None:
        with suppress(termios.error):
            termios.tcsetattr(STDIN, termios.TCSANOW, modes)
