"""The colours of a weight in terminals that have only 256 or 16 of them, chosen by hand.

Blends would be taken to whatever is near, and a sign with them: of the dark half of the 256 colours few
are blue and fewer orange. So the steps of each side are named, in order of lightness. Both sides have
as many, so that values of one size look equally strong.
"""

from __future__ import annotations

from typing import NamedTuple

from rich._palettes import EIGHT_BIT_PALETTE, STANDARD_PALETTE
from rich.palette import Palette as RichPalette
from textual.color import Color

from tui.terminal.colour_depth import ColourDepth


class Ramp(NamedTuple):
    """Numbers of the terminal's colours; both sides run from next to zero to full colour."""

    zero: int
    positive: tuple[int, ...]
    negative: tuple[int, ...]
    not_a_number: int
    hover: int
    lit_zero: int
    lit_positive: tuple[int, ...]
    lit_negative: tuple[int, ...]
    lit_not_a_number: int
    inks: tuple[int, ...]
    faint: int
    white_on: frozenset[int] | None = None
    """On which of them white ink is read in every terminal; None where their colours are known."""


# Of what is lit, green is the hue; more of blue or of red in it says on which side of zero it lies.
DARK_256 = Ramp(
    zero=234,
    positive=(18, 19, 25, 26, 32, 33, 75, 153),
    negative=(52, 94, 130, 166, 172, 208, 215, 223),
    not_a_number=125,
    hover=59,
    lit_zero=22,
    lit_positive=(23, 30, 37, 80),
    lit_negative=(64, 106, 148, 191),
    lit_not_a_number=96,
    inks=(254, 234, 231, 16),
    faint=245,
)
LIGHT_256 = Ramp(
    zero=255,
    positive=(153, 111, 75, 69, 33, 26, 25, 19),
    negative=(223, 215, 208, 172, 166, 130, 94, 88),
    not_a_number=125,
    hover=145,
    lit_zero=114,
    lit_positive=(80, 37, 30, 23),
    lit_negative=(191, 148, 106, 64),
    lit_not_a_number=96,
    inks=(254, 234, 231, 16),
    faint=241,
)
# There is no orange among the 16, and each terminal has its own blue: the sign stands in the cell as well.
# Yellow is brown in some and yellow in others, so it stands between red and bright yellow. What is lit
# has no size: its bright green is one.
DARK_16 = Ramp(
    zero=0,
    positive=(4, 12, 14),
    negative=(1, 3, 11),
    not_a_number=5,
    hover=8,
    lit_zero=2,
    lit_positive=(10,),
    lit_negative=(10,),
    lit_not_a_number=13,
    inks=(15, 0),
    faint=7,
    white_on=frozenset((0, 1, 4, 5, 8)),
)
LIGHT_16 = DARK_16._replace(zero=15, positive=(14, 12, 4), negative=(11, 3, 1), hover=7, faint=8)

_RAMPS = {
    (ColourDepth.EIGHT_BIT, True): (DARK_256, EIGHT_BIT_PALETTE),
    (ColourDepth.EIGHT_BIT, False): (LIGHT_256, EIGHT_BIT_PALETTE),
    (ColourDepth.STANDARD, True): (DARK_16, STANDARD_PALETTE),
    (ColourDepth.STANDARD, False): (LIGHT_16, STANDARD_PALETTE),
}


def ramp_of(depth: ColourDepth, *, dark: bool) -> tuple[Ramp, RichPalette]:
    """The ramp for a terminal and a theme, with the palette that its numbers are of."""
    return _RAMPS[depth, dark]


def seen(palette: RichPalette, number: int) -> Color:
    """The colour of a number, as it is taken to look."""
    return Color(*palette[number])


def step_of(level: int, levels: int, steps: tuple[int, ...]) -> int:
    """The step at which a level from 1 to `levels` stands, the levels shared out evenly."""
    return steps[(level - 1) * len(steps) // levels]
