"""An engine's iterator, run in a thread, so that Ctrl+C is heard while torch works."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")


class _End:
    """The iterator is exhausted, or has raised."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class InThread(Generic[Item]):
    """Iterates over what the iterator made by `make` yields, in a daemon thread of its own.

    What it raises is raised here. An exception in the reading thread, a KeyboardInterrupt above all, comes
    at once, and not when a convolution of some seconds is over. The thread begins with the first item that
    is asked for.
    """

    def __init__(self, make: Callable[[], Iterator[Item]]) -> None:
        self._make = make
        self._stopped = threading.Event()
        self._items: SimpleQueue[Item | _End] = SimpleQueue()

    def stop(self) -> None:
        """Ask for no further item; the piece of work in progress ends by itself."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Item]:
        """The items, as they come; who reads no more of them ends the work at the next."""
        threading.Thread(target=self._produce, name="engine", daemon=True).start()
        try:
            while not isinstance(item := self._items.get(), _End):
                yield item
            if item.error is not None:
                raise item.error
        finally:
            self.stop()

    def not_yet_read(self) -> Iterator[Item]:
        """The items that had come when reading was broken off."""
        with suppress(Empty):
            while not isinstance(item := self._items.get_nowait(), _End):
                yield item

    def _produce(self) -> None:
        try:
            for item in self._make():
                if self._stopped.is_set():
                    return
                self._items.put(item)
        except BaseException as raised:
            self._items.put(_End(raised))
        else:
            self._items.put(_End())


@contextmanager
def ctrl_c_as_exception() -> Iterator[None]:
    """Let Ctrl+C be heard here: elsewhere it ends the process at once. Where it is ignored, it stays so."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
