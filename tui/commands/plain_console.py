"""The console that commands print tables with."""

from __future__ import annotations

from rich.console import Console

LEAST_WIDTH = 80
"""On a narrower screen the terminal breaks lines; rich would cut digits off numbers."""


class PlainConsole(Console):
    """A console that leaves a closed pipe to its caller: rich would exit with 1, "they differ"."""

    def on_broken_pipe(self) -> None:
        """Pass it on.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError


def plain_console(width: int = LEAST_WIDTH) -> PlainConsole:
    """For stdout, in colour where that is a terminal; `width`: where it is none."""
    console = PlainConsole(highlight=False)
    console.width = max(console.width, LEAST_WIDTH) if console.is_terminal else max(console.width, width)
    return console
