"""The figures that other tools print, in one line."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from tui.analysis.numerics.figures import Figures
from tui.views.rounding.figures_words import figures_words


def row(*figures: float) -> Any:
    return SimpleNamespace(figures=Figures(*figures))


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (
            (3.14e-8, 0.0, 5.96e-8, 150.06, 1.0000000000000002),
            "relative 3.1e-08  half ≤ 0  99.9 % ≤ 6.0e-08  SQNR 150 dB  cosine 1",
        ),
        (
            (0.0, 0.0, 0.0, math.inf, 1.0),
            "relative 0  half ≤ 0  99.9 % ≤ 0  SQNR infinite  cosine 1",
        ),
        (
            (0.9, 0.5, 2.0, 0.915, 0.4359),
            "relative 0.9  half ≤ 0.5  99.9 % ≤ 2  SQNR 1 dB  cosine 0.4359",
        ),
        (
            (math.nan, math.nan, math.inf, math.nan, math.nan),
            "relative nan  half ≤ nan  99.9 % ≤ inf  SQNR nan  cosine nan",
        ),
    ],
)
def test_one_line(figures: tuple[float, ...], words: str) -> None:
    assert figures_words(row(*figures)).plain == f"As others say  {words}"
