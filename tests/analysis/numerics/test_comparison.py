"""Comparing two outputs: by hand, with NaN and infinity, in every dtype."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tui.analysis.numerics.comparison import compare
from tui.analysis.numerics.outputs import Outputs

ZEROS = torch.zeros(2, 3, 4, 5)


def with_values(*values: tuple[tuple[int, int, int, int], float]) -> Tensor:
    """ZEROS with a few values set."""
    y = ZEROS.clone()
    for place, value in values:
        y[place] = value
    return y


def test_figures_by_hand() -> None:
    unfused = with_values(((0, 0, 0, 0), -8.0), ((1, 2, 3, 4), 3.0))
    fused = with_values(((0, 0, 0, 0), -8.0), ((1, 2, 3, 4), 1.0), ((0, 1, 0, 0), 0.5))
    result = compare(Outputs(unfused, fused))
    assert result.max_abs_diff == 2.0
    assert result.worst == (1, 2, 3, 4)
    assert (result.fused, result.unfused) == (1.0, 3.0)
    assert result.mean_abs_diff == pytest.approx(2.5 / 120, rel=1e-15)
    assert result.max_abs == 8.0
    assert result.non_finite == 0
    assert result.allclose is False


def test_equal_outputs_differ_by_nothing() -> None:
    y = with_values(((1, 0, 2, 3), 5.0))
    result = compare(Outputs(y.clone(), y))
    assert (result.max_abs_diff, result.mean_abs_diff, result.worst) == (0.0, 0.0, (0, 0, 0, 0))
    assert result.allclose is True


def test_the_first_of_equally_bad_places_is_told() -> None:
    fused = with_values(((0, 2, 1, 1), 1.0), ((1, 0, 0, 0), -1.0))
    assert compare(Outputs(ZEROS, fused)).worst == (0, 2, 1, 1)


def test_allclose_is_torchs_with_its_own_tolerances() -> None:
    one = torch.ones(1, 1, 1, 2)
    assert compare(Outputs(one, one * (1 + 9e-6))).allclose
    assert not compare(Outputs(one, one * (1 + 2e-5))).allclose


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_the_difference_is_taken_in_float64(dtype: torch.dtype) -> None:
    fused, unfused = torch.ones(1, 1, 1, 1, dtype=dtype), torch.full((1, 1, 1, 1), 2.0**-12, dtype=dtype)
    assert compare(Outputs(unfused, fused)).max_abs_diff == 1 - 2.0**-12


PLACE = (1, 1, 2, 0)


@pytest.mark.parametrize(
    ("fused", "unfused", "difference"),
    [
        (math.nan, 1.0, math.inf),
        (1.0, math.nan, math.inf),
        (math.inf, 1.0, math.inf),
        (1.0, -math.inf, math.inf),
        (math.inf, -math.inf, math.inf),
        (math.nan, math.inf, math.inf),
        (math.inf, math.inf, 0.0),
        (-math.inf, -math.inf, 0.0),
        (math.nan, math.nan, 0.0),
    ],
)
def test_what_is_not_finite_differs_unless_both_are_the_same(
    fused: float, unfused: float, difference: float
) -> None:
    result = compare(
        Outputs(with_values((PLACE, unfused), ((0, 0, 0, 0), -2.0)), with_values((PLACE, fused)))
    )
    assert result.max_abs_diff == max(2.0, difference)
    assert result.worst == (PLACE if difference else (0, 0, 0, 0))
    assert result.non_finite == 1
    assert result.max_abs == 2.0
    assert not math.isnan(result.mean_abs_diff)


def test_non_finite_elements_of_either_side_are_counted() -> None:
    fused = with_values(((0, 0, 0, 0), math.nan), ((0, 0, 0, 1), math.inf))
    unfused = with_values(((0, 0, 0, 1), math.inf), ((0, 0, 0, 2), -math.inf))
    assert compare(Outputs(unfused, fused)).non_finite == 3


def test_outputs_of_different_shapes_are_no_comparison() -> None:
    with pytest.raises(ValueError, match=r"fused output is \(1, 1, 1, 5\), the unfused one \(1, 1, 1, 4\)"):
        compare(Outputs(torch.zeros(1, 1, 1, 4), torch.zeros(1, 1, 1, 5)))


def test_comparing_changes_neither_output() -> None:
    fused, unfused = with_values((PLACE, 3.0)).double(), ZEROS.double()
    compare(Outputs(unfused, fused))
    assert torch.equal(fused, with_values((PLACE, 3.0)).double())
    assert torch.equal(unfused, ZEROS.double())
