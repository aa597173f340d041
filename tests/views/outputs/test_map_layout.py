from __future__ import annotations

import pytest
from textual.geometry import Size

from tui.views.outputs.map_layout import columns_for


@pytest.mark.parametrize(
    ("size", "room", "frame", "columns"),
    [
        ((9, 9), (80, 15), (0, 2), 4),  # colours side by side, half blocks two by two
        ((9, 9), (93, 27), (2, 2), 2),  # numbers two by two
        ((9, 9), (173, 41), (2, 2), 2),
        ((224, 224), (80, 15), (0, 2), 4),  # many more pixels
        ((56, 56), (93, 27), (2, 2), 2),  # a few more pixels
        ((4, 56), (80, 15), (0, 2), 2),
    ],
)
def test_the_nearer_level_decides_then_the_pixels_in_sight(
    size: tuple[int, int], room: tuple[int, int], frame: tuple[int, int], columns: int
) -> None:
    assert columns_for([(1, 1, *size)] * 4, Size(*room), Size(*frame), signs=False) == columns
