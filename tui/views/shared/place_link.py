"""The words for an output element, which lead to the probe of it when they are clicked."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style

from tui.analysis.numerics.pixel import Pixel


def place_link(pixel: Pixel, batch_size: int, style: str = "") -> Content:
    """out 1 (4,7), for a widget on a screen that has an action `probe_at(batch, channel, row, column)`."""
    action = f"screen.probe_at({', '.join(map(str, pixel))})"
    words = Content.styled(pixel.words(batch_size), style)
    return words.stylize(Style.from_meta({"@click": action}))
