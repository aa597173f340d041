"""Half blocks: one weight above another in one cell, each told by its tone."""

from __future__ import annotations

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style

from tui.widgets.grid.palette import CURSOR, HOVER, LEVELS, NAN, Look

GROUND = 100
"""The tone of a half cell that shows no weight. The other tones are levels of the palette, and INFINITE."""

INFINITE = 101
"""The tone of +inf, and negated that of -inf: coloured as full, and marked."""

LIT = 1000
"""Is added to the tone of a half cell that is lit."""

STAR = "*"
"""Marks a number that a person should look at; which, its `Starred` knows."""


class HalfBlocks:
    """Draws the cells of one look; each pair of tones is drawn once."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._cells: dict[tuple[int, int], Segment] = {}
        self._gap = Segment(" ", look.ground)

    def cell(self, upper: int, lower: int) -> Segment:
        """The cell that shows one tone above another; drawn once for each pair of tones."""
        key = (upper, lower)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = self._draw_half_blocks(upper, lower)
        return cell

    def _draw_half_blocks(self, upper: int, lower: int) -> Segment:
        palette, ground = self._look.palette, self._look.ground
        plain = {_unlit(upper), _unlit(lower)}
        marks = {NAN, INFINITE, -INFINITE} & plain
        # A mark takes the whole cell, for it is better not to see a half than not to see a NaN.
        if marks and not {CURSOR, HOVER} & plain:
            lit = upper > LIT // 2 or lower > LIT // 2
            if NAN in marks:
                return Segment("×", palette.style(NAN, lit=lit))
            return Segment("∞", palette.style(LEVELS if marks.pop() > 0 else -LEVELS, lit=lit))
        if upper == GROUND and lower == GROUND:
            return self._gap
        if upper == GROUND:
            return Segment("▄", ground + Style(color=self._colour(lower)))
        if lower == GROUND:
            return Segment("▀", ground + Style(color=self._colour(upper)))
        # Fonts leave a hair of the background beside a half block: of the fainter of the two it is not seen.
        if _strength(lower) > _strength(upper):
            return Segment("▄", Style(color=self._colour(lower), bgcolor=self._colour(upper)))
        return Segment("▀", Style(color=self._colour(upper), bgcolor=self._colour(lower)))

    def _colour(self, tone: int) -> RichColor:
        level = _unlit(tone)
        if abs(level) == INFINITE:
            level = LEVELS if level > 0 else -LEVELS
        colours = self._look.palette.colours if level == tone else self._look.palette.lit_colours
        return colours[level].rich_color

    def star(self, tone: int) -> Segment:
        """A star for the whole cell, on the colour of its own half."""
        level = _unlit(tone)
        if abs(level) == INFINITE:
            level = LEVELS if level > 0 else -LEVELS
        return Segment(STAR, self._look.palette.style(level, lit=level != tone))


def _strength(tone: int) -> int:
    """How far a tone is from zero; the cursor and what is lit are farthest."""
    return abs(_unlit(tone)) + (LIT if _unlit(tone) != tone else 0)


def _unlit(tone: int) -> int:
    return tone - LIT if tone > LIT // 2 else tone
