"""An iterator in a thread of its own: what is read, what stops it, and that nothing is kept alive."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest

from tests.settle import PATIENCE, until
from tui.running.background import LANE, NICENESS, iterate_in_thread


class Thing:
    """An item to which weak references can be had."""


class Numbers:
    """Counts; each number after the first waits to be let go."""

    def __init__(self) -> None:
        self.let_go = threading.Semaphore(1)
        self.asked = 0
        self.made = 0
        self.ended = threading.Event()

    def __iter__(self) -> Iterator[int]:
        try:
            while self._waits_to_be_let_go():
                self.made += 1
                yield self.made
        finally:
            self.ended.set()

    def _waits_to_be_let_go(self) -> bool:
        self.asked += 1
        return self.let_go.acquire(timeout=PATIENCE)


LEFT_IN_A_PIECE = """
import asyncio
import torch
from tui.running.background import iterate_in_thread

x = torch.ones(1, 32, 64, 64, dtype=torch.float64)
weight = torch.ones(32, 32, 7, 7, dtype=torch.float64)

def pieces():
    yield "about to run"
    for _ in range(8):
        torch.nn.functional.conv2d(x, weight)
    yield "has run"

async def leave():
    async for _ in iterate_in_thread(pieces):
        await asyncio.sleep(0.01)
        return

