"""An engine's iterator, run in a daemon thread and read by the event loop; quitting never waits for it."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from tui.running.lane import Lane

Item = TypeVar("Item")


NICENESS = 5
"""By how much the threads stand back behind the one that paints, on Linux; but for those that are timed.

Where more runs than there are processors, a key waited 30 to 40 ms for its turn, and 2 to 10 at niceness 10.
On a machine that is otherwise idle nothing takes longer for it. What is timed would stand back behind other
programs too, and take what they leave it: 100 times as long, between two that compute.
"""

LANE = Lane()
"""What all iterators of the program take turns in, piece by piece."""


@dataclass(frozen=True, eq=False)
class _End:
    """The iterator is exhausted, or has raised."""

    error: BaseException | None


class _Producer(Generic[Item]):
    """The thread's side: steps the iterator until it ends or a stop is asked for.

    Textual's thread workers belong to the loop's executor, and both the loop and the interpreter wait for
    that when it closes: a convolution of 20 s would hold the terminal as long. A daemon thread is let go.
    """

    def __init__(self, make: Callable[[], Iterator[Item]], *, alone: bool) -> None:
        self._make = make
        self._alone = alone
        self._loop = asyncio.get_running_loop()
        self._stopped = threading.Event()
        self.items: asyncio.Queue[Item | _End] = asyncio.Queue()
        self._thread = threading.Thread(target=self._produce, name="study", daemon=True)
        _PRODUCERS.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Ask for no further item; the piece of work in progress ends by itself."""
        self._stopped.set()
        LANE.wake()

    def end(self) -> None:
        """Stop, and wait for the piece of work in progress."""
        self.stop()
        self._thread.join()

    def _produce(self) -> None:
        error: BaseException | None = None
        if not self._alone:
            _stand_back()
        try:
            for item in self._pieces():
                if self._stopped.is_set():
                    return
                self._hand_over(item)
                del item  # the thread keeps no result alive while it works on
        except BaseException as raised:
            error = raised
        self._hand_over(_End(error))

    def _pieces(self) -> Iterator[Item]:
        """What the iterator yields, each step of it made in its turn; none after a stop."""
        items: Iterator[Item] | None = None
        while True:
            with LANE.turn(self._stopped, alone=self._alone) as mine:
                if not mine:
                    return
                items = iter(self._make()) if items is None else items
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item
            del item

    def _hand_over(self, item: Item | _End) -> None:
        try:
            self._loop.call_soon_threadsafe(self.items.put_nowait, item)
        except RuntimeError:  # the loop has closed: the program is quitting
            self.stop()


_PRODUCERS: WeakSet[_Producer[Any]] = WeakSet()
"""Also those that were stopped and are in a last piece of work."""


@atexit.register
def _let_threads_end() -> None:
    """Let a script that has opened the program end as it means to.

    A thread that comes back from torch into an interpreter that is ending aborts the process. The command
    itself leaves by os._exit, and waits for nothing.
    """
    for producer in list(_PRODUCERS):
        producer.end()


def _stand_back() -> None:
    """Let this thread, and those that torch starts for it, run after the one that handles keys."""
    if sys.platform == "linux":  # elsewhere that would be of the whole process
        thread = threading.get_native_id()
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


async def iterate_in_thread(
    make: Callable[[], Iterator[Item]], *, alone: bool = False
) -> AsyncIterator[Item]:
    """Yield what the iterator made by `make` yields, which runs in a thread of its own.

    With `alone` no step of another iterator runs at the same time as one of its own: it is timed.

    Cancelling the reading task, or closing this generator, stops the iterator at its next item. What the
    iterator raises is raised here.
    """
    producer = _Producer(make, alone=alone)
    try:
        while True:
            item = await producer.items.get()
            if not isinstance(item, _End):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                return
    finally:
        producer.stop()
