"""Distances in ulps: against the bits of the numbers themselves, and counted one by one."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tui.analysis.dtypes.ulp_histogram import ulp_histogram, ulps_apart
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.precision import FINEST_FIRST
from tui.fusion.specs.block_spec import Dtype

BITS = {
    Dtype.FLOAT64: torch.int64,
    Dtype.FLOAT32: torch.int32,
    Dtype.FLOAT16: torch.int16,
    Dtype.BFLOAT16: torch.int16,
}


def some_numbers(dtype: Dtype) -> Tensor:
    """Of both signs and many sizes, two thirds of the way from one power of two to the next."""
    sizes = torch.arange(-14.0, 15.0, dtype=torch.float64)
    numbers = 2.0**sizes * 5 / 3
    own: torch.dtype = getattr(torch, dtype)
    return torch.cat([numbers, -numbers]).to(own)


@pytest.mark.parametrize("dtype", FINEST_FIRST)
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 17])
def test_each_step_to_the_next_number_is_an_ulp(dtype: Dtype, steps: int) -> None:
    numbers = some_numbers(dtype)
    others = (numbers.view(BITS[dtype]) + steps).view(numbers.dtype)
    assert ulps_apart(others, numbers).tolist() == [steps] * len(numbers)
    assert ulps_apart(numbers, others).tolist() == [steps] * len(numbers)


@pytest.mark.parametrize("dtype", FINEST_FIRST)
def test_below_a_power_of_two_it_is_half_an_ulp(dtype: Dtype) -> None:
    one = torch.ones(1, dtype=getattr(torch, dtype))
    below = (one.view(BITS[dtype]) - 1).view(one.dtype)
    assert ulps_apart(one, below).item() == 0.5


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.FLOAT16, Dtype.BFLOAT16])
def test_near_zero_the_spacing_is_the_smallest_number(dtype: Dtype) -> None:
    three = torch.tensor([3], dtype=BITS[dtype]).view(getattr(torch, dtype))
    assert ulps_apart(three, -three).item() == 6
    assert ulps_apart(three, torch.zeros_like(three)).item() == 3


def test_every_distance_falls_into_its_bin() -> None:
    distances = [0, 0, 0, 1, 2, 2, 3, 4, 5, 8, 9, 16, 17, 999]
    unfused = torch.full((len(distances),), 1.25)
    fused = (unfused.view(torch.int32) + torch.tensor(distances, dtype=torch.int32)).view(torch.float32)
    unfused = torch.cat([unfused, torch.tensor([math.nan, math.inf, 1.0])])
    fused = torch.cat([fused, torch.tensor([math.nan, 1.0, -math.inf])])
    histogram = ulp_histogram(Outputs(unfused, fused))
    assert histogram.counts == (3, 1, 2, 2, 2, 2, 2)
    assert len(histogram.counts) == len(histogram.edges) + 1
    assert (histogram.elements, histogram.left_out) == (len(distances), 3)


def test_outputs_that_can_not_be_compared_are_refused() -> None:
    with pytest.raises(ValueError, match="shape or dtype"):
        ulp_histogram(Outputs(torch.zeros(2), torch.zeros(3)))
    with pytest.raises(ValueError, match="shape or dtype"):
        ulp_histogram(Outputs(torch.zeros(2), torch.zeros(2).double()))


def test_half_an_ulp_is_more_than_none() -> None:
    below = torch.tensor([1 - 2.0**-24])
    assert ulp_histogram(Outputs(below, torch.ones(1))).counts == (0, 1, 0, 0, 0, 0, 0)
    assert ulp_histogram(Outputs(torch.ones(1), below)).counts == (0, 1, 0, 0, 0, 0, 0)
