"""What terminals with 256 and with 16 colours are sent for every level of a palette, by their own numbers."""

from __future__ import annotations

import colorsys
from typing import NamedTuple

import pytest
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tui.terminal.colour_depth import ColourDepth
from tui.terminal.nearest_colours import NearestColours
from tui.widgets.grid.palette import CURSOR, HOVER, LEVELS, NAN, READABLE, Palette

Rgb = tuple[int, int, int]

VGA = (
    "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff"
)
XTERM = (
    "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 "
    "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff"
)
TANGO = (
    "000000 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf "
    "555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec"
)


class Case(NamedTuple):
    """A palette as a terminal shows it."""

    name: str
    depth: ColourDepth
    dark: bool
    sixteen: list[Rgb]
    blue: range
    orange: range

    @property
    def palette(self) -> Palette:
        return Palette.of(dark=self.dark, monochrome=False, depth=self.depth)

    def rgb(self, number: int) -> Rgb:
        """The colour of a number, as xterm documents it: 16 of its own, a cube of 6 x 6 x 6, and greys."""
        if number < 16:
            return self.sixteen[number]
        if number < 232:
            red, green, blue = (number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6
            return (*(55 + 40 * part if part else 0 for part in (red, green, blue)),)  # type: ignore[return-value]
        return (8 + 10 * (number - 232),) * 3


def rgbs(words: str) -> list[Rgb]:
    return [(int(word[:2], 16), int(word[2:4], 16), int(word[4:], 16)) for word in words.split()]


CASES = [
    Case(f"{name}, {'dark' if dark else 'light'}", depth, dark, rgbs(sixteen), blue, range(61))
    for name, depth, sixteen, blue in (
        ("256", ColourDepth.EIGHT_BIT, VGA, range(200, 246)),
        ("VGA", ColourDepth.STANDARD, VGA, range(180, 246)),
        ("xterm", ColourDepth.STANDARD, XTERM, range(180, 246)),
        ("Tango", ColourDepth.STANDARD, TANGO, range(180, 246)),
    )
    for dark in (True, False)
]
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def sent(case: Case, style: Style) -> Style:
    """The style as the screen's filter hands it to the terminal."""
    segments = NearestColours(case.depth).apply([Segment("x", style)], Color(0, 0, 0))
    assert segments[0].style is not None
    return segments[0].style


def number(colour: RichColor | None) -> int:
    assert colour is not None
    assert colour.number is not None
    return colour.number


def paper(case: Case, level: int, *, lit: bool = False) -> int:
    style = sent(case, case.palette.style(level, lit=lit))
    return number(style.color if style.reverse else style.bgcolor)


def luminance(rgb: Rgb) -> float:
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in (part / 255 for part in rgb)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def hue(rgb: Rgb) -> float:
    return 360 * colorsys.rgb_to_hsv(*(part / 255 for part in rgb))[0]


@every_case
def test_the_sign_of_every_level_is_a_hue_and_zero_is_grey(case: Case) -> None:
    red, green, blue = case.rgb(paper(case, 0))
    assert max(red, green, blue) - min(red, green, blue) <= 2
    for level in range(1, LEVELS + 1):
        assert int(hue(case.rgb(paper(case, level)))) in case.blue
        assert int(hue(case.rgb(paper(case, -level)))) in case.orange


@every_case
@pytest.mark.parametrize("sign", [1, -1])
def test_larger_values_are_never_nearer_to_the_middle(case: Case, sign: int) -> None:
    shades = [luminance(case.rgb(paper(case, sign * level))) for level in range(LEVELS + 1)]
    assert shades == sorted(shades, reverse=not case.dark)
    assert len(set(shades)) == (9 if case.depth is ColourDepth.EIGHT_BIT else 4)


@every_case
def test_both_sides_step_at_the_same_sizes(case: Case) -> None:
    steps = [
        [level for level in range(2, LEVELS + 1) if paper(case, s * level) != paper(case, s * (level - 1))]
        for s in (1, -1)
    ]
    assert steps[0] == steps[1]


@every_case
def test_cursor_hover_nan_and_what_is_lit_are_no_colours_of_the_scale(case: Case) -> None:
    scale = {paper(case, level) for level in range(-LEVELS, LEVELS + 1)}
    marks = [paper(case, level) for level in (CURSOR, HOVER, NAN)]
    assert len({*marks}) == len(marks)
    assert not {*marks} & scale
    lit = {paper(case, level, lit=True) for level in [*range(-LEVELS, LEVELS + 1), NAN]}
    assert not lit & (scale | {*marks})


@every_case
def test_of_256_colours_lit_ones_still_tell_the_sign(case: Case) -> None:
    if case.depth is ColourDepth.STANDARD:
        assert case.palette.signs
        return
    for level in range(1, LEVELS + 1):
        above, below = (case.rgb(paper(case, sign * level, lit=True)) for sign in (1, -1))
        assert above[2] > above[0]
        assert below[0] > below[2]


@every_case
def test_what_is_written_can_be_read(case: Case) -> None:
    # What 16 colours look like is up to the terminal: three common ones have to do.
    least = READABLE if case.depth is ColourDepth.EIGHT_BIT else 3.9
    palette = case.palette
    styles = [palette.zero]
    for level in (*range(-LEVELS, LEVELS + 1), NAN, CURSOR, HOVER):
        styles += [palette.style(level), palette.style(level, over=True)]
        if level not in (CURSOR, HOVER):
            styles += [palette.style(level, lit=True), palette.style(level, over=True, lit=True)]
    for style in styles:
        shown = sent(case, style)
        dark, light = sorted(luminance(case.rgb(number(part))) for part in (shown.color, shown.bgcolor))
        assert (light + 0.05) / (dark + 0.05) >= least, (style, shown)


@every_case
def test_marks_that_are_no_colours_are_kept(case: Case) -> None:
    assert sent(case, case.palette.style(3, over=True)).underline
    assert sent(case, case.palette.style(3, lit=True)).bold
    assert sent(case, case.palette.style(CURSOR)).reverse
    assert number(sent(case, case.palette.zero).color) != number(sent(case, case.palette.style(0)).color)


@pytest.mark.parametrize("dark", [True, False])
def test_half_blocks_of_256_colours_are_those_of_the_palette(dark: bool) -> None:
    palette, nearest = (
        Palette.of(dark=dark, monochrome=False, depth=ColourDepth.EIGHT_BIT),
        NearestColours(ColourDepth.EIGHT_BIT),
    )
    for colour in (*palette.colours.values(), *palette.lit_colours.values()):
        shown = Case("", ColourDepth.EIGHT_BIT, dark, [], range(0), range(0)).rgb(
            nearest.nearest(colour.rich_color)
        )
        assert shown == colour.rgb
