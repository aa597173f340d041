"""A person's keys and clicks, handed out one at a time: each after all that follows from the one before."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext

from textual.events import InputEvent, Key, MouseDown, MouseUp, Paste

MOST_ROUNDS = 2000
"""Rounds of the loop after which the next key is handed out although a task still asks for another round.

Work, however slow, is done in some tens of rounds; what goes on for longer only waits for something.
"""

PAINTS = 2
"""What follows from the second is left to Textual's own timer."""


class KeysInOrder:
    """Queues input for an app: `hand_out` sends an event on its way, `paint` paints what changed.

    `fail` takes what either raises.

    Textual posts a key to the widget in focus, and lets it climb from there, through the queue of each widget
    above, to the app, which looks for a binding. A key that comes meanwhile is posted to the focus of that
    moment: it overtakes. So a digit typed after ctrl+u was deleted by it, and one typed after escape went
    into the field that was being left. Here the next event waits until nothing is left to be done for the one
    before: until no task of the loop can run. Threads and timers, studies and paints, keep none waiting.

    Then, if no other event waits, all that it changed is painted at once. By itself Textual paints the first
    half of it while the second is still being worked out, and that at the next tick of a timer.

    All of that is done inside of `meanwhile`: nothing is timed then, which would hold up both.
    """

    def __init__(
        self,
        hand_out: Callable[[InputEvent], Awaitable[None]],
        paint: Callable[[], None],
        fail: Callable[[Exception], None],
        meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._hand_out, self._paint, self._fail = hand_out, paint, fail
        self._meanwhile = meanwhile
        self._waiting: deque[InputEvent] = deque()
        self._task: asyncio.Task[None] | None = None
        self._painting = False

    @property
    def idle(self) -> bool:
        """Whether nothing waits, and all is done for what came."""
        return self._task is None or self._task.done()

    @property
    def will_paint(self) -> bool:
        """Whether what changes now will be painted as soon as all is done for the event at hand."""
        return not self.idle and not self._waiting and not self._painting

    def takes(self, event: object) -> bool:
        """Whether this event must keep its place among the others. Where the mouse merely is, need not."""
        return isinstance(event, Key | Paste | MouseDown | MouseUp) and not event.is_forwarded

    def take(self, event: InputEvent) -> None:
        """Hand the event out in its turn."""
        self._waiting.append(event)
        if self.idle:
            self._task = asyncio.create_task(self._hand_out_all(), name="keys in order")

    async def _hand_out_all(self) -> None:
        with self._meanwhile():
            while self._waiting:
                try:
                    await self._hand_out(self._waiting.popleft())
                    await _rest()
                    await self._paint_all()
                except Exception as error:
                    self._fail(error)
                    return

    async def _paint_all(self) -> None:
        """Paint, unless the next event is here, and then what is only known after a layout."""
        for _ in range(PAINTS):
            if not self._waiting:
                self._painting = True
                try:
                    self._paint()
                finally:
                    self._painting = False
                await _rest()


async def _rest() -> None:
    """Until no other task of the loop can run, but for at most MOST_ROUNDS."""
    ready = getattr(asyncio.get_running_loop(), "_ready", ())
    for _ in range(MOST_ROUNDS):
        await asyncio.sleep(0)
        if not ready:
            return
