"""The colours of a weight: blue above zero, orange below it, and an ink that can be read on each of them."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import cache, cached_property, partial
from math import isnan
from typing import NamedTuple

from rich.style import Style
from textual.color import Color

from tui.terminal.colour_depth import ColourDepth
from tui.widgets.grid.colour import blend, contrast
from tui.widgets.grid.ramps import ramp_of, seen, step_of

LEVELS = 16
"""Steps from zero to full colour on either side: 33 colours, of which 256-colour terminals show about 17."""

NAN, CURSOR, HOVER = LEVELS + 1, LEVELS + 2, LEVELS + 3
"""Levels apart from those of the scale: no number, and what the cursor and the mouse point at."""

BEND = 2 / 3
"""Where on a side its full hue stands; from there on the colour runs towards white, on light themes black."""

GLOW = 0.4
"""How far the colour of a lit cell has gone towards green, a hue of no value; greys, to white or black."""

READABLE = 4.5
"""The least contrast of text in WCAG 2, level AA."""


class Anchors(NamedTuple):
    """The colours that a palette is interpolated from."""

    zero: str
    positive: tuple[str, str]
    negative: tuple[str, str]
    not_a_number: str
    hover: str
    lit: str


# Lightness runs evenly from the middle to both ends, so that |value| can be read without the hue; and blue is
# told from orange by every common kind of colour vision.
DARK = Anchors("#1e2127", ("#4a90f5", "#aad0ff"), ("#f08c28", "#ffd6a0"), "#a3246b", "#565e6d", "#2fd07f")
LIGHT = Anchors("#eef0f3", ("#4a90f5", "#0c3f8f"), ("#e07b16", "#7a3800"), "#a3246b", "#aab1bd", "#12a05c")
# One ink for all greys: where black ink took over from white, the two would look like a fact.
DARK_GREY = Anchors(
    "#1f1f1f", ("#525252", "#6c6c6c"), ("#525252", "#6c6c6c"), "#000000", "#3d3d3d", "#ffffff"
)
LIGHT_GREY = Anchors(
    "#f0f0f0", ("#b8b8b8", "#969696"), ("#b8b8b8", "#969696"), "#ffffff", "#cccccc", "#000000"
)


INKS = tuple(Color.parse(name) for name in ("#dde2ea", "#15181d", "#ffffff", "#000000"))
"""Two soft ones, and the two for colours on which only they will do."""


def ink_on(colour: Color, inks: tuple[Color, ...] = INKS) -> Color:
    """The first of the inks that is read with ease on this colour, or else the one that is read best."""
    for ink in inks:
        if contrast(ink, colour) >= 1.3 * READABLE:
            return ink
    return max(inks, key=lambda ink: contrast(ink, colour))


def faint_on(colour: Color) -> Color:
    """An ink that recedes on this colour, as far as it can and still be read: for exact zeros."""
    ink = ink_on(colour)
    blends = (blend(colour, ink, part / 20) for part in range(21))
    return next((mixed for mixed in blends if contrast(mixed, colour) >= 1.05 * READABLE), ink)


def _side(zero: str, hue: str, end: str) -> list[Color]:
    """The LEVELS colours of one side, from next to zero to full colour."""
    middle, bend, last = (Color.parse(name) for name in (zero, hue, end))
    parts = [level / LEVELS for level in range(1, LEVELS + 1)]
    return [
        blend(middle, bend, part / BEND) if part <= BEND else blend(bend, last, (part - BEND) / (1 - BEND))
        for part in parts
    ]


class Tones(NamedTuple):
    """All colours of a palette: by level, by level where it is lit, the ink on each of them, and on zero."""

    colours: dict[int, Color]
    lit: dict[int, Color]
    ink_on: Callable[[Color], Color]
    faint: Color


def _blended(anchors: Anchors) -> Tones:
    """Colours that run evenly between the anchors, for terminals that can show any."""
    positive, negative = _side(anchors.zero, *anchors.positive), _side(anchors.zero, *anchors.negative)
    colours = {0: Color.parse(anchors.zero), NAN: Color.parse(anchors.not_a_number)}
    for level in range(1, LEVELS + 1):
        colours[level], colours[-level] = positive[level - 1], negative[level - 1]
    lit = {level: blend(colour, Color.parse(anchors.lit), GLOW) for level, colour in colours.items()}
    colours[HOVER] = Color.parse(anchors.hover)
    return Tones(colours, lit, ink_on, faint_on(colours[0]))


def _stepped(depth: ColourDepth, *, dark: bool) -> Tones:
    """The few colours that a terminal has for them."""
    ramp, numbered = ramp_of(depth, dark=dark)
    numbers = {0: ramp.zero, NAN: ramp.not_a_number, HOVER: ramp.hover}
    lit = {0: ramp.lit_zero, NAN: ramp.lit_not_a_number}
    for level in range(1, LEVELS + 1):
        numbers[level] = step_of(level, LEVELS, ramp.positive)
        numbers[-level] = step_of(level, LEVELS, ramp.negative)
        lit[level] = step_of(level, LEVELS, ramp.lit_positive)
        lit[-level] = step_of(level, LEVELS, ramp.lit_negative)
    inks = tuple(seen(numbered, number) for number in ramp.inks)
    if ramp.white_on is None:
        ink = partial(ink_on, inks=inks)
    else:
        under_white = {seen(numbered, number) for number in ramp.white_on}
        ink = partial(_white_or_black, under_white)
    return Tones(
        {level: seen(numbered, number) for level, number in numbers.items()},
        {level: seen(numbered, number) for level, number in lit.items()},
        ink,
        seen(numbered, ramp.faint),
    )


def _white_or_black(under_white: set[Color], colour: Color) -> Color:
    return Color.parse("#ffffff" if colour in under_white else "#000000")


class Palette:
    """A colour and an ink for every level from -LEVELS to LEVELS, for NaN, for the cursor and for hover.

    `lit_colours` are those of the levels in a cell that is lit, still one for each level. `signs` says that
    the colours do not tell positive from negative, so that a glyph has to.
    """

    def __init__(self, tones: Tones, *, dark: bool, signs: bool = False) -> None:
        self.signs = signs
        paper, ink = (
            Color.parse(name) for name in (("#ffffff", "#000000") if dark else ("#000000", "#ffffff"))
        )
        self.colours = {**tones.colours, CURSOR: paper}
        self.lit_colours = tones.lit
        self._styles = {
            level: _written(colour, tones.ink_on(colour)) for level, colour in self.colours.items()
        }
        # Inverse video survives a terminal that is told to show no colour at all; colours would not.
        self._styles[CURSOR] = _written(ink, paper) + Style(bold=True, reverse=True)
        bold = Style(bold=True)
        self._lit = {
            level: _written(colour, tones.ink_on(colour)) + bold for level, colour in self.lit_colours.items()
        }
        self._over = {level: style + Style(underline=True) for level, style in self._styles.items()}
        self._lit_over = {level: style + Style(underline=True) for level, style in self._lit.items()}
        self.zero = _written(self.colours[0], tones.faint)
        """Exact zero: a fainter ink, so that the taps that carry something stand out."""

    @classmethod
    @cache
    def dark(cls) -> Palette:
        """A dark middle, for dark themes."""
        return cls(_blended(DARK), dark=True)

    @classmethod
    @cache
    def light(cls) -> Palette:
        """A light middle, for light themes."""
        return cls(_blended(LIGHT), dark=False)

    @classmethod
    @cache
    def monochrome(cls, *, dark: bool) -> Palette:
        """Greys by |value|, for NO_COLOR: the sign is left to glyphs."""
        return cls(_blended(DARK_GREY if dark else LIGHT_GREY), dark=dark, signs=True)

    @classmethod
    @cache
    def stepped(cls, depth: ColourDepth, *, dark: bool) -> Palette:
        """The colours of a terminal with few; users choose how their 16 look, so glyphs tell the sign."""
        signs = depth is ColourDepth.STANDARD
        return cls(_stepped(depth, dark=dark), dark=dark, signs=signs)

    @classmethod
    def of(
        cls,
        *,
        dark: bool,
        monochrome: bool,
        depth: ColourDepth = ColourDepth.FULL,
        signs: bool = False,
    ) -> Palette:
        """The palette for a theme and a terminal, with `signs` one whose signs are glyphs in any case."""
        if monochrome:
            palette = cls.monochrome(dark=dark)
        elif depth is not ColourDepth.FULL:
            palette = cls.stepped(depth, dark=dark)
        else:
            palette = cls.dark() if dark else cls.light()
        return palette._signed if signs and not palette.signs else palette

    @cached_property
    def _signed(self) -> Palette:
        signed = copy(self)
        signed.signs = True
        return signed

    def level(self, value: float, scale: float) -> int:
        """The level of `value` where `scale` has full colour; beyond it the colour stays full."""
        if isnan(value):
            return NAN
        if abs(value) >= scale or not scale > 0:
            return 0 if value == 0 else LEVELS if value > 0 else -LEVELS
        return round(value / scale * LEVELS)

    def style(self, level: int, *, over: bool = False, lit: bool = False) -> Style:
        """Ink on the colour of a level, underlined for a value `over` the scale, bold where it is `lit`."""
        if lit:
            return self._lit_over[level] if over else self._lit[level]
        return self._over[level] if over else self._styles[level]


class Look(NamedTuple):
    """The styles that a grid is drawn in; `ground` is what lies between the tiles."""

    palette: Palette
    ground: Style
    label: Style
    label_here: Style


def _written(paper: Color, ink: Color) -> Style:
    return Style(color=ink.rich_color, bgcolor=paper.rich_color)
