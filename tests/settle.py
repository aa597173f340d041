"""The one way in which tests wait for an app: for a condition, and then until nothing is left to be painted.

Time only ends a test that would never end; it decides no result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from tui.app import RepFuseApp

PATIENCE = 45.0
"""Seconds after which a condition is given up."""


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Let the app work until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what or condition}"
        await asyncio.sleep(0.005)


async def settle(pilot: Pilot[None], patience: float = PATIENCE) -> None:
    """Let every widget handle its messages, and all that follows from them.

    A widget may ask for a callback after the refresh, whose work asks for another: so it goes on until
    no task can run, nothing is left to be painted, and painting woke no task.
    """
    deadline = time.monotonic() + patience
    while True:
        assert time.monotonic() < deadline, "it never came to rest"
        handing_out = isinstance(pilot.app, RepFuseApp) and not pilot.app.keys.idle
        # Keys go on when no task can run: this one, asking all the time, would be one.
        await asyncio.sleep(0.001 if handing_out else 0)
        if handing_out or _tasks_can_run():
            continue
        pilot.app.animator()  # its next tick; with animations off, all that scrolls is in its place then
        if not _paint(pilot.app) and not _tasks_can_run():
            return


def _tasks_can_run() -> bool:
    """Whether the loop has anything to do but to wait for time, files and threads."""
    return bool(vars(asyncio.get_running_loop())["_ready"])


def _paint(app: App[None]) -> bool:
    """Paint what changed, now and not at the next tick of a timer; whether there was anything.

    What changed below a dialog is handed to the dialog's screen, so it goes from the lowest to the top one.
    """
    stale = [screen for screen in app.screen_stack if screen.is_current and _is_stale(screen)]
    if app.screen._repaint_required and app.screen not in stale:
        stale.append(app.screen)  # of no other one: below a dialog Textual never resets it
    for screen in stale:
        screen._on_timer_update()
    return bool(stale)


def _is_stale(screen: Screen[object]) -> bool:
    """Whether a part of it waits to be painted or to be called."""
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )
