"""The lines of a grid: the visible taps of a WeightSource as styled text, without a widget or an app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import isinf, sqrt
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tui.fusion.tap import Tap
from tui.widgets.grid.geometry import GridGeometry, PixelRow
from tui.widgets.grid.glyphs import glyph, shade
from tui.widgets.grid.grid_labels import column_labels, has_words, header_labels, row_label, row_number
from tui.widgets.grid.half_blocks import GROUND, INFINITE, LIT, STAR, HalfBlocks
from tui.widgets.grid.labels import Labels
from tui.widgets.grid.lit import Lit
from tui.widgets.grid.number_format import cell_text
from tui.widgets.grid.palette import CURSOR, HOVER, Look
from tui.widgets.grid.weight_source import WeightSource
from tui.widgets.grid.zoom import Zoom

NONE_LIT = range(0)
NOT_UNDERLINED = Style(underline=False)
WITHOUT_AIR = 8
"""Columns up to which a number begins in the first column of its cell."""


class Marks(NamedTuple):
    """The taps that stand out: the cursor, the one under the mouse, and those that are lit together."""

    cursor: Tap
    hover: Tap | None = None
    lit: Lit | None = None


class GridPainter:
    """Draws one weight at one zoom level, and reads of it only what a line shows.

    `window` is always the visible part of the body, in the body's own columns and rows.
    """

    def __init__(
        self,
        source: WeightSource,
        geometry: GridGeometry,
        look: Look,
        scale: float,
        bias: Sequence[float] | None = None,
    ) -> None:
        self.source = source
        self.geometry = geometry
        self.look = look
        self.scale = scale
        self.bias = bias
        self._half_blocks = HalfBlocks(look)
        self._gap = Segment(" ", look.ground)
        self._opening = Segment("[", look.label_here)

    def header(self, window: Region, marks: Marks) -> Strip:
        """The line of labels above the tiles; it scrolls sideways only."""
        geometry = self.geometry
        if geometry.labels is Labels.PIXELS:
            corner, labels = "", column_labels(geometry, window, marks.cursor)
        else:
            # Where the labels are plain numbers, one word says which axis is which.
            corner = "in" if not has_words(geometry) else "" if geometry.has_words else "out"
            labels = header_labels(geometry, window, marks.cursor.in_)
        segments = [self._label(corner.rjust(geometry.label_width)), self._gap]
        place = 0
        for label in labels:
            segments += [self._blank(label.start - place), self._label(label.text, here=label.here)]
            place = label.stop
        return Strip([*segments, self._blank(window.width - place)])

    def line(self, row: int, window: Region, marks: Marks) -> Strip:
        """One row of the body, beside its gutter, exactly as wide as gutter and window together."""
        gutter = self._gutter(row, window, marks.cursor)
        tiles = self.geometry.tiles(window.x, window.right)
        if row >= self.geometry.body.height or not tiles:
            return Strip([*gutter, self._gap, self._blank(window.width)])
        columns = self.geometry.columns(tiles, window.x, window.right)
        left = tiles.start * self.geometry.pitch.width + columns.start * self.geometry.zoom.columns
        start = window.x - left
        cells = Strip(self._cells_of(row, tiles, columns, left - window.x, window, marks)).crop_extend(
            start, start + window.width, self.look.ground
        )
        return Strip([*gutter, self._margin(row, window, marks), *cells], self.geometry.gutter + window.width)

    def kernel_row(self, kernel: tuple[int, int], row: int, columns: range, marks: Marks) -> list[Segment]:
        """A row of cells of one kernel (out, in_), without gutter and gap, a segment for each column."""
        out, in_ = kernel
        row += out * self.geometry.pitch.height // 2
        window = Region(0, 0, len(columns) * self.geometry.zoom.columns, 1)
        cells = self._cells_of(row, range(in_, in_ + 1), columns, 0, window, marks)
        return list(islice(cells, len(columns)))

    def _gutter(self, row: int, window: Region, cursor: Tap) -> list[Segment]:
        """The label beside a row: of an output channel, its bias in colour, of a row of a map; or nothing."""
        geometry, width = self.geometry, self.geometry.label_width
        if geometry.labels is Labels.PIXELS:
            number = row_number(geometry, row, cursor)
            text = "" if number is None else str(number)
            return [self._label(text.rjust(width), here=number == cursor.ky)]
        label = row_label(geometry, window, row, cursor.out)
        if label is None:
            return [self._blank(width)]
        if label.is_bias and self.bias is not None:
            bias = self.bias[label.out]
            return [self._number(bias, cell_text(bias, width + 1)[:width])]
        text = f"out {label.out}".ljust(width) if geometry.has_words else str(label.out).rjust(width)
        return [self._label(text, here=label.out == cursor.out)]

    def _margin(self, row: int, window: Region, marks: Marks) -> Segment:
        """The column between gutter and body: the star of a bias, or where what is lit in column 0 opens."""
        pixels = self.geometry.pixel_row(2 * row)
        label = row_label(self.geometry, window, row, marks.cursor.out)
        if self.bias is not None and label is not None and label.is_bias and self._has_star(label.out):
            return Segment(STAR, self.look.label_here)
        if not self._has_brackets or window.x or pixels is None:
            return self._gap
        return self._opening if 0 in self._lit_in(pixels, 0, marks) else self._gap

    def _lit_in(self, row: PixelRow, in_: int, marks: Marks) -> range:
        """The columns of a tile that are lit in a row of pixels; at NORM a pixel is more than a tap."""
        if marks.lit is None or self.geometry.zoom is Zoom.NORM:
            return NONE_LIT
        return marks.lit.columns_in(row.out, in_, row.ky)

    @property
    def _has_brackets(self) -> bool:
        """Whether cells end in a blank, in which a bracket can open or close what is lit."""
        return self.geometry.zoom is Zoom.PAIR or self.geometry.zoom.columns >= 5

    def _cells_of(
        self, row: int, tiles: range, columns: range, x: int, window: Region, marks: Marks
    ) -> Iterator[Segment]:
        """The cells of some columns of whole tiles in a row of the body, gaps included; they begin at x."""
        upper = self.geometry.pixel_row(2 * row)
        if self.geometry.halves >= 2:
            within = 2 * row % self.geometry.pitch.height % self.geometry.halves // 2
            written = within == self.geometry.zoom.number_row
            return self._whole_cells(upper, tiles, columns, x, window, marks, written=written)
        lower = self.geometry.pixel_row(2 * row + 1)
        upper_tones = self._tones(upper, tiles, columns, marks)
        lower_tones = self._tones(lower, tiles, columns, marks)
        cells = [self._half_blocks.cell(*tones) for tones in zip(upper_tones, lower_tones, strict=True)]
        for row_, tones in ((upper, upper_tones), (lower, lower_tones)):
            for place in self._star_places(row_, tiles, columns):
                if {CURSOR, HOVER}.isdisjoint((upper_tones[place], lower_tones[place])):
                    cells[place] = self._half_blocks.star(tones[place])
        return iter(cells)

    def _stars(self, row: PixelRow, tiles: range) -> list[list[bool]] | None:
        """Which numbers of a row of pixels have a star, a list for each tile; None where none can have."""
        starred = self.source.starred
        if starred is None:
            return None
        if self.geometry.zoom is not Zoom.NORM:
            return starred.row(row.out, row.ky, tiles.start, tiles.stop)
        rows = [starred.row(row.out, ky, tiles.start, tiles.stop) for ky in range(self.geometry.shape[2])]
        return [[any(any(kernel) for kernel in kernels)] for kernels in zip(*rows, strict=True)]

    def _star_places(self, row: PixelRow | None, tiles: range, columns: range) -> Iterator[int]:
        """Where in a line of half blocks a star stands."""
        stars = None if row is None else self._stars(row, tiles)
        pitch = len(columns) + self.geometry.pitch.width - self.geometry.tile.width
        for tile, kernel in enumerate(stars or ()):
            for place, column in enumerate(columns):
                if kernel[column]:
                    yield tile * pitch + place

    def _has_star(self, out: int) -> bool:
        return self.source.starred is not None and self.source.starred.bias(out)

    def _values(self, row: PixelRow, tiles: range) -> list[list[float]]:
        """The numbers of a row of pixels, a list for each tile.

        A norm is divided by the root of the number of taps. So it is the root mean square of a kernel: on the
        scale of the weights themselves, and the same whatever the kernel size.
        """
        if self.geometry.zoom is not Zoom.NORM:
            return self.source.row(row.out, row.ky, tiles.start, tiles.stop)
        taps = sqrt(self.geometry.shape[2] * self.geometry.shape[3])
        return [[norm / taps] for norm in self.source.norms(row.out, tiles.start, tiles.stop)]

    def _marked(self, row: PixelRow, marks: Marks) -> dict[tuple[int, int], int]:
        """The levels that the cursor and the mouse put in a row of pixels, by tile and column in it."""
        marked = {}
        for tap, level in ((marks.hover, HOVER), (marks.cursor, CURSOR)):
            if tap is not None:
                place, column = self.geometry.pixel(tap)
                if place == row:
                    marked[divmod(column, self.geometry.taps[1])] = level
        return marked

    def _whole_cells(
        self,
        row: PixelRow | None,
        tiles: range,
        columns: range,
        x: int,
        window: Region,
        marks: Marks,
        *,
        written: bool = True,
    ) -> Iterator[Segment]:
        """Cells that show one pixel each, from column x of the window on; a row without pixels is blank.

        `written`: whether this is the row of high cells in which their numbers stand.
        """
        if row is None:
            yield self._blank(len(tiles) * self.geometry.pitch.width)
            return
        gap = self._blank(self.geometry.pitch.width - self.geometry.tile.width)
        size = self.geometry.zoom.columns
        marked = self._marked(row, marks)
        stars = self._stars(row, tiles)
        for in_, kernel in zip(tiles, self._values(row, tiles), strict=True):
            lit = self._lit_in(row, in_, marks)
            for column in columns:
                mark = marked.get((in_, column)) if marked else None
                if written:
                    cell = self._cell(kernel[column], mark, lit=column in lit)
                else:
                    cell = Segment(" " * size, self._style(kernel[column], mark, lit=column in lit))
                if written and stars and stars[in_ - tiles.start][column]:
                    cell = _starred(cell)
                # Half a number would read as another number.
                if x < 0 or x + len(cell.text.rstrip(" *")) > window.width:
                    cell = Segment(" " * size, cell.style)
                elif lit and self._has_brackets:
                    cell = _bracketed(cell, column in lit, column + 1 in lit)
                underlined = cell.style is not None and cell.style.underline
                yield from _underlined(cell) if underlined else (cell,)
                x += size
            opens = self._has_brackets and 0 in self._lit_in(row, in_ + 1, marks)
            yield self._opening if opens else gap
            x += len(gap.text)

    def _cell(self, value: float, mark: int | None, *, lit: bool = False) -> Segment:
        """One pixel as text on its colour."""
        columns = self.geometry.zoom.columns
        if self.geometry.zoom.has_numbers:
            return self._number(value, _written(value, columns), mark, lit=lit)
        if self.geometry.zoom is Zoom.NORM:
            return Segment(shade(value, self.scale), self.look.palette.style(mark or 0))
        text = glyph(value, self.scale, signs=self.look.palette.signs).ljust(columns)
        if columns > 1 and isinf(value):
            text = f"{value:+}"[0] + text[0]
        return Segment(text, self._style(value, mark, lit=lit))

    def _number(self, value: float, text: str, mark: int | None = None, *, lit: bool = False) -> Segment:
        """A number on its colour; underlined beyond the scale."""
        return Segment(text, self._style(value, mark, over=abs(value) > self.scale, lit=lit))

    def _style(self, value: float, mark: int | None, *, over: bool = False, lit: bool = False) -> Style:
        palette = self.look.palette
        if mark is not None:
            return palette.style(mark, over=over)
        if value == 0 and not lit:
            return palette.zero
        return palette.style(palette.level(value, self.scale), over=over, lit=lit)

    def _tones(self, row: PixelRow | None, tiles: range, columns: range, marks: Marks) -> list[int]:
        """The tone of some columns of whole tiles in a row of pixels, gaps included."""
        gap = [GROUND] * (self.geometry.pitch.width - self.geometry.tile.width)
        pitch = len(columns) + len(gap)
        if row is None:
            return [GROUND] * (pitch * len(tiles))
        tones: list[int] = []
        for in_, kernel in zip(tiles, self._values(row, tiles), strict=True):
            lit = self._lit_in(row, in_, marks)
            tones += [self._tone(kernel[column]) + LIT * (column in lit) for column in columns]
            tones += gap
        for (in_, column), level in self._marked(row, marks).items():
            if in_ in tiles and column in columns:
                tones[(in_ - tiles.start) * pitch + column - columns.start] = level
        return tones

    def _tone(self, value: float) -> int:
        if isinf(value):
            return INFINITE if value > 0 else -INFINITE
        return self.look.palette.level(value, self.scale)

    def _label(self, text: str, *, here: bool = False) -> Segment:
        return Segment(text, self.look.label_here if here else self.look.label)

    def _blank(self, columns: int) -> Segment:
        return Segment(" " * columns, self.look.ground)


def _starred(cell: Segment) -> Segment:
    """The cell with a star in its last column: in place of a blank, of a last digit, or of a lone glyph."""
    before, last = cell.text[:-1], cell.text[-1]
    return Segment(before + STAR, cell.style) if not before or last == " " or last.isdigit() else cell


def _underlined(cell: Segment) -> tuple[Segment, ...]:
    """The cell with the underline under its number only: under blanks it would be a stray line."""
    number = cell.text.strip(" []")
    before, after = cell.text.split(number) if number else ("", cell.text)
    plain = cell.style + NOT_UNDERLINED if cell.style else NOT_UNDERLINED
    parts = Segment(before, plain), Segment(number, cell.style), Segment(after, plain)
    return tuple(part for part in parts if part.text)


def _written(value: float, columns: int) -> str:
    """The number for a cell of so many columns; in a wide one with a blank on both sides."""
    if columns <= WITHOUT_AIR:
        return cell_text(value, columns)
    return f" {cell_text(value, columns - 2)} "


def _bracketed(cell: Segment, lit: bool, next_lit: bool) -> Segment:
    """The cell with a bracket in its last, blank column, where what is lit ends or begins behind it."""
    if lit == next_lit or not cell.text.endswith(" "):
        return cell
    return Segment(cell.text[:-1] + ("]" if lit else "["), cell.style)
