"""The colours of a whole screen, taken to the nearest ones of a terminal that has only 256 or 16."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rich._palettes import EIGHT_BIT_PALETTE, STANDARD_PALETTE
from rich.color import Color as RichColor
from rich.palette import Palette
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

from tui.terminal.colour_depth import ColourDepth

OWN_COLOURS = 16
"""The first colours of 256, which every terminal and every theme of one sets to its own liking."""

_STYLES = 4096
"""Styles kept: a busy screen shows some hundreds."""


class NearestColours(LineFilter):
    """Replaces each colour by the one that looks most like it in a terminal of 256 or 16 colours.

    rich's own way rounds red, green and blue each for itself, which turns dark blues to navy or teal and
    oranges to olive; and of 16 colours it makes dark greys all black, with the borders in them. Of 256
    colours the first 16 are left out, for nobody knows what they look like. Where ink and paper would come
    to the same colour though they differed, the ink takes the next nearest: it was there to be seen.
    """

    def __init__(self, depth: ColourDepth) -> None:
        super().__init__()
        self.depth = depth
        self._first = OWN_COLOURS if depth is ColourDepth.EIGHT_BIT else 0
        source = EIGHT_BIT_PALETTE if depth is ColourDepth.EIGHT_BIT else STANDARD_PALETTE
        self._colours = [source[number] for number in range(self._first, depth.value)]
        self._palette = Palette(self._colours)
        self._style = lru_cache(_STYLES)(self._nearest_style)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments in the terminal's colours."""
        style_of = self._style
        return [
            Segment(text, style and style_of(style, not text.isspace()), control)
            for text, style, control in segments
        ]

    def nearest(self, colour: RichColor, *, but: int | None = None) -> int:
        """The number of the terminal's colour that looks most like this one, leaving out the number `but`."""
        triplet = colour.get_truecolor()
        if but is None:
            return self._first + self._palette.match(triplet)
        others = [number for number in range(len(self._colours)) if number != but - self._first]
        place = Palette([self._colours[number] for number in others]).match(triplet)
        return self._first + others[place]

    def _nearest_style(self, style: Style, inked: bool) -> Style:
        """The style in the terminal's colours; the ink of blanks is not looked at."""
        ink, paper = style.color, style.bgcolor
        paper_number = None if paper is None or paper.is_default else self.nearest(paper)
        ink_number = None if ink is None or ink.is_default else self.nearest(ink)
        if inked and ink_number is not None and ink_number == paper_number:
            assert ink is not None
            assert paper is not None
            if ink.get_truecolor() != paper.get_truecolor():
                ink_number = self.nearest(ink, but=paper_number)
        return style + Style.from_color(
            None if ink_number is None else RichColor.from_ansi(ink_number),
            None if paper_number is None else RichColor.from_ansi(paper_number),
        )


def depth_of(app: App[Any]) -> ColourDepth:
    """How many colours the screen of this app is drawn with."""
    for line_filter in app.get_line_filters():
        if isinstance(line_filter, NearestColours):
            return line_filter.depth
    return ColourDepth.FULL
