"""Row: one line of a list, in three zones that stand under each other."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size


class Tone(StrEnum):
    """What a text is; the value names its style."""

    PLAIN = "plain"
    MUTED = "muted"
    STRONG = "strong"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Row(NamedTuple):
    """What stands in one line.

    Attributes:
        name: on the left, as far as there is room.
        middle: begins at one column in all rows.
        right: ends at the right edge.
        indent: columns before the sign.
        sign: a character before the name.
        tone: of the name; `sign_tone`, `middle_tone` and `right_tone` of the others.
    """

    name: str
    middle: str = ""
    right: str = ""
    indent: int = 0
    sign: str = ""
    tone: Tone = Tone.PLAIN
    sign_tone: Tone = Tone.PLAIN
    middle_tone: Tone = Tone.MUTED
    right_tone: Tone = Tone.MUTED


def cut(text: str, width: int) -> str:
    """The text in at most so many columns; where it is longer, its end is an ellipsis.

    >>> cut("stage1.conv", 7)
    'stage1…'
    """
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""
