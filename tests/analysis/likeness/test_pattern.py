"""Where a difference is, in words."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tui.analysis.likeness.pattern import pattern_of

FULL = (slice(None),) * 4


def difference(*places: tuple[slice | int, ...], channels: int = 6) -> Tensor:
    """Values that differ from pixel to pixel at these places of (1, channels, 7, 9), zeros elsewhere."""
    values = 1 + torch.arange(channels * 63, dtype=torch.float64).view(1, channels, 7, 9)
    mask = torch.zeros_like(values)
    for place in places:
        mask[place] = 1
    return values * mask


ALL, TOP, LEFT = slice(None), slice(0, 1), slice(0, 2)


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([], "nowhere"),
        ([FULL], "everywhere"),
        ([(ALL, 1)], "only in out 1"),
        ([(ALL, slice(1, 4)), (ALL, 5)], "only in out 1 to 3, 5"),
        ([(ALL, ALL, TOP)], "only within 1 pixel of the border"),
        ([(ALL, ALL, slice(6, 7))], "only within 1 pixel of the border"),
        ([(ALL, ALL, ALL, LEFT)], "only within 2 pixels of the border"),
        ([(ALL, ALL, ALL, slice(6, 9))], "only within 3 pixels of the border"),
        ([(ALL, 0, TOP)], "only in out 0, within 1 pixel of the border"),
        ([(ALL, ALL, 3, 4)], "in 1.6% of the values"),
    ],
)
def test_the_words(places: list[tuple[slice | int, ...]], words: str) -> None:
    assert str(pattern_of(difference(*places))) == words


def test_scattered_channels_are_counted() -> None:
    places = [(ALL, channel) for channel in range(0, 12, 2)]
    assert str(pattern_of(difference(*places, channels=12))) == "only in 6 of 12 output channels"


def test_one_number_for_each_channel() -> None:
    pattern = pattern_of(torch.tensor([1.0, 2.0, 0.0]).view(1, 3, 1, 1).expand(2, 3, 5, 5))
    assert str(pattern) == "only in out 0 to 1, the same at every pixel"
    assert pattern.constant
    assert pattern.share == pytest.approx(2 / 3)


def test_noise_counts_as_zero() -> None:
    d = difference((ALL, 2)) + 1e-3
    assert str(pattern_of(d)) == "everywhere"
    assert str(pattern_of(d, noise=2e-3)) == "only in out 2"
    assert str(pattern_of(difference((ALL, 2)) + 1e-10)) == "only in out 2"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_a_difference(value: float) -> None:
    d = difference()
    d[0, 4, 3, 3] = value
    pattern = pattern_of(d)
    assert pattern.channels == (4,)
    assert not pattern.constant


def test_a_small_image_has_no_middle() -> None:
    assert str(pattern_of(difference(FULL)[:, :, :2, :2])) == "everywhere"
