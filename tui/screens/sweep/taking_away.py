"""What follows the key that exports a sweep: its points in the format that is chosen."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from textual.screen import Screen

from tui.analysis.sweep.quantities import Quantity
from tui.export.sweep_data import sweep_csv, sweep_json
from tui.export.sweep_figure.figure import sweep_svg
from tui.running.sweep_state import SweepState
from tui.screens.taking_away import take_text_away

FORMATS = {"CSV": ".csv", "JSON": ".json", "SVG": ".svg"}


async def take_sweep_away(screen: Screen[None], state: SweepState, quantity: Quantity) -> None:
    """Ask for a file and a format, and write the points that are there. It must run in a worker."""
    words = (
        f"{len(state.points)} of {state.plan.count} points: all their numbers as CSV or JSON, "
        f"or {quantity} as a figure of its own in SVG."
    )
    await take_text_away(screen, words, Path("sweep.csv"), FORMATS, partial(_points_in, state, quantity))


def _points_in(state: SweepState, quantity: Quantity, format: str) -> str:
    if format == "SVG":
        return sweep_svg(state.plan, state.points, quantity)
    if format == "JSON":
        return sweep_json(state.plan, state.points) + "\n"
    return sweep_csv(state.plan, state.points)
