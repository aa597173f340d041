from __future__ import annotations

import math

import pytest
import torch

from tui.analysis.numerics.figures import figures_of
from tui.analysis.numerics.outputs import Outputs


def test_the_figures_are_those_worked_out_by_hand() -> None:
    unfused = torch.tensor([3.0, -4.0, 0.0, 12.0]).reshape(1, 1, 2, 2)  # of norm 13
    fused = unfused + torch.tensor([0.0, 0.5, -1.0, 0.25]).reshape(1, 1, 2, 2)
    figures = figures_of(Outputs(unfused, fused))
    error = math.sqrt(0.5**2 + 1 + 0.25**2)
    assert figures.relative_error == pytest.approx(error / 13, rel=1e-15)
    assert figures.median_abs_diff == 0.25
    assert figures.abs_diff_99_9 == 1.0
    assert figures.sqnr_db == pytest.approx(10 * math.log10(169 / error**2), rel=1e-14)
    dot = 3 * 3 + 4 * 3.5 + 12 * 12.25
    assert figures.cosine == pytest.approx(dot / (13 * math.hypot(3, 3.5, 1, 12.25)), rel=1e-15)


def test_a_quantile_is_an_element_that_is_there() -> None:
    unfused = torch.zeros(1, 1, 40, 50)
    fused = torch.arange(1.0, 2001.0)[torch.randperm(2000)].reshape(unfused.shape)
    figures = figures_of(Outputs(unfused, fused))
    assert (figures.median_abs_diff, figures.abs_diff_99_9) == (1000.0, 1998.0)
    assert math.isnan(figures.relative_error)
    assert math.isnan(figures.cosine)


def test_equal_outputs_have_no_noise() -> None:
    same = torch.tensor([1.0, -2.0]).reshape(1, 1, 1, 2)
    figures = figures_of(Outputs(same, same.clone()))
    assert (figures.relative_error, figures.abs_diff_99_9, figures.sqnr_db) == (0.0, 0.0, math.inf)
    assert figures.cosine == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_makes_no_error(value: float) -> None:
    unfused = torch.tensor([1.0, value]).reshape(1, 1, 1, 2)
    figures = figures_of(Outputs(unfused, unfused + 1))
    assert not math.isfinite(figures.relative_error)
    assert not math.isfinite(figures.cosine)
