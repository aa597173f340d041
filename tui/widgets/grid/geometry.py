"""Where each tap of a weight stands on the screen, and which tap stands at a place: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from textual.geometry import Region, Size

from tui.fusion.specs.padding import centre
from tui.fusion.tap import Tap
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.zoom import Zoom

HEADER = 1
"""Rows above the body, for the labels of the input channels."""


class PixelRow(NamedTuple):
    """One row of taps, through all kernels of an output channel. At NORM `ky` is 0."""

    out: int
    ky: int


@dataclass(frozen=True)
class GridGeometry:
    """The layout of a weight of `shape` (out_channels, in_channels/groups, kH, kW) at one zoom level.

    Kernels are tiles, a row of them for each output channel. Places are counted in the body, which leaves out
    the header and the gutter; rows are counted in halves inside, because a half block shows two weights.
    With `signs` every weight gets a whole row at every level, so that it can hold a sign.
    """

    shape: tuple[int, int, int, int]
    zoom: Zoom
    has_bias: bool = False
    signs: bool = False
    labels: Labels = Labels.CHANNELS

    @cached_property
    def halves(self) -> int:
        """The half rows that one pixel takes: 1 where a cell of the screen shows two of them."""
        return 1 if self.zoom in (Zoom.HALF, Zoom.NORM) and not self.signs else 2 * self.zoom.rows

    @cached_property
    def taps(self) -> tuple[int, int]:
        """The rows and columns of pixels in a tile."""
        return (1, 1) if self.zoom is Zoom.NORM else self.shape[2:]

    @cached_property
    def tile(self) -> Size:
        """The columns and half rows of a tile."""
        return Size(self.taps[1] * self.zoom.columns, self.taps[0] * self.halves)

    @cached_property
    def pitch(self) -> Size:
        """The columns and half rows from one tile to the next: a gap of a column and of one or two half rows.

        Tiles begin on a whole row; at NORM they touch.
        """
        if self.zoom is Zoom.NORM:
            return self.tile
        return Size(self.tile.width + 1, self.tile.height // 2 * 2 + 2)

    @cached_property
    def label_width(self) -> int:
        """The columns of the widest label in the gutter; the names or the numbers of the output channels.

        Of a map, the numbers of its rows.
        """
        if self.labels is Labels.PIXELS:
            return len(str(self.shape[2] - 1))
        last = self.shape[0] - 1
        return max(self.zoom.label_width, len(f"out {last}" if self.has_words else str(last)))

    @property
    def has_words(self) -> bool:
        """Whether the gutter has room for "out" before a number; else the word stands above the numbers."""
        return self.zoom.label_width >= 5

    @cached_property
    def gutter(self) -> int:
        """The columns to the left of the body: the label and a blank."""
        return self.label_width + 1

    @cached_property
    def body(self) -> Size:
        """The columns and whole rows that all tiles take."""
        last = self.tile_region(Tap(self.shape[0] - 1, self.shape[1] - 1, 0, 0))
        return Size(last.right, last.bottom)

    @cached_property
    def size(self) -> Size:
        """The columns and rows of the whole grid with header and gutter."""
        return Size(self.gutter + self.body.width, HEADER + self.body.height)

    @property
    def shows_bias(self) -> bool:
        """Whether there is a bias and room for it in the gutter."""
        return self.has_bias and self.zoom.has_wide_gutter

    @property
    def label_row(self) -> int:
        """The row of a tile beside which the label stands; the bias stands in the row below."""
        return centre(-(-self.tile.height // 2))

    def tiles(self, start: int, stop: int) -> range:
        """The input channels whose tile or gap reaches into the columns [start, stop)."""
        if stop <= start:
            return range(0)
        first = max(0, start // self.pitch.width)
        return range(first, max(first, min(self.shape[1], -(-stop // self.pitch.width))))

    def columns(self, tiles: range, start: int, stop: int) -> range:
        """The columns of pixels to draw of each of the tiles: of a single one, only those in [start, stop).

        A map may be far wider than the screen.
        """
        every = self.taps[1]
        if len(tiles) != 1:
            return range(every)
        left, size = tiles.start * self.pitch.width, self.zoom.columns
        first = max(0, min((start - left) // size, every - 1))
        return range(first, max(first + 1, min(every, -(-(stop - left) // size))))

    def pixel_row(self, half_row: int) -> PixelRow | None:
        """The row of taps at a half row of the body; None in a gap and outside."""
        out, rest = divmod(half_row, self.pitch.height)
        if not 0 <= out < self.shape[0] or rest >= self.tile.height:
            return None
        return PixelRow(out, rest // self.halves)

    def tap_at(self, x: float, y: float) -> Tap | None:
        """The tap at a place in the body, None in a gap and outside; at NORM the centre tap of the kernel.

        A fraction in `y` tells the halves of a row apart, where the terminal knows it.
        """
        row = self.pixel_row(int(y * 2 // 1))
        in_, rest = divmod(int(x // 1), self.pitch.width)
        if row is None or not 0 <= in_ < self.shape[1] or rest >= self.tile.width:
            return None
        if self.zoom is Zoom.NORM:
            return Tap(row.out, in_, centre(self.shape[2]), centre(self.shape[3]))
        return Tap(row.out, in_, row.ky, rest // self.zoom.columns)

    def pixel(self, tap: Tap) -> tuple[PixelRow, int]:
        """The row of pixels that shows a tap, and its place in that row, counted without gaps."""
        if self.zoom is Zoom.NORM:
            return PixelRow(tap.out, 0), tap.in_
        return PixelRow(tap.out, tap.ky), tap.in_ * self.shape[3] + tap.kx

    def region(self, tap: Tap) -> Region:
        """The cells of the body that show a tap: a whole row also where it fills only half of it."""
        row, place = self.pixel(tap)
        in_, kx = divmod(place, self.taps[1])
        half_row = row.out * self.pitch.height + row.ky * self.halves
        x = in_ * self.pitch.width + kx * self.zoom.columns
        return Region(x, half_row // 2, self.zoom.columns, self.zoom.rows)

    def tile_region(self, tap: Tap) -> Region:
        """The cells of the body that show the kernel of a tap, and the row beside which its bias stands."""
        # That row is the one below the label, which for kernels one row high is a gap.
        below = self.shows_bias and self.tile.height == 2
        height = -(-self.tile.height // 2) + below
        left, top = tap.in_ * self.pitch.width, tap.out * self.pitch.height // 2
        return Region(left, top, self.tile.width, height)

    def moved(self, tap: Tap, across: int, down: int) -> Tap:
        """The tap some pixels to the right and below, through the edges of tiles, up to the grid's ends."""
        out_channels, in_channels, height, width = self.shape
        if self.zoom is Zoom.NORM:
            return tap._replace(out=tap.out + down, in_=tap.in_ + across).clamped(self.shape)
        column = max(0, min(tap.in_ * width + tap.kx + across, in_channels * width - 1))
        row = max(0, min(tap.out * height + tap.ky + down, out_channels * height - 1))
        return Tap(row // height, column // width, row % height, column % width)


def fit(
    shape: tuple[int, int, int, int],
    width: int,
    height: int,
    *,
    has_bias: bool = False,
    signs: bool = False,
    labels: Labels = Labels.CHANNELS,
) -> Zoom:
    """The nearest level above NORM at which a whole grid, labels included, fits in width x height cells.

    Where none does, the nearest one with cells one row high that shows a whole kernel and has to be scrolled
    in one direction only, beside the scroll bar that this takes. So it is with a depthwise kernel, which is
    one column, also where all of it fits without numbers: they read better than a strip of pixels. Else NORM;
    but HALF of a map, whose norm says nothing about where, and of a depthwise kernel.
    """

    def fits(of: tuple[int, int, int, int], zoom: Zoom, bar: int = 0) -> tuple[bool, bool]:
        size = GridGeometry(of, zoom, has_bias, signs, labels).size
        return size.width <= width - bar, size.height <= height - bar

    levels = [zoom for zoom in Zoom if zoom is not Zoom.NORM and all(fits((1, 1, *shape[2:]), zoom))]
    depthwise = shape[1] == 1 and labels is Labels.CHANNELS
    whole = next((zoom for zoom in levels if all(fits(shape, zoom))), None)
    farthest = Zoom.HALF if labels is Labels.PIXELS or depthwise else Zoom.NORM
    one_way = (zoom for zoom in levels if zoom.rows == 1 and any(fits(shape, zoom, bar=1)))
    scrolled = next(one_way, farthest)
    if whole is None or (depthwise and scrolled.has_numbers and not whole.has_numbers):
        return scrolled
    return whole


def legible(shape: tuple[int, int, int, int], width: int, *, labels: Labels = Labels.CHANNELS) -> Zoom | None:
    """The nearest level with numbers, in cells one row high, that is no wider; it may have to be scrolled."""
    levels = (zoom for zoom in Zoom if zoom.has_numbers and zoom.rows == 1)
    wide = (zoom for zoom in levels if GridGeometry(shape, zoom, labels=labels).size.width <= width)
    return next(wide, None)


def revealed(cell: tuple[int, int], tile: tuple[int, int], window: tuple[int, int]) -> int:
    """Where a window must start along one axis to hold the cell; spans are (start, stop)."""
    start, stop = window
    if start <= cell[0] and cell[1] <= stop:
        return start
    first, last = tile if tile[1] - tile[0] <= stop - start else cell
    return first if first < start else last - (stop - start)
