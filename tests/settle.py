"""The one way in which tests wait for an app: for a condition, and then until nothing is left to be painted.

Time only ends a test that would never end; it decides no result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.pilot import Pilot
from textual.strip import Strip

PATIENCE = 10.0
"""Seconds after which a condition is given up."""
ROUNDS = 3
"""Rounds without a change after which a picture is final."""


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Let the app work until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what or condition}"
        await asyncio.sleep(0.005)


async def settle(pilot: Pilot[None]) -> None:
    """Let every widget handle its messages, and all that follows from them.

    A widget may ask for a callback after the refresh, whose work asks for another: so it goes on until
    emptying all queues changes the screens no more.
    """
    seen, unchanged = _lines(pilot), 0
    while unchanged < ROUNDS:
        await pilot.pause(0)
        before, seen = seen, _lines(pilot)
        unchanged = unchanged + 1 if seen == before else 0


def _lines(pilot: Pilot[None]) -> list[list[Strip]]:
    """What all screens show; quicker to get than a picture."""
    return [screen._compositor.render_strips() for screen in pilot.app.screen_stack]
