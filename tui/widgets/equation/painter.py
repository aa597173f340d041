"""The lines of an equation as styled text, without a widget or an app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.fusion.tap import Tap
from tui.widgets.equation.layout import Label, Layout
from tui.widgets.equation.term import Named, Term
from tui.widgets.grid.geometry import GridGeometry
from tui.widgets.grid.painter import GridPainter, Marks
from tui.widgets.grid.palette import Look

NONE = "–"
"""Stands where a term has no kernel to show."""
NOWHERE = Tap(-1, -1, -1, -1)
LEVEL = Style(underline=False, bold=False)

Piece = tuple[int, Sequence[Segment]]
"""The column where it begins, and what is drawn there."""


@dataclass(frozen=True)
class Cursor:
    """The tap of the last term that is looked at, and which of its taps are not there yet."""

    tap: Tap
    pending: Callable[[Tap], bool] | None = None


class EquationPainter:
    """Draws an equation in one layout, and reads of its weights only what a line shows."""

    def __init__(
        self, terms: Sequence[Term], named: Named, layout: Layout, look: Look, scale: float, *, signs: bool
    ) -> None:
        self.terms, self.named, self.layout, self.look = terms, named, layout, look
        self._painters = [
            GridPainter(
                term.source,
                GridGeometry(term.source.shape, layout.cell.zoom, signs=signs),
                look,
                term.scale or scale,
            )
            for term in terms
        ]

    def header(self) -> Strip:
        """The titles, each above the middle of its term."""
        return self._strip(self._titles(self.layout.lines[0]))

    def line(self, row: int, cursor: Cursor) -> Strip:
        """One row below the header."""
        band, row = divmod(row, self.layout.pitch)
        pieces = [
            (left + place * self.layout.across_pitch, segments)
            for place in range(self.layout.across)
            if (kernel := self.layout.kernel_at(band, place)) is not None
            for left, segments in self._row_of(kernel, row, cursor)
        ]
        return self._strip(pieces)

    def _strip(self, pieces: Iterable[Piece]) -> Strip:
        segments: list[Segment] = []
        column = 0
        for left, drawn in sorted(pieces, key=lambda piece: piece[0]):
            segments += [self._blank(left - column), *drawn]
            column = left + sum(len(segment.text) for segment in drawn)
        strip = Strip([*segments, self._blank(self.layout.width - column)])
        return strip.crop(0, self.layout.width)

    def _blank(self, columns: int) -> Segment:
        return Segment(" " * columns, self.look.ground)

    def _titles(self, line: Sequence[int]) -> Iterator[Piece]:
        last = len(self.terms) - 1
        for term in line:
            style = self.look.label_here if term == last else self.look.label
            title = self.terms[term].title.center(self.layout.widths[term])
            yield self.layout.lefts[term], [Segment(title, style)]

    def _row_of(self, kernel: tuple[int, int], row: int, cursor: Cursor) -> Iterator[Piece]:
        """One row of a band: of kernel (out, in_) of the last term and of those beside it."""
        layout = self.layout
        yield from self._name(kernel, row, cursor)
        for line, top, height in zip(layout.lines, layout.line_tops, layout.line_heights, strict=True):
            if layout.broken and row == top - 1:
                yield from self._titles(line)
            if not top <= row < top + height:
                continue
            for term in line:
                if row - top == (height - 1) // 2 and layout.shape.signs[term]:
                    yield self._sign(term)
                inside = row - top - (height - layout.height_of(term)) // 2
                if 0 <= inside < layout.height_of(term):
                    yield self._cells(term, kernel, inside, cursor)

    def _sign(self, term: int) -> Piece:
        width = self.layout.shape.signs[term]
        text = self.terms[term].sign.center(width)
        return self.layout.lefts[term] - width, [Segment(text, self.look.label_here)]

    def _name(self, kernel: tuple[int, int], row: int, cursor: Cursor) -> Iterator[Piece]:
        """The name of the row, as far as it stands in this one."""
        layout, shape = self.layout, self.terms[-1].source.shape
        words = self.named.label(*kernel, shape)
        style = self.look.label_here if kernel == cursor.tap[:2] else self.look.label
        last = layout.lines[-1][-1]
        behind = layout.lefts[last] + layout.widths[last] + layout.beside
        top, height = layout.line_tops[-1], layout.line_heights[-1]
        match layout.label:
            case Label.ABOVE if row == 0:
                part = self._part(cursor.tap)
                yield layout.indent, [Segment(", ".join(words), style), Segment(part, self.look.label)]
            case Label.BEFORE if row == layout.line_tops[0] + (layout.line_heights[0] - 1) // 2:
                yield 0, [Segment(words[0], style)]
            case Label.BEHIND if row == top + (height - 1) // 2:
                yield behind, [Segment(", ".join(words), style)]
            case Label.STACKED:
                place = row - top - (height - len(words) + 1) // 2
                if 0 <= place < len(words):
                    yield behind, [Segment(words[place], style)]

    def _part(self, tap: Tap) -> str:
        """Which taps of the last term are in sight, where they are not all."""
        (rows, columns), every = self.layout.taps[-1], self.terms[-1].source.shape[2:]
        if (rows, columns) == every:
            return ""
        first = self._first(tap.ky, rows, every[0], even=True)
        start = self._first(tap.kx, columns, every[1])
        ends = f"rows {first}–{min(first + rows, every[0]) - 1}, columns {start}–{start + columns - 1}"
        return f"   {ends} of {every[0]}×{every[1]}"

    def _cells(self, term: int, kernel: tuple[int, int], row: int, cursor: Cursor) -> Piece:
        """One row of the cells of the kernel that a term shows beside one of the last term."""
        rows, columns = self.layout.taps[term]
        width = columns * self.layout.cell.columns
        left = self.layout.lefts[term] + (self.layout.widths[term] - width) // 2
        here = self.terms[term].beside(cursor.tap._replace(out=kernel[0], in_=kernel[1]))
        if here is None:
            middle = row == (self.layout.height_of(term) - 1) // 2
            return left, [Segment((NONE if middle else "").center(width), self.look.label)]
        first = self._first(here.ky, rows, self.terms[term].source.shape[2], even=True)
        start = self._first(here.kx, columns, self.terms[term].source.shape[3])
        of_grid, of_cell = divmod(row, self.layout.cell.rows)
        halves = self._painters[term].geometry.halves
        across = range(start, start + columns)
        cells = self._painters[term].kernel_row(
            (here.out, here.in_), of_grid + first * halves // 2, across, self._marks(term, kernel, cursor)
        )
        if cursor.pending is not None and term == len(self.terms) - 1:
            ky = first + of_grid * 2 // halves
            taps = (Tap(*kernel, ky, kx) for kx in across)
            cells = [
                self._blank(len(cell.text)) if cursor.pending(tap) else cell
                for cell, tap in zip(cells, taps, strict=True)
            ]
        return left, [part for cell in cells for part in self._grown(cell, of_cell)]

    def _first(self, at: int, shown: int, every: int, *, even: bool = False) -> int:
        """The first tap of an axis in sight, where not all are: that of the cursor is in the middle."""
        first = max(0, min(at - shown // 2, every - shown))
        return (first + 1) // 2 * 2 if even else first

    def _marks(self, term: int, kernel: tuple[int, int], cursor: Cursor) -> Marks:
        """The cursor, if it is in this band: at the tap from which that of the last term came, if any."""
        if kernel != cursor.tap[:2]:
            return Marks(NOWHERE)
        found, shape = self.terms[term].origin(cursor.tap), self.terms[term].source.shape
        return Marks(found if found == found.clamped(shape) else NOWHERE)

    def _grown(self, cell: Segment, row: int) -> Iterator[Segment]:
        """A cell in the columns that it takes here; its number stands in the middle one of its rows."""
        columns = self.layout.cell.columns
        more = columns - len(cell.text)
        if not more and self.layout.cell.rows == 1:
            yield cell
            return
        paper = (cell.style or Style()) + LEVEL
        if row != (self.layout.cell.rows - 1) // 2:
            yield Segment(" " * columns, paper)
            return
        yield Segment(" " * (more // 2), paper)
        yield cell
        yield Segment(" " * (more - more // 2), paper)
