"""How large one tap of an equation is drawn: the zoom levels, and above them cells that grow."""

from __future__ import annotations

from typing import NamedTuple

from tui.widgets.grid.zoom import Zoom


class Cell(NamedTuple):
    """A zoom level, and the columns and rows that a tap takes; at HALF two taps share a row."""

    zoom: Zoom
    columns: int
    rows: int = 1

    def nearer(self) -> Cell:
        """The next larger one; the largest stays."""
        return CELLS[max(0, CELLS.index(self) - 1)]

    def farther(self) -> Cell:
        """The next smaller one; the smallest stays."""
        return CELLS[min(len(CELLS) - 1, CELLS.index(self) + 1)]


CELLS = (
    *(Cell(Zoom.NUMBER_8, zoom.columns, zoom.rows) for zoom in Zoom if zoom.rows > 1),
    *(Cell(zoom, zoom.columns) for zoom in Zoom if zoom.rows == 1 and zoom is not Zoom.NORM),
)
"""From the largest to the smallest; numbers in cells of several rows are written as in one.

A kernel as one pixel says nothing of its taps: NORM is none of them.
"""
