"""The console that commands print tables with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

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

    def print_report(self, report: RenderableType) -> None:
        """Print it without blanks at the ends of its lines, with which rich fills up its tables."""
        self.print(_Trimmed(report), end="")


def plain_console(width: int = LEAST_WIDTH, variables: Mapping[str, str] = os.environ) -> PlainConsole:
    """For stdout, in colour where that is a terminal.

    As wide as the terminal, or as COLUMNS says; `width`: where there is neither.
    """
    console = PlainConsole(highlight=False)
    told = console.is_terminal or variables.get("COLUMNS", "").isdigit()
    console.width = max(console.width, LEAST_WIDTH) if told else max(console.width, width)
    return console


class _Trimmed:
    def __init__(self, report: RenderableType) -> None:
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in console.render_lines(self._report, options, pad=False):
            yield from reversed(list(_trimmed(reversed(line))))
            yield Segment.line()


def _trimmed(backwards: Iterable[Segment]) -> Iterator[Segment]:
    """A line's segments from its end, from the first on that shows something."""
    shows = False
    for segment in backwards:
        text = segment.text if shows else segment.text.rstrip()
        shows = shows or bool(text)
        if text:
            yield Segment(text, segment.style, segment.control)
