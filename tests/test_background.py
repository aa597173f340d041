"""An iterator in a thread of its own: what is read, what stops it, and that nothing is kept alive."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.settle import PATIENCE, until
from tui.background import iterate_in_thread


class Thing:
    """An item to which weak references can be had."""


class Numbers:
    """Counts; each number after the first waits to be let go."""

    def __init__(self) -> None:
        self.let_go = threading.Semaphore(1)
        self.made = 0
        self.ended = threading.Event()

    def __iter__(self) -> Iterator[int]:
        try:
            while self.let_go.acquire(timeout=PATIENCE):
                self.made += 1
                yield self.made
        finally:
            self.ended.set()


async def collect(items: AsyncIterator[object]) -> list[object]:
    return [item async for item in items]


async def test_items_come_in_order_from_a_daemon_thread() -> None:
    threads = []

    def make() -> Iterator[int]:
        threads.append(threading.current_thread())
        yield from range(100)

    assert await collect(iterate_in_thread(make)) == list(range(100))
    assert threads[0] is not threading.current_thread()
    assert threads[0].daemon


async def test_what_it_raises_comes_after_its_items() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("[/]")

    items = iterate_in_thread(make)
    assert await anext(items) == 1
    with pytest.raises(ValueError, match=r"^\[/\]$"):
        await anext(items)


async def test_what_making_it_raises_comes_too() -> None:
    def make() -> Iterator[int]:
        raise KeyError("no such spec")

    with pytest.raises(KeyError):
        await collect(iterate_in_thread(make))


async def test_a_cancelled_reader_stops_it_at_its_next_item() -> None:
    numbers = Numbers()
    reader = asyncio.create_task(collect(iterate_in_thread(lambda: iter(numbers))))
    await until(lambda: numbers.made == 1)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    numbers.let_go.release(10)
    await until(numbers.ended.is_set)
    assert numbers.made == 2


async def test_closing_it_stops_it_at_its_next_item() -> None:
    numbers = Numbers()
    items = iterate_in_thread(lambda: iter(numbers))
    assert await anext(items) == 1
    await items.aclose()  # type: ignore[attr-defined]  # an async generator
    numbers.let_go.release(10)
    await until(numbers.ended.is_set)
    assert numbers.made == 2


async def test_no_item_is_kept() -> None:
    """A Study is as large as its tensors, and the run after it takes as much again."""
    seen: list[weakref.ref[Thing]] = []

    def make() -> Iterator[Thing]:
        for _ in range(3):
            thing = Thing()
            seen.append(weakref.ref(thing))
            yield thing

    read = await collect(iterate_in_thread(make))
    assert [reference() for reference in seen] == read
    read.clear()
    await until(lambda: not any(reference() for reference in seen))


def test_a_loop_that_has_closed_lets_the_thread_end() -> None:
    """Quitting: whoever read is gone, and the piece of work in progress ends by itself."""
    numbers = Numbers()
    kept = []

    async def read_one() -> None:
        items = iterate_in_thread(lambda: iter(numbers))
        kept.append(items)
        assert await anext(items) == 1

    asyncio.run(read_one())
    numbers.let_go.release(10)
    assert numbers.ended.wait(PATIENCE)
    assert numbers.made == 2


def test_a_failure_after_the_loop_has_closed_is_nobodys() -> None:
    """Pytest fails a test in which a thread ends with an exception."""
    threads = []
    let_go = threading.Event()

    def make() -> Iterator[int]:
        threads.append(threading.current_thread())
        yield 1
        assert let_go.wait(PATIENCE)
        raise MemoryError

    async def read_one() -> None:
        assert await anext(iterate_in_thread(make)) == 1

    asyncio.run(read_one())
    let_go.set()
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()
