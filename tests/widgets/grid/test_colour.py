from __future__ import annotations

import pytest
from textual.color import Color

from tui.widgets.grid.colour import blend, contrast, luminance

BLACK, WHITE = Color(0, 0, 0), Color(255, 255, 255)


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast(WHITE, WHITE) == pytest.approx(1)


def test_green_is_brighter_than_red_and_red_than_blue() -> None:
    red, green, blue = (luminance(Color.parse(name)) for name in ("#ff0000", "#00ff00", "#0000ff"))
    assert green > red > blue


@pytest.mark.parametrize("name", ["#1e2127", "#4a90f5", "#ffd6a0", "#000000", "#ffffff"])
def test_a_blend_ends_in_its_ends(name: str) -> None:
    end = Color.parse(name)
    assert blend(WHITE, end, 1.0).hex == end.hex
    assert blend(end, BLACK, 0.0).hex == end.hex


def test_half_way_from_black_to_white_is_the_middle_grey_of_oklab() -> None:
    assert blend(BLACK, WHITE, 0.5).rgb == (99, 99, 99)
