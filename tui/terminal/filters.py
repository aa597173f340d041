"""What is done to every line of the screen before it goes to a terminal that cannot show it as it is."""

from __future__ import annotations

import codecs

from textual.filter import LineFilter

from tui.terminal.colour_depth import ColourDepth
from tui.terminal.nearest_colours import NearestColours
from tui.terminal.plain_characters import PlainCharacters

UTF_8 = "utf-8"


def filters_for(depth: ColourDepth, encoding: str) -> list[LineFilter]:
    """The filters for a terminal of this depth and encoding; none for one that can show everything."""
    filters: list[LineFilter] = []
    if depth is not ColourDepth.FULL:
        filters.append(NearestColours(depth))
    if not codecs.lookup(encoding).name.startswith("utf"):
        filters.append(PlainCharacters(encoding))
    return filters
