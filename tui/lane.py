"""The lane in which all background work runs: most of it side by side, what is timed alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Lane:
    """Lets pieces of ordinary work run at the same time, and a piece that is timed only by itself.

    A piece that is to run alone lets no further ordinary one begin while it waits: it would never have its
    turn. Who waits gives up when its `stopped` is set and `wake` called. A timed piece that was stopped keeps
    nobody waiting but the next timed one: it runs to its end, and its time is nobody's.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._side_by_side = 0
        self._timing: threading.Event | None = None  # what stops the one that is timed
        self._wait_to_time = 0

    @contextmanager
    def turn(self, stopped: threading.Event, *, alone: bool = False) -> Iterator[bool]:
        """Wait for the turn and have it inside the block; False, and no turn, where it was stopped first."""
        entered = self._enter_alone(stopped) if alone else self._enter(stopped)
        try:
            yield entered
        finally:
            if entered:
                self._leave(alone=alone)

    @property
    def waits_to_time(self) -> bool:
        """Whether a piece waits to run alone."""
        return self._wait_to_time > 0

    def wake(self) -> None:
        """Have those that wait look whether they were stopped."""
        with self._changed:
            self._changed.notify_all()

    @property
    def _is_timed(self) -> bool:
        """Whether a piece runs whose time somebody wants to know."""
        return self._timing is not None and not self._timing.is_set()

    def _enter(self, stopped: threading.Event) -> bool:
        with self._changed:
            self._changed.wait_for(
                lambda: stopped.is_set() or not (self._is_timed or self._wait_to_time),
            )
            if stopped.is_set():
                return False
            self._side_by_side += 1
            return True

    def _enter_alone(self, stopped: threading.Event) -> bool:
        with self._changed:
            self._wait_to_time += 1
            self._changed.wait_for(
                lambda: stopped.is_set() or not (self._timing or self._side_by_side),
            )
            self._wait_to_time -= 1
            if stopped.is_set():
                self._changed.notify_all()  # those that it kept waiting
                return False
            self._timing = stopped
            return True

    def _leave(self, *, alone: bool) -> None:
        with self._changed:
            if alone:
                self._timing = None
            else:
                self._side_by_side -= 1
            self._changed.notify_all()
