"""A bar: as long as its share, never blank where there is one."""

from __future__ import annotations

import math

import pytest

from tui.widgets.bar import bar


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "    "),
        (math.nan, "    "),
        (1e-9, "╸   "),
        (0.125, "╸   "),
        (0.5, "━━  "),
        (0.6, "━━╸ "),
        (0.99, "━━━━"),
        (1, "━━━━"),
        (7.5, "━━━━"),
        (math.inf, "━━━━"),
    ],
)
def test_bar(share: float, text: str) -> None:
    assert bar(share, 4) == text
