from __future__ import annotations

from math import inf, nan

import pytest

from tui.widgets.grid.glyphs import glyph, shade


@pytest.mark.parametrize(
    ("value", "plain", "signed"),
    [
        (nan, "×", "×"),
        (inf, "∞", "∞"),
        (-inf, "∞", "∞"),
        (1.5, "▴", "▴"),
        (-1.5, "▾", "▾"),
        (1.0, " ", "+"),
        (-1.0, " ", "-"),
        (1e-30, " ", "+"),
        (-1e-30, " ", "-"),
        (0.0, " ", "·"),
        (-0.0, " ", "·"),
    ],
)
def test_a_glyph_tells_what_the_colour_can_not(value: float, plain: str, signed: str) -> None:
    assert glyph(value, 1.0) == plain
    assert glyph(value, 1.0, signs=True) == signed


def test_a_shade_grows_with_the_value_and_only_zero_has_none() -> None:
    assert "".join(shade(step / 8, 1.0) for step in range(10)) == "·░░▒▒▒▓███"
    assert shade(1e-9, 1.0) == "░"


def test_a_shade_marks_what_is_no_number() -> None:
    assert shade(nan, 1.0) == "×"
    assert shade(inf, 1.0) == "█"
