"""What follows the key that exports all speeds: what was measured, in the format that is chosen."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from textual.screen import Screen

from tui.export.speed_data import speed_csv, speed_json
from tui.running.speed_table_state import SpeedTableState
from tui.screens.taking_away import take_text_away

FORMATS = {"CSV": ".csv", "JSON": ".json"}


async def take_speeds_away(screen: Screen[None], state: SpeedTableState) -> None:
    """Ask for a file and a format, and write what was measured. It must run in a worker."""
    words = f"{state.found.complete} of {state.found.count}, timed to the end: all that was measured of each."
    await take_text_away(screen, words, Path("speed.csv"), FORMATS, partial(_speeds_in, state))


def _speeds_in(state: SpeedTableState, format: str) -> str:
    found = state.found
    timed, left_out = list(found.timed.values()), list(found.left_out)
    if format == "JSON":
        return speed_json(timed, left_out, state.conditions, is_complete=found.is_complete) + "\n"
    return speed_csv(timed, left_out)
