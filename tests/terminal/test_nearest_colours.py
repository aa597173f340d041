from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tui.terminal.colour_depth import ColourDepth
from tui.terminal.nearest_colours import NearestColours

EIGHT_BIT = NearestColours(ColourDepth.EIGHT_BIT)
STANDARD = NearestColours(ColourDepth.STANDARD)
BLACK = Color(0, 0, 0)


def shown(line_filter: NearestColours, style: Style | str, text: str = "x") -> Style:
    parsed = Style.parse(style) if isinstance(style, str) else style
    (segment,) = line_filter.apply([Segment(text, parsed)], BLACK)
    assert segment.text == text
    assert segment.style is not None
    return segment.style


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_no_colour_that_users_set_for_themselves_is_used_of_256(rgb: tuple[int, int, int]) -> None:
    assert 16 <= EIGHT_BIT.nearest(RichColor.from_rgb(*rgb)) <= 255
    assert 0 <= STANDARD.nearest(RichColor.from_rgb(*rgb)) <= 15


@pytest.mark.parametrize(
    ("colour", "number"),
    [("#000000", 16), ("#ffffff", 231), ("#121212", 233), ("#5f87ff", 69), ("#5e88fe", 69), ("#080808", 232)],
)
def test_the_nearest_of_256(colour: str, number: int) -> None:
    assert EIGHT_BIT.nearest(RichColor.parse(colour)) == number


@pytest.mark.parametrize(
    ("colour", "number"), [("#000000", 0), ("#0a0a20", 0), ("#5050f0", 12), ("#fbfbfa", 15)]
)
def test_the_nearest_of_16(colour: str, number: int) -> None:
    assert STANDARD.nearest(RichColor.parse(colour)) == number


@pytest.mark.parametrize("line_filter", [EIGHT_BIT, STANDARD])
def test_ink_that_differs_from_its_paper_still_does(line_filter: NearestColours) -> None:
    style = shown(line_filter, "#161a20 on #15191f")
    assert style.color != style.bgcolor
    hidden = shown(line_filter, "#15191f on #15191f")
    assert hidden.color is not None
    assert hidden.bgcolor is not None
    assert hidden.color.number == hidden.bgcolor.number


@pytest.mark.parametrize("line_filter", [EIGHT_BIT, STANDARD])
def test_the_terminals_own_colours_and_all_else_stay(line_filter: NearestColours) -> None:
    assert shown(line_filter, "bold underline reverse default on default") == Style.parse(
        "bold underline reverse default on default"
    )
    assert shown(line_filter, Style(meta={"@click": "app.quit"}, bold=True)).meta == {"@click": "app.quit"}
    assert line_filter.apply([Segment("x")], BLACK) == [Segment("x")]
