from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color

from tui.widgets.grid.colour import contrast, luminance
from tui.widgets.grid.palette import CURSOR, HOVER, LEVELS, NAN, READABLE, Palette

SCALE_LEVELS = range(-LEVELS, LEVELS + 1)
ALL = [Palette.of(dark=dark, monochrome=monochrome) for dark in (True, False) for monochrome in (False, True)]
COLOURED = [Palette.dark(), Palette.light()]


def seen(part: RichColor | None) -> Color:
    assert part is not None
    return Color.from_rich_color(part)


def ink_and_paper(style: Style) -> tuple[Color, Color]:
    ink, paper = seen(style.color), seen(style.bgcolor)
    return (paper, ink) if style.reverse else (ink, paper)


@pytest.mark.parametrize("palette", ALL)
@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize("level", [*SCALE_LEVELS, NAN, CURSOR, HOVER])
def test_every_level_can_be_read(palette: Palette, level: int, over: bool) -> None:
    ink, paper = ink_and_paper(palette.style(level, over=over))
    assert contrast(ink, paper) >= READABLE
    assert paper == palette.colours[level]


@pytest.mark.parametrize("palette", ALL)
@pytest.mark.parametrize("level", [*SCALE_LEVELS, NAN])
def test_a_lit_level_can_be_read_and_told_from_the_same_one_that_is_not(palette: Palette, level: int) -> None:
    style = palette.style(level, lit=True)
    ink, paper = ink_and_paper(style)
    assert contrast(ink, paper) >= READABLE
    plain = palette.colours[level]
    assert max(abs(a - b) for a, b in zip(paper.rgb, plain.rgb, strict=True)) > 30
    assert style.bold
    assert not palette.style(level).bold


@pytest.mark.parametrize("palette", ALL)
def test_exact_zero_recedes_and_can_still_be_read(palette: Palette) -> None:
    faint, paper = ink_and_paper(palette.zero)
    plain, _ = ink_and_paper(palette.style(0))
    assert READABLE <= contrast(faint, paper) < contrast(plain, paper)


@pytest.mark.parametrize("palette", ALL)
def test_larger_values_lie_farther_from_the_middle(palette: Palette) -> None:
    middle = luminance(palette.colours[0])
    for sign in (1, -1):
        distances = [abs(luminance(palette.colours[sign * level]) - middle) for level in range(LEVELS + 1)]
        assert distances == sorted(distances)
        assert len(set(distances)) == LEVELS + 1


@pytest.mark.parametrize("palette", COLOURED)
@pytest.mark.parametrize("level", range(2, LEVELS + 1))
def test_positive_is_blue_and_negative_orange(palette: Palette, level: int) -> None:
    positive, negative = palette.colours[level], palette.colours[-level]
    assert positive.b > positive.g > positive.r
    assert negative.r > negative.g > negative.b


@pytest.mark.parametrize("palette", COLOURED)
def test_blue_and_orange_stay_apart_for_eyes_without_red_cones(palette: Palette) -> None:
    # Blue against yellow is what they have left, and there the two sides lie on either side of zero.
    zero = palette.colours[0]
    for level in range(3, LEVELS + 1):
        positive, negative = palette.colours[level], palette.colours[-level]
        assert positive.b - positive.g > zero.b - zero.g > negative.b - negative.g


@pytest.mark.parametrize("dark", [True, False])
def test_greys_tell_size_and_leave_the_sign_to_glyphs(dark: bool) -> None:
    palette = Palette.monochrome(dark=dark)
    assert palette.signs
    assert all(palette.colours[level] == palette.colours[-level] for level in SCALE_LEVELS)
    assert all(colour.r == colour.g == colour.b for colour in map(palette.colours.__getitem__, SCALE_LEVELS))
    for level in SCALE_LEVELS:
        ink, paper = ink_and_paper(palette.style(level))
        assert (luminance(ink) > luminance(paper)) == dark


def test_the_middle_is_dark_on_dark_themes_and_light_on_light_ones() -> None:
    assert Palette.dark().colours[0].hex == "#1E2127"
    assert luminance(Palette.light().colours[0]) > 0.8


@pytest.mark.parametrize("palette", ALL)
def test_33_colours_show_the_scale_and_17_greys(palette: Palette) -> None:
    values = [step / 1000 for step in range(-1000, 1001)]
    shown = {palette.colours[palette.level(value, 1.0)] for value in values}
    assert len(shown) == (17 if palette.signs else 33)


@pytest.mark.parametrize(
    ("value", "scale", "level"),
    [
        (0.0, 1.0, 0),
        (0.5, 1.0, LEVELS // 2),
        (-0.5, 1.0, -LEVELS // 2),
        (1.0, 1.0, LEVELS),
        (-7.0, 1.0, -LEVELS),
        (inf, 1.0, LEVELS),
        (-inf, 1.0, -LEVELS),
        (nan, 1.0, NAN),
        (nan, nan, NAN),
        (0.0, 0.0, 0),
        (1e-30, 0.0, LEVELS),
        (1.0, nan, LEVELS),
        (0.0, nan, 0),
        (1.0, inf, 0),
        (5e-324, 1e-310, 0),
    ],
)
def test_the_level_of_a_value(value: float, scale: float, level: int) -> None:
    assert Palette.dark().level(value, scale) == level


@given(st.floats(allow_nan=False), st.floats(min_value=0, allow_nan=False))
def test_a_value_and_its_negative_mirror_each_other(value: float, scale: float) -> None:
    palette = Palette.dark()
    assert palette.level(-value, scale) == -palette.level(value, scale)
    assert abs(palette.level(value, scale)) <= LEVELS


def test_styles_are_made_once() -> None:
    assert Palette.of(dark=True, monochrome=False) is Palette.dark()
    assert Palette.dark().style(3) is Palette.dark().style(3)
    assert Palette.dark().style(3, over=True) is Palette.dark().style(3, over=True)