asyncio.run(leave())
"""


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


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux only")
async def test_its_thread_stands_back_behind_the_one_that_paints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.running.background.NICENESS", NICENESS)  # not in other tests

    def make() -> Iterator[int]:
        yield os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert await collect(iterate_in_thread(make)) == [min(before + NICENESS, 19)]
    assert await collect(iterate_in_thread(make, alone=True)) == [before], "its time would be the others'"
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


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
    assert numbers.made <= 2


async def test_closing_it_stops_it_at_its_next_item() -> None:
    numbers = Numbers()
    items = iterate_in_thread(lambda: iter(numbers))
    assert await anext(items) == 1
    await items.aclose()  # type: ignore[attr-defined]  # an async generator
    numbers.let_go.release(10)
    await until(numbers.ended.is_set)
    assert numbers.made <= 2


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
    assert numbers.made <= 2


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


async def test_what_is_timed_waits_for_what_runs_and_lets_what_comes_later_go_first() -> None:
    before, timed, after = Numbers(), Numbers(), Numbers()
    for numbers in (before, timed, after):
        numbers.let_go.acquire()
    readers = [asyncio.create_task(collect(iterate_in_thread(lambda: iter(before))))]
    await until(lambda: before.asked == 1, "the first to run")
    readers.append(asyncio.create_task(collect(iterate_in_thread(lambda: iter(timed), alone=True))))
    await until(lambda: LANE.wait_to_time, "the timed one to wait")
    readers.append(asyncio.create_task(collect(iterate_in_thread(lambda: iter(after)))))
    await until(lambda: after.asked == 1, "the later one to run")
    await cancelled(readers[0])
    before.let_go.release()
    await until(before.ended.is_set)
    assert not timed.asked
    await cancelled(readers[2])
    after.let_go.release()
    await until(lambda: timed.asked == 1, "the timed one to run")
    assert after.ended.is_set()
    await stop(readers, before, timed, after)


async def test_ordinary_work_comes_in_between_two_steps_that_are_timed() -> None:
    timed, after, *others = [Numbers() for _ in range(7)]
    for numbers in (timed, after, *others):
        numbers.let_go.acquire()
    readers = [asyncio.create_task(collect(iterate_in_thread(partial(iter, timed), alone=True)))]
    await until(lambda: timed.asked == 1)
    readers += [
        asyncio.create_task(collect(iterate_in_thread(partial(iter, numbers), alone=True)))
        for numbers in others
    ]
    await until(lambda: LANE.wait_to_time == len(others), "the other timed ones to wait")
    readers.append(asyncio.create_task(collect(iterate_in_thread(partial(iter, after)))))
    await until(lambda: LANE.wait_to_run, "the ordinary one to wait")
    assert not after.asked
    timed.let_go.release()
    await until(lambda: any(each.asked for each in (after, *others)), "one to run")
    assert (after.asked, timed.asked) == (1, 1)
    await stop(readers, timed, after, *others)


async def test_ordinary_work_runs_side_by_side() -> None:
    both = Numbers(), Numbers()
    for numbers in both:
        numbers.let_go.acquire()
    readers = [asyncio.create_task(collect(iterate_in_thread(partial(iter, numbers)))) for numbers in both]
    await until(lambda: all(numbers.asked == 1 for numbers in both), "both to run")
    await stop(readers, *both)


async def test_what_is_timed_waits_for_the_thread_of_the_keys_which_waits_for_nobody() -> None:
    timed, later = Numbers(), Numbers()
    timed.let_go.acquire()
    readers = [asyncio.create_task(collect(iterate_in_thread(partial(iter, timed), alone=True)))]
    await until(lambda: timed.asked == 1)
    with LANE.beside():
        readers.append(asyncio.create_task(collect(iterate_in_thread(partial(iter, later), alone=True))))
        timed.let_go.release()
        await until(lambda: LANE.wait_to_time == 2, "both to wait")
    await until(lambda: timed.asked + later.asked > 1, "one of them to go on")
    await stop(readers, timed, later)


async def test_who_waits_and_gives_up_lets_the_others_go_on() -> None:
    timed, never, next_timed = Numbers(), Numbers(), Numbers()
    for numbers in (timed, next_timed):
        numbers.let_go.acquire()
    readers = [asyncio.create_task(collect(iterate_in_thread(lambda: iter(timed), alone=True)))]
    await until(lambda: timed.asked == 1)
    abandoned = asyncio.create_task(collect(iterate_in_thread(lambda: iter(never))))
    await until(lambda: LANE.wait_to_run)
    readers.append(asyncio.create_task(collect(iterate_in_thread(lambda: iter(next_timed), alone=True))))
    await until(lambda: LANE.wait_to_time)
    await cancelled(abandoned)
    await until(lambda: not LANE.wait_to_run)
    await cancelled(readers[1])
    await until(lambda: not LANE.wait_to_time)
    assert (never.asked, next_timed.asked, timed.made) == (0, 0, 0)
    await stop(readers, timed, never, next_timed)


async def test_what_is_timed_and_was_stopped_keeps_only_the_next_timed_one_waiting() -> None:
    timed, after, next_timed = Numbers(), Numbers(), Numbers()
    for numbers in (timed, after, next_timed):
        numbers.let_go.acquire()
    abandoned = asyncio.create_task(collect(iterate_in_thread(lambda: iter(timed), alone=True)))
    await until(lambda: timed.asked == 1)
    readers = [asyncio.create_task(collect(iterate_in_thread(lambda: iter(after))))]
    await cancelled(abandoned)
    await until(lambda: after.asked == 1, "ordinary work to go on")
    assert not timed.ended.is_set()
    await cancelled(readers[0])
    after.let_go.release()
    await until(after.ended.is_set)
    readers.append(asyncio.create_task(collect(iterate_in_thread(lambda: iter(next_timed), alone=True))))
    await until(lambda: LANE.wait_to_time)
    assert not next_timed.asked
    timed.let_go.release()
    await until(lambda: next_timed.asked == 1)
    await stop(readers, timed, after, next_timed)


async def test_a_failure_of_what_is_timed_gives_the_lane_back() -> None:
    def fail() -> Iterator[int]:
        yield 1
        raise MemoryError

    with pytest.raises(MemoryError):
        await collect(iterate_in_thread(fail, alone=True))
    assert await collect(iterate_in_thread(lambda: iter([2]))) == [2]


async def stop(readers: list[asyncio.Task[list[object]]], *all_numbers: Numbers) -> None:
    """Let no thread wait on into the next test."""
    for reader in readers:
        await cancelled(reader)
    for numbers in all_numbers:
        numbers.let_go.release(10)
    await until(lambda: all(numbers.ended.is_set() or not numbers.asked for numbers in all_numbers))


async def cancelled(reader: asyncio.Task[list[object]]) -> None:
    """Stop it here and now: till the loop has, its thread goes on with whatever is let go."""
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)


def test_a_script_that_was_left_in_a_piece_of_work_ends_well() -> None:
    left = subprocess.run(
        [sys.executable, "-c", LEFT_IN_A_PIECE], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (left.returncode, left.stderr) == (0, "")
