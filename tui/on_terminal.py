"""The app on this process's terminal: whether there is one, and a run of it that leaves the terminal sane."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tui.fusion.refusal import Refusal
from tui.terminal.abilities import encoding_of_terminal, places_text, term_in_words

if TYPE_CHECKING:
    from tui.app import RepFuseApp

STDIN, STDOUT, STDERR = 0, 1, 2


class NoTerminalError(Refusal, RuntimeError):
    """There is no terminal that a screen can be shown on; the message says what there is without one."""


def refuse_no_terminal(instead: str) -> None:
    """Make sure of a terminal on which text can be placed.

    `instead`: what can be run without one.

    Raises:
        NoTerminalError: there is none.
    """
    if os.environ.get("TEXTUAL_DRIVER"):  # one of its own, textual-serve's for one, needs no terminal
        return
    if not _in_a_terminal():
        raise NoTerminalError(f"the bench needs a terminal; without one there is: {instead}")
    if not places_text(os.environ):
        raise NoTerminalError(
            f"the bench needs a terminal that can place text, and {term_in_words(os.environ)}: set TERM "
            f"to what this terminal is, for example xterm-256color, or run: {instead}"
        )


def in_a_browser() -> bool:
    """Whether textual-serve has started this process, for a tab of a browser."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def keep_streams_for_the_page() -> None:
    """Leave stdin and stdout to textual's web driver alone, whose packets go by them.

    What else reads, as a module's `input()`, is at the end of its file; what else is printed, by a process
    that a module starts too, goes to stderr.
    """
    streams = sys.__stdin__, sys.__stdout__
    if None in streams:
        return
    sys.__stdin__ = os.fdopen(os.dup(STDIN))  # type: ignore[misc]
    sys.__stdout__ = os.fdopen(os.dup(STDOUT), "w")  # type: ignore[misc]
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)
    os.dup2(STDERR, STDOUT)


def say_in_browser(message: str) -> None:
    """Show a line in a tab in which no program can begin: as textual's web driver begins, and writes."""
    data = f"\x1b[2J\x1b[H{message}\r\n".encode()
    out = sys.__stdout__
    if out is not None:
        out.buffer.write(b"__GANGLION__\nD%s%s" % (len(data).to_bytes(4, "big"), data))
        out.buffer.flush()


def _in_a_terminal() -> bool:
    """Whether keys can be read and, on stderr, where textual draws, be answered."""
    return all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stderr__))


def run_on_terminal(*subject: Any, **options: Any) -> int:
    """Run a RepFuseApp, made with these arguments, until it is left; returns its exit status.

    Raises:
        Refusal: what it is to show cannot be shown.
    """
    from tui.app import RepFuseApp  # not before the options are known to be right
    from tui.terminal.colour_depth import depth_of_terminal
    from tui.terminal.plain_characters import read_keys_in
    from tui.terminal.signals import dying_by_signals

    encoding = encoding_of_terminal(os.environ)
    read_keys_in(encoding)
    app: RepFuseApp = RepFuseApp(*subject, **options, depth=depth_of_terminal(os.environ), encoding=encoding)
    with dying_by_signals(app):
        app.run()
    return app.return_code or 0
