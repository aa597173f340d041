"""The lane in which all background work runs: most of it side by side, what is timed alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Lane:
    """Lets pieces of ordinary work run at the same time, and a piece that is timed only by itself.

    Somebody waits for ordinary work, and it has an end: it goes first, and a sweep that times for minutes
    lets it in between two pieces. Who waits gives up when its `stopped` is set and `wake` called. A timed
    piece that was stopped keeps nobody waiting but the next timed one: it runs to its end, and its time is
    nobody's.

    Attributes:
        wait_to_run, wait_to_time: how many pieces wait, ordinary ones and those that are timed.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.wait_to_run = 0
        self.wait_to_time = 0
        self._side_by_side = 0
        self._timing: threading.Event | None = None  # what stops the one that is timed

    @contextmanager
    def turn(self, stopped: threading.Event, *, alone: bool = False) -> Iterator[bool]:
        """Wait for the turn and have it inside the block; False, and no turn, where it was stopped first."""
        entered = self._enter_alone(stopped) if alone else self._enter(stopped)
        try:
            yield entered
        finally:
            if entered:
                self._leave(alone=alone)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Wait for nobody, and keep the next timed piece waiting: for the thread that handles keys."""
        with self._changed:
            self._side_by_side += 1
        try:
            yield
        finally:
            self._leave(alone=False)

    def wake(self) -> None:
        """Have those that wait look whether they were stopped."""
        with self._changed:
            self._changed.notify_all()

    def _enter(self, stopped: threading.Event) -> bool:
        with self._changed:
            self.wait_to_run += 1
            self._changed.wait_for(lambda: stopped.is_set() or not self._is_timed)
            self.wait_to_run -= 1
            if stopped.is_set():
                self._changed.notify_all()  # the timed one that let it go first
                return False
            self._side_by_side += 1
            return True

    def _enter_alone(self, stopped: threading.Event) -> bool:
        with self._changed:
            self.wait_to_time += 1
            self._changed.wait_for(lambda: stopped.is_set() or self._is_free)
            self.wait_to_time -= 1
            if stopped.is_set():
                return False
            self._timing = stopped
            return True

    @property
    def _is_timed(self) -> bool:
        """Whether a piece runs whose time somebody wants to know."""
        return self._timing is not None and not self._timing.is_set()

    @property
    def _is_free(self) -> bool:
        """Whether nothing runs, and nothing goes first."""
        return self._timing is None and not (self._side_by_side or self.wait_to_run)

    def _leave(self, *, alone: bool) -> None:
        with self._changed:
            if alone:
                self._timing = None
            else:
                self._side_by_side -= 1
            self._changed.notify_all()
