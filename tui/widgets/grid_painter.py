"""The lines of a grid: the visible taps of a WeightSource as styled text, without a widget or an app."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isinf, sqrt
from typing import NamedTuple

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from tui.widgets.glyphs import glyph, shade
from tui.widgets.grid_geometry import GridGeometry, PixelRow
from tui.widgets.grid_labels import has_words, header_labels, row_label
from tui.widgets.number_format import cell_text
from tui.widgets.palette import CURSOR, HOVER, LEVELS, NAN, Palette
from tui.widgets.tap import Tap
from tui.widgets.weight_source import WeightSource
from tui.widgets.zoom import Zoom

GROUND = 100
"""The tone of a half cell that shows no weight. The other tones are levels of the palette, and INFINITE."""

INFINITE = 101
"""The tone of +inf, and negated that of -inf: coloured as full, and marked."""


class Look(NamedTuple):
    """The styles that a grid is drawn in; `ground` is what lies between the tiles."""

    palette: Palette
    ground: Style
    label: Style
    label_here: Style


class Marks(NamedTuple):
    """The taps that stand out: the cursor, and the one under the mouse."""

    cursor: Tap
    hover: Tap | None = None


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
        self._cells: dict[tuple[int, int], Segment] = {}
        self._gap = Segment(" ", look.ground)

    def header(self, window: Region, marks: Marks) -> Strip:
        """The line of labels above the tiles; it scrolls sideways only."""
        # Where the labels are plain numbers, one word says which axis is which.
        corner = "" if has_words(self.geometry) else "in"
        segments = [self._label(corner.rjust(self.geometry.label_width)), self._gap]
        place = 0
        for label in header_labels(self.geometry, window, marks.cursor.in_):
            segments += [self._blank(label.start - place), self._label(label.text, here=label.here)]
            place = label.stop
        return Strip([*segments, self._blank(window.width - place)])

    def line(self, row: int, window: Region, marks: Marks) -> Strip:
        """One row of the body, beside its gutter, exactly as wide as gutter and window together."""
        gutter = self._gutter(row, window, marks.cursor.out)
        tiles = self.geometry.tiles(window.x, window.right)
        if row >= self.geometry.body.height or not tiles:
            return Strip([*gutter, self._blank(window.width)])
        start = window.x - tiles.start * self.geometry.pitch.width
        cells = Strip(self._cells_of(row, tiles, window, marks)).crop_extend(
            start, start + window.width, self.look.ground
        )
        return Strip([*gutter, *cells], self.geometry.gutter + window.width)

    def _gutter(self, row: int, window: Region, here: int) -> list[Segment]:
        """The gutter beside a row: the name of an output channel, its bias in colour, or nothing."""
        geometry, width = self.geometry, self.geometry.label_width
        label = row_label(geometry, window, row, here)
        if label is None:
            return [self._blank(geometry.gutter)]
        if label.is_bias and self.bias is not None:
            return [self._number(self.bias[label.out], geometry.gutter, width), self._gap]
        if geometry.zoom.has_wide_gutter:
            text = f"out {label.out}".ljust(width)
        else:
            text = str(label.out).rjust(width)
        return [self._label(text, here=label.out == here), self._gap]

    def _cells_of(self, row: int, tiles: range, window: Region, marks: Marks) -> Iterator[Segment]:
        """The cells of whole tiles in a row of the body, gaps included."""
        upper = self.geometry.pixel_row(2 * row)
        if self.geometry.halves == 2:
            return self._whole_cells(upper, tiles, window, marks)
        lower = self.geometry.pixel_row(2 * row + 1)
        upper_tones, lower_tones = self._tones(upper, tiles, marks), self._tones(lower, tiles, marks)
        return (self._half_blocks(*tones) for tones in zip(upper_tones, lower_tones, strict=True))

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
        self, row: PixelRow | None, tiles: range, window: Region, marks: Marks
    ) -> Iterator[Segment]:
        """Cells that show one pixel each; a row without pixels is blank."""
        if row is None:
            yield self._blank(len(tiles) * self.geometry.pitch.width)
            return
        gap = self._blank(self.geometry.pitch.width - self.geometry.tile.width)
        columns = self.geometry.zoom.columns
        marked = self._marked(row, marks)
        x = tiles.start * self.geometry.pitch.width - window.x
        for in_, kernel in zip(tiles, self._values(row, tiles), strict=True):
            for column, value in enumerate(kernel):
                cell = self._cell(value, marked.get((in_, column)) if marked else None)
                # Half a number would read as another number.
                cut = x < 0 or x + len(cell.text.rstrip()) > window.width
                yield Segment(" " * columns, cell.style) if cut else cell
                x += columns
            yield gap
            x += len(gap.text)

    def _cell(self, value: float, mark: int | None) -> Segment:
        """One pixel as text on its colour."""
        columns = self.geometry.zoom.columns
        if self.geometry.zoom.has_numbers:
            return self._number(value, columns, columns, mark)
        if self.geometry.zoom is Zoom.NORM:
            return Segment(shade(value, self.scale), self.look.palette.style(mark or 0))
        text = glyph(value, self.scale, signs=self.look.palette.signs).ljust(columns)
        if columns > 1 and isinf(value):
            text = f"{value:+}"[0] + text[0]
        return Segment(text, self._style(value, mark))

    def _number(self, value: float, cell: int, columns: int, mark: int | None = None) -> Segment:
        """A number, written for a cell and cut to some of its columns; underlined beyond the scale."""
        return Segment(
            cell_text(value, cell)[:columns], self._style(value, mark, over=abs(value) > self.scale)
        )

    def _style(self, value: float, mark: int | None, *, over: bool = False) -> Style:
        palette = self.look.palette
        if mark is not None:
            return palette.style(mark, over=over)
        if value == 0:
            return palette.zero
        return palette.style(palette.level(value, self.scale), over=over)

    def _tones(self, row: PixelRow | None, tiles: range, marks: Marks) -> list[int]:
        """The tone of every column of whole tiles in a row of pixels, gaps included."""
        pitch = self.geometry.pitch.width
        if row is None:
            return [GROUND] * (pitch * len(tiles))
        gap = [GROUND] * (pitch - self.geometry.tile.width)
        tones: list[int] = []
        for kernel in self._values(row, tiles):
            tones += [self._tone(value) for value in kernel]
            tones += gap
        for (in_, column), level in self._marked(row, marks).items():
            if in_ in tiles:
                tones[(in_ - tiles.start) * pitch + column] = level
        return tones

    def _tone(self, value: float) -> int:
        if isinf(value):
            return INFINITE if value > 0 else -INFINITE
        return self.look.palette.level(value, self.scale)

    def _half_blocks(self, upper: int, lower: int) -> Segment:
        """The cell that shows one tone above another; drawn once for each pair of tones."""
        key = (upper, lower)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = self._draw_half_blocks(upper, lower)
        return cell

    def _draw_half_blocks(self, upper: int, lower: int) -> Segment:
        palette, ground = self.look.palette, self.look.ground
        marks = {NAN, INFINITE, -INFINITE} & {upper, lower}
        # A mark takes the whole cell, for it is better not to see a half than not to see a NaN.
        if marks and not {CURSOR, HOVER} & {upper, lower}:
            return Segment("×", palette.style(NAN)) if NAN in marks else self._infinity(marks.pop())
        if upper == GROUND and lower == GROUND:
            return self._gap
        if upper == GROUND:
            return Segment("▄", ground + Style(color=self._colour(lower)))
        if lower == GROUND:
            return Segment("▀", ground + Style(color=self._colour(upper)))
        return Segment("▀", Style(color=self._colour(upper), bgcolor=self._colour(lower)))

    def _infinity(self, tone: int) -> Segment:
        return Segment("∞", self.look.palette.style(LEVELS if tone > 0 else -LEVELS))

    def _colour(self, tone: int) -> RichColor:
        level = (LEVELS if tone > 0 else -LEVELS) if abs(tone) == INFINITE else tone
        return self.look.palette.colours[level].rich_color

    def _label(self, text: str, *, here: bool = False) -> Segment:
        return Segment(text, self.look.label_here if here else self.look.label)

    def _blank(self, columns: int) -> Segment:
        return Segment(" " * columns, self.look.ground)
