"""The budget: of a sample as of the whole, of one dtype as of several, and where nothing is finite."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.fusion.strategies import filled_block, filled_input, with_wild_norms
from tui.analysis.bounds.budget import budget_of, budgets_of
from tui.analysis.bounds.fused import fused_bounds
from tui.analysis.bounds.running import exact
from tui.analysis.bounds.unfused import block_bounds
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.numerics.precision import PRECISIONS, TF32
from tui.fusion.block import ReparamBlock
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, PaddingMode, WeightFill


def budget_for(spec: BlockSpec) -> tuple[ReparamBlock, Tensor]:
    return with_wild_norms(filled_block(spec)), filled_input(spec)


@pytest.mark.parametrize("groups", [1, 2, 8])
@pytest.mark.parametrize("dtype", [Dtype.FLOAT64, Dtype.FLOAT32])
def test_a_sample_has_the_bounds_of_the_whole(groups: int, dtype: Dtype) -> None:
    for name in ("dbb", "repmixer", "qarepvgg"):
        spec = replace(PRESETS[name].spec.with_in_channels(8), input_shape=(7, 6))
        spec = replace(spec, groups=8 if name == "repmixer" else groups)
        block, x = budget_for(spec)
        whole, sample = budget_of(block, x, dtype), budget_of(block, x, dtype, [6, 1, 3])
        assert (whole.sampled, sample.sampled) == (False, True)
        assert sample.channels == (1, 3, 6)
        for one, other in ((sample.rigorous, whole.rigorous), (sample.probable, whole.probable)):
            torch.testing.assert_close(one, other[:, [1, 3, 6]], rtol=1e-3, atol=0.0)
        assert sample.at(Pixel(0, 3, 2, 1)) == (
            float(sample.rigorous[0, 1, 2, 1]),
            float(sample.probable[0, 1, 2, 1]),
        )
        assert sample.at(Pixel(0, 2, 0, 0)) is None


def test_the_probable_budget_is_far_below_the_rigorous_one_where_sums_are_long() -> None:
    spec = replace(PRESETS["repvgg"].spec, input_shape=(5, 5))
    block, x = budget_for(spec)
    budget = budget_of(block, x, Dtype.FLOAT32)
    assert (budget.probable <= budget.rigorous).all()
    assert budget.probable.mean() < 0.05 * budget.rigorous.mean()
    assert budget_of(block, x, Dtype.FLOAT64).probable.equal(budget_of(block, x, Dtype.FLOAT64).rigorous)


@pytest.mark.parametrize("channels", [None, [3, 11]])
def test_the_probable_budget_is_that_of_all_1600_outputs(channels: list[int] | None) -> None:
    """sqrt(2 ln(2 * 1600 / 1e-6)) = 6.616 deviations, however many channels are looked at."""
    spec = replace(PRESETS["repvgg"].spec.with_in_channels(16), input_shape=(10, 10))
    block, x = budget_for(spec)
    rows = range(16) if channels is None else channels
    with torch.no_grad():
        unfused = block_bounds(block, exact(x, [PRECISIONS[Dtype.FLOAT32]]), rows)
        fused = fused_bounds(
            block, block.kernel(), exact(x, [PRECISIONS[Dtype.FLOAT32]]), unfused.value, rows
        )
    (one,), (other,) = unfused.errors, fused.errors
    expected = one.stored + other.stored + 6.616 * (one.variance + other.variance).sqrt()
    budget = budget_of(block, x, Dtype.FLOAT32, channels)
    assert (expected < budget.rigorous).all()
    torch.testing.assert_close(budget.probable, expected, rtol=1e-4, atol=0.0)


def test_a_fused_weight_that_float16_cannot_hold_overflows() -> None:
    """100 * 1000 in the fused kernel; on the unfused side nothing is larger than 1000."""
    spec = BlockSpec(1, 1, branches=parse_branches("kxk-bias+alpha"), dtype=Dtype.FLOAT16)
    block, x = filled_block(spec), torch.full_like(filled_input(spec), 1e-4)
    with torch.no_grad():
        for name, parameter in block.named_parameters():
            parameter.fill_(1000.0 if name.endswith("factor") else 100.0)
            if parameter.dim() == 4:
                parameter[0, 0, 0, 0] = 99.0
    budget = budget_of(block, x, Dtype.FLOAT16)
    assert budget.peak == 1e5
    assert budget.overflows
    with torch.no_grad():
        assert float(block(x).abs().max()) < 100
        assert block.half().fuse().weight.isinf().any()


def test_equal_products_get_the_rigorous_budget_and_products_of_varied_pixels_do_not() -> None:
    spec = BlockSpec(kernel_size=(7, 7), weights=WeightFill.ONES, input=InputFill.ONES)
    budget = budget_of(filled_block(spec), filled_input(spec), Dtype.FLOAT32)
    assert budget.probable.equal(budget.rigorous)
    varied = replace(spec, input=InputFill.RANDOM)
    budget = budget_of(filled_block(varied), filled_input(varied), Dtype.FLOAT32)
    assert budget.probable.max() < 0.3 * budget.rigorous.max()


def test_several_dtypes_in_one_walk_are_each_as_alone() -> None:
    block, x = budget_for(replace(PRESETS["dbb"].spec.with_in_channels(4), input_shape=(5, 5)))
    for together in budgets_of(block, x, list(Dtype)):
        alone = budget_of(block, x, together.dtype)
        torch.testing.assert_close(together.rigorous, alone.rigorous, rtol=1e-4, atol=0.0)
        torch.testing.assert_close(together.probable, alone.probable, rtol=1e-4, atol=0.0)
        assert together.peak == alone.peak


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("where", ["input", "weight"])
def test_what_is_not_finite_has_no_bound_and_breaks_nothing(value: float, where: str) -> None:
    spec = replace(PRESETS["dbb"].spec.with_in_channels(4), input_shape=(9, 9), input=InputFill.RANDOM)
    block, x = budget_for(spec)
    with torch.no_grad():
        target = x if where == "input" else next(block.parameters())
        target.view(-1)[0] = value
    for budget in budgets_of(block, x, list(Dtype)):
        assert not budget.rigorous.isnan().any()
        assert not budget.probable.isnan().any()
        assert budget.rigorous.isinf().any()
        assert budget.rigorous.isfinite().any()


def test_tf32_is_coarser_than_float32_and_finer_than_nothing() -> None:
    block, x = budget_for(replace(PRESETS["repvgg"].spec.with_in_channels(4), input_shape=(5, 5)))
    budget = budget_of(block, x, Dtype.FLOAT32)
    assert budget.tf32 is not None
    ratio = budget.tf32() / budget.rigorous
    assert ratio.min() > 10
    assert ratio.max() < TF32.product / PRECISIONS[Dtype.FLOAT32].unit
    assert budget_of(block, x, Dtype.FLOAT64).tf32 is None


def test_padding_copies_the_errors_with_the_values() -> None:
    spec = BlockSpec(padding_mode=PaddingMode.REFLECT, input_shape=(5, 5))
    block, x = filled_block(spec), filled_input(spec)
    budget = budget_of(block, x, Dtype.FLOAT32)
    assert budget.rigorous.shape == (1, 2, 5, 5)
    assert budget.rigorous[..., 0, 0].min() > 0.5 * budget.rigorous[..., 2, 2].min()
