"""How the panels of the kernels share the room: side by side or in rows, with frames or without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from textual.geometry import Size

from tui.widgets.grid.geometry import HEADER, GridGeometry, fit
from tui.widgets.grid.zoom import Zoom

Shape = tuple[int, int, int, int]

MOST_COLUMNS = 8
"""Panels side by side."""
NARROWEST = 14
"""Columns of a panel in which its title can be told from another."""
LOWEST = 3
"""Rows of a panel below its title: the labels and two rows of weights."""


ENOUGH = 0.5
"""The part of the numbers that has to be in sight, for them to be worth more than all of the colours."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Panels in rows of `columns`.

    Attributes:
        framed: with a border all round and a gap between; else a line with the title above each.
        zoom: the level that fits a panel's grid. whole: whether it shows all of the weight.
        height: the rows of all panels.
    """

    columns: int
    framed: bool
    zoom: Zoom
    whole: bool
    height: int

    @property
    def reads(self) -> bool:
        """Whether every number is in sight."""
        return self.whole and self.zoom.has_numbers


@dataclass(frozen=True, slots=True)
class Panels:
    """What is to be arranged: so many panels of weights of that shape; `signs` as grids take it."""

    count: int
    shape: Shape
    signs: bool = False

    @lru_cache(maxsize=32)  # noqa: B019 - of a value that is made anew each time
    def arranged(self, room: Size, *, frames: bool = True) -> Arrangement | None:
        """The arrangement that reads best: all numbers, large ones, in few rows; None where nothing fits.

        Frames are left out, where they are wanted, only if the numbers, or all of a weight, could not be seen
        with them.
        """
        with_frames = self._best(room, framed=True) if frames else None
        without = self._best(room, framed=False)
        if with_frames is None or without is None:
            return with_frames or without
        shows_more = (without.reads, without.whole) > (with_frames.reads, with_frames.whole)
        return without if shows_more else with_frames

    def _best(self, room: Size, *, framed: bool) -> Arrangement | None:
        ways = list(self._ways(room, framed))
        return min(ways, key=lambda way: way[0])[1] if ways else None

    def _ways(self, room: Size, framed: bool) -> Iterator[tuple[tuple[float, ...], Arrangement]]:
        """Each number of columns worth a thought, with what speaks against it, the gravest first."""
        for rows in range(1, self.count + 1):
            columns = -(-self.count // rows)
            if columns > MOST_COLUMNS or -(-self.count // columns) != rows:
                continue
            inner = inner_size(room, columns, rows, framed=framed)
            if inner.width < min(NARROWEST, room.width - 2) or inner.height < LOWEST:
                continue
            zoom = fit(self.shape, *inner, has_bias=True, signs=self.signs)
            geometry = GridGeometry(self.shape, zoom, True, self.signs)
            whole = geometry.size.width <= inner.width and geometry.size.height <= inner.height
            chrome = 2 if framed else 1
            height = rows * (min(geometry.size.height, inner.height) + chrome)
            level = list(Zoom).index(zoom)
            against = (*self._unseen(geometry, inner, whole=whole), level, rows)
            yield against, Arrangement(columns, framed, zoom, whole, height)

    def _unseen(self, geometry: GridGeometry, inner: Size, *, whole: bool) -> tuple[float, ...]:
        """What cannot be read: numbers, single weights, a part of them; how much.

        Numbers that have to be scrolled count where half of them are in sight; those of a depthwise kernel,
        which is one column, more than all of it in colours.
        """
        numbers, depthwise = geometry.zoom.has_numbers, self.shape[1] == 1
        if whole:
            return (0 if numbers else 2), 0, 0
        pixels = 1 if geometry.zoom is Zoom.NORM else self.shape[3]
        across = min(self.shape[1] * pixels, (inner.width - geometry.gutter) // geometry.zoom.columns)
        down = (inner.height - HEADER) * 2 // geometry.halves
        part = across * down / (self.shape[1] * pixels * self.shape[0] * geometry.taps[0])
        if numbers and (depthwise or part >= ENOUGH):
            rank = 1 if depthwise else 3
        else:
            rank = 5 if geometry.zoom is Zoom.NORM else 4
        return rank, -min(across, down), -across * down


def inner_size(room: Size, columns: int, rows: int, *, framed: bool) -> Size:
    """The room for a grid in each of so many panels."""
    height = room.height // rows
    if framed:
        return Size((room.width - columns + 1) // columns - 2, height - 2)
    width = room.width // columns
    # The panels of the first column begin at once; those beside them, after a blank. The last is the widest.
    blank = columns > 2 or (columns == 2 and room.width % 2 == 0)
    return Size(width - blank, height - 1)
