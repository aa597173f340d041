"""A scroll bar that is a thin line on its ground: it tells where one is, and draws no eyes."""

from __future__ import annotations

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

PLAIN = Color.default()


class ThinScrollBar(ScrollBarRender):
    """Draws the part in sight as a line of "┃" or "━", and nothing for the rest."""

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = PLAIN,
        bar_color: Color = PLAIN,
    ) -> Segments:
        """A segment for each of the `size` rows or columns."""
        ground = Style(bgcolor=back_color)
        first, last = line_of(size, virtual_size, window_size, position)
        line = "┃" if vertical else "━"
        before = Segment(" ", ground + Style(meta={"@mouse.down": "scroll_up"}))
        after = Segment(" ", ground + Style(meta={"@mouse.down": "scroll_down"}))
        grip = Segment(line, ground + Style(color=bar_color, meta={"@mouse.down": "grab"}))
        segments = [before] * first + [grip] * (last - first) + [after] * (size - last)
        if vertical:
            return Segments(segments, new_lines=True)
        return Segments(([*segments, Segment.line()]) * thickness, new_lines=False)


def line_of(size: int, whole: float, window: float, position: float) -> tuple[int, int]:
    """Where the line begins and ends; at an end of the bar only where that end of the whole is seen."""
    if not window or not size or window >= whole:
        return 0, 0
    length = max(1, min(size, round(size * window / whole)))
    first = round((size - length) * position / (whole - window))
    if size - length > 1 and 0 < position < whole - window:
        first = max(1, min(first, size - length - 1))
    return first, first + length
