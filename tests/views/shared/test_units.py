"""The unit in which a difference is written into the cells of a grid."""

from __future__ import annotations

import math

import pytest

from tui.views.shared.units import unit_of


@pytest.mark.parametrize(
    ("largest", "size", "words"),
    [
        (2.4e-7, 1e-7, "in 1e-07"),
        (0.099, 0.01, "in 1e-02"),
        (0.1, 1.0, ""),
        (4.0, 1.0, ""),
        (999.0, 1.0, ""),
        (1234.0, 1000.0, "in 1e+03"),
        (0.0, 1.0, ""),
        (None, 1.0, ""),
        (math.inf, 1.0, ""),
    ],
)
def test_unit(largest: float | None, size: float, words: str) -> None:
    unit = unit_of(largest)
    assert unit.size == pytest.approx(size)
    assert unit.words == words
