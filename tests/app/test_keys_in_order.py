"""When what a key changed is painted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from textual.events import InputEvent, Key

from tui.keys_in_order import PAINTS, KeysInOrder


async def fate_of(*keys: str, paint: Callable[[KeysInOrder], None] = lambda _: None) -> list[str]:
    """What happened in turn when all keys came at once, each of which takes a few rounds of the loop."""
    log: list[str] = []

    async def hand_out(event: InputEvent) -> None:
        assert isinstance(event, Key)
        for _ in range(3):
            await asyncio.sleep(0)
        log.append(event.key + (" and then a paint" if keys_in_order.will_paint else ""))

    def note_paint() -> None:
        log.append("paint")
        assert not keys_in_order.will_paint
        paint(keys_in_order)

    def fail(error: Exception) -> None:
        log.append(str(error))

    @contextmanager
    def meanwhile() -> Iterator[None]:
        log.append("nothing is timed")
        yield
        log.append("what is timed goes on")

    keys_in_order = KeysInOrder(hand_out, note_paint, fail, meanwhile)
    for key in keys:
        keys_in_order.take(Key(key, key))
    while not keys_in_order.idle:
        await asyncio.sleep(0.001)
    assert (log[0], log[-1]) == ("nothing is timed", "what is timed goes on")
    assert len(set(log)) == len(set(log[1:-1])) + 2, "once for all keys"
    return log[1:-1]


async def test_keys_in_a_row_are_painted_together() -> None:
    assert await fate_of("a", "b", "c") == ["a", "b", "c and then a paint", *["paint"] * PAINTS]


async def test_a_failing_paint_is_told() -> None:
    def fail(_: KeysInOrder) -> None:
        raise RuntimeError("no screen")

    assert await fate_of("a", paint=fail) == ["a and then a paint", "paint", "no screen"]


async def test_a_key_that_comes_while_painting_is_not_kept_waiting_by_the_second_paint() -> None:
    waiting = ["b"]

    def press(keys_in_order: KeysInOrder) -> None:
        if waiting:
            keys_in_order.take(Key(waiting.pop(), None))

    log = await fate_of("a", paint=press)
    assert log == ["a and then a paint", "paint", "b and then a paint", *["paint"] * PAINTS]
