"""The magnitude of weights: by hand, without what is not finite, and of several kernels together."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tui.analysis.numerics.magnitude import Magnitude, magnitude_of, together
from tui.fusion.kernel import Kernel

finite = st.floats(-1e3, 1e3)


def kernel(*values: float, dtype: torch.dtype = torch.float64) -> Kernel:
    return Kernel(torch.tensor(values, dtype=dtype).view(-1, 1, 1, 1), torch.full((len(values),), 1e6))


def test_by_hand() -> None:
    magnitude = magnitude_of(kernel(1, -4, 2, 0))
    assert magnitude == Magnitude(max_abs=4, sum_of_squares=21, count=4)
    assert magnitude.rms == math.sqrt(21 / 4)


def test_what_is_not_finite_is_left_out() -> None:
    assert magnitude_of(kernel(3, math.nan, math.inf, -math.inf)) == Magnitude(3, 9, 1)
    nothing = magnitude_of(kernel(math.nan))
    assert nothing == Magnitude(0, 0, 0)
    assert nothing.rms == 0


def test_squares_do_not_overflow_in_float16() -> None:
    assert magnitude_of(kernel(60_000, dtype=torch.float16)) == Magnitude(60_000, 60_000**2, 1)


@given(st.lists(st.lists(finite, min_size=1, max_size=5), min_size=1, max_size=4))
def test_several_kernels_are_as_one_of_all_their_weights(groups: list[list[float]]) -> None:
    every = together(magnitude_of(kernel(*group)) for group in groups)
    as_one = magnitude_of(kernel(*(value for group in groups for value in group)))
    assert every.max_abs == as_one.max_abs
    assert every.count == as_one.count
    assert every.sum_of_squares == pytest.approx(as_one.sum_of_squares)


def test_nothing_together_is_nothing() -> None:
    assert together([]) == Magnitude(0, 0, 0)
