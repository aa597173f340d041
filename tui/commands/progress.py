"""How far long work is, on stderr: a bar where that is a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from tui.analysis.quantities import time_in_words
from tui.fusion.quoting import printable

EVERY = 5.0
"""Seconds from line to line, and to the first one."""

AT_LEAST = 1.0
"""Seconds of work before the time left is told: what has just begun says nothing of it."""

Tell = Callable[[float, str], None]
"""Takes how much is done, from 0 to 1, and what is being done."""


@contextmanager
def progress(title: str) -> Iterator[Tell]:
    """Show what is told, as long as it lasts; a bar is gone at the end.

    A stderr that is closed or full is no reason to end the work.
    """
    stream = sys.stderr
    if stream is None:
        yield lambda _done, _words: None
    elif stream.isatty():
        with _bar(title) as tell:
            yield tell
    else:
        yield _Lines(title)


@contextmanager
def _bar(title: str) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0, words="")
        yield lambda done, words: bar.update(task, completed=done, words=printable(words))


class _Lines:
    """A line now and then."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = self._last = monotonic()

    def __call__(self, done: float, words: str) -> None:
        now = monotonic()
        if now - self._last >= EVERY:
            self._last = now
            left = _left(now - self._began, done)
            print(f"{self._title}: {done:.0%}{left}, {printable(words)}", file=sys.stderr, flush=True)


def _left(elapsed: float, done: float) -> str:
    """About how long the rest takes, once that can be said."""
    if elapsed < AT_LEAST or not 0 < done < 1:
        return ""
    return f", {time_in_words(elapsed * (1 - done) / done)} left"
