"""Sums of products against rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.analysis.numerics.exact_sum import exact_dot, rounded

numbers = st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda value: value == 0 or abs(value) > 1e-9)


@settings(max_examples=40)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), numbers)
def test_is_the_rational_sum_rounded_once(pairs: list[tuple[float, float]], offset: float) -> None:
    exact = sum((Fraction(left) * Fraction(right) for left, right in pairs), Fraction(offset))
    left, right = torch.tensor(pairs, dtype=torch.float64).unbind(1)
    assert exact_dot(left, right, offset) == float(exact)


def test_keeps_what_a_plain_sum_loses() -> None:
    left = torch.tensor([1e16, 1.0, -1e16], dtype=torch.float64)
    assert exact_dot(left, torch.ones_like(left)) == 1
    third = torch.tensor([1 / 3], dtype=torch.float64)
    assert exact_dot(third, third, -float(third * third)) != 0


@pytest.mark.parametrize(
    ("values", "result"),
    [([math.inf, 1.0], math.inf), ([math.inf, -math.inf], math.nan), ([math.nan], math.nan)],
)
def test_infinite_and_nan_come_out_as_in_a_plain_sum(values: list[float], result: float) -> None:
    left = torch.tensor(values, dtype=torch.float64)
    assert exact_dot(left, torch.ones_like(left)) == pytest.approx(result, nan_ok=True)


def test_a_sum_beyond_float64_is_infinite() -> None:
    left = torch.tensor([1.5e308, 1.5e308], dtype=torch.float64)
    assert exact_dot(left, torch.ones_like(left)) == math.inf


def test_rounded_gives_what_the_dtype_holds() -> None:
    assert rounded(1 + 2.0**-9, torch.bfloat16) == 1
    assert rounded(70000.0, torch.float16) == math.inf
    assert rounded(0.1, torch.float64) == 0.1
