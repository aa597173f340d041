"""The running error analysis: by hand, against what each dtype computes, and against the block itself."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

from tests.fusion.strategies import filled_block, filled_input, specs, with_wild_norms
from tui.analysis.branch_bounds import block_bounds
from tui.analysis.budget import budget_of, budgets_of
from tui.analysis.error_bounds import Bounded, add, convolve, exact, multiply, normalise
from tui.analysis.linear_maps import Averaging, Convolution
from tui.analysis.precision import PRECISIONS, TF32, gamma
from tui.analysis.study import run
from tui.fusion.block import ReparamBlock
from tui.fusion.presets import PRESETS
from tui.fusion.spec import BlockSpec, Dtype, InputFill, PaddingMode, WeightFill

NARROW = (Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16)


def numbers(*shape: int, seed: int = 0) -> Tensor:
    """Between -1 and 1, float64."""
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def in_dtype(tensor: Tensor, dtype: Dtype) -> Tensor:
    """Rounded to the dtype."""
    return tensor.to(getattr(torch, dtype))


def one_number(value: float) -> Tensor:
    return torch.full((1, 1, 1, 1), value, dtype=torch.float64)


def test_one_product_and_a_bias_by_hand() -> None:
    u, u_acc = 2.0**-8, 2.0**-23
    bias = torch.tensor([-1.0], dtype=torch.float64)
    x = exact(one_number(3.0), [PRECISIONS[Dtype.BFLOAT16]])
    y = convolve(x, Convolution(one_number(0.5)), bias)
    errors = y.errors[0]
    assert float(y.value) == 0.5
    summing = gamma(3, u_acc) * (1.5 + 1.0)
    assert float(errors.worst) == pytest.approx(summing * (1 + u) + u * 0.5, rel=1e-5)
    assert float(errors.stored) == pytest.approx((1 + 8 * u) * u * 0.5, rel=1e-12)
    spread = u_acc**2 / 3 * 3 * (0.25 / 3 + (1.5**2 + 1.0) / 6)
    assert float(errors.variance) == pytest.approx(spread, rel=1e-5)
    assert y.peak == 0.5


def test_errors_pass_through_what_follows() -> None:
    precision = PRECISIONS[Dtype.FLOAT16]
    first = convolve(exact(one_number(1.0), [precision]), Convolution(one_number(1.0)))
    before, after = first.errors[0], convolve(first, Convolution(one_number(-4.0))).errors[0]
    assert float(after.worst) >= 4 * float(before.worst) + precision.unit * 4
    assert float(after.stored) == pytest.approx(2 * 4 * float(before.stored), rel=1e-3)
    assert float(after.variance) >= 16 * float(before.variance)


def test_a_norm_scales_the_errors_and_brings_its_own() -> None:
    precision = replace(PRECISIONS[Dtype.FLOAT32], smallest=0.0)
    x = convolve(exact(one_number(1.0), [precision]), Convolution(one_number(1.0)))
    scale, beta, shift = (torch.tensor([value], dtype=torch.float64) for value in (-2.0, 5.0, 1.0))
    y = normalise(x, scale, beta, shift)
    u = precision.unit
    own = gamma(8, u) * (2.0 + 5.0 + 1.0)
    carried = 2 * float(x.errors[0].worst)
    assert float(y.value) == 4.0
    assert float(y.errors[0].worst) == pytest.approx(own + carried + u * 4.0, rel=1e-5)
    assert float(y.errors[0].variance) == pytest.approx(4 * float(x.errors[0].variance) + own**2 / 24)


def test_two_equal_branches_may_err_alike() -> None:
    one = convolve(exact(one_number(3.0), [PRECISIONS[Dtype.FLOAT32]]), Convolution(one_number(0.7)))
    both = add(one, one).errors[0]
    assert float(both.variance) == pytest.approx(4 * float(one.errors[0].variance))


def test_gamma_grows_without_bound() -> None:
    assert gamma(3, 2.0**-10) == 3 * 2.0**-10 / (1 - 3 * 2.0**-10)
    assert gamma(1, 1.0) == math.inf


Operation = Callable[[Bounded], Bounded]

WEIGHT, BIAS, FACTORS = numbers(6, 6, 3, 3, seed=1), numbers(6, seed=2), numbers(6, seed=3) * 3
OPERATIONS: dict[str, tuple[Operation, Callable[[Tensor, Dtype], Tensor]]] = {
    "convolution": (
        lambda x: convolve(
            x, Convolution(in_dtype(WEIGHT, Dtype.BFLOAT16).double()), BIAS.bfloat16().double()
        ),
        lambda x, dtype: torch.conv2d(
            x, in_dtype(WEIGHT.bfloat16(), dtype), in_dtype(BIAS.bfloat16(), dtype)
        ),
    ),
    "average": (
        lambda x: convolve(x, Averaging((3, 5), (1, 1))),
        lambda x, dtype: nn.functional.avg_pool2d(x, (3, 5), 1),
    ),
    "scale": (
        lambda x: multiply(x, FACTORS.bfloat16().double()),
        lambda x, dtype: x * in_dtype(FACTORS.bfloat16(), dtype).view(-1, 1, 1),
    ),
    "sum": (lambda x: add(x, multiply(x, torch.ones(()))), lambda x, dtype: x + x),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", NARROW)
def test_no_operation_errs_more_than_its_bound(name: str, dtype: Dtype) -> None:
    bound, compute = OPERATIONS[name]
    x = in_dtype(numbers(2, 6, 17, 13), dtype)
    y = bound(exact(x.double(), [PRECISIONS[dtype]]))
    errors = (compute(x, dtype).double() - y.value).abs()
    assert (errors <= y.errors[0].worst).all()
    if name != "sum":  # doubling is exact
        assert errors.max() > 0.01 * y.errors[0].worst.max()


@given(specs())
def test_the_analysis_computes_the_block_itself(spec: BlockSpec) -> None:
    block, x = with_wild_norms(filled_block(spec), spec.seed), filled_input(spec)
    with torch.no_grad():
        expected = block(x)
        rows = range(spec.out_channels)
        found = block_bounds(block, exact(x, [PRECISIONS[Dtype.FLOAT64]]), rows)
    bound = found.errors[0].worst
    assert found.value.shape == expected.shape
    assert ((found.value - expected).abs() <= 2 * bound).all()


def rounded(block: ReparamBlock, dtype: Dtype) -> tuple[ReparamBlock, ReparamBlock]:
    """The block in that dtype, and the same parameters in float64."""
    narrow = copy.deepcopy(block).to(getattr(torch, dtype))
    return narrow, copy.deepcopy(narrow).double()


@given(specs(dtypes=NARROW))
def test_each_side_of_any_block_stays_within_its_bounds(spec: BlockSpec) -> None:
    narrow, wide = rounded(filled_block(spec), spec.dtype)
    x = in_dtype(filled_input(spec), spec.dtype)
    unfused = run(narrow, x).double()
    with torch.no_grad():
        precision = PRECISIONS[spec.dtype]
        bound = block_bounds(wide, exact(x.double(), [precision]), range(spec.out_channels))
        truth = run(wide, x.double())
    assert ((unfused - truth).abs() <= bound.errors[0].worst * (1 + 1e-6)).all()


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
        assert sample.at((0, 3, 2, 1)) == (
            float(sample.rigorous[0, 1, 2, 1]),
            float(sample.probable[0, 1, 2, 1]),
        )
        assert sample.at((0, 2, 0, 0)) is None


def test_the_likely_errors_are_as_large_as_the_variance_says() -> None:
    spec = replace(PRESETS["repvgg"].spec.with_in_channels(32), input_shape=(16, 16))
    narrow, wide = rounded(filled_block(spec), Dtype.FLOAT32)
    x = filled_input(spec).float()
    with torch.no_grad():
        bound = block_bounds(wide, exact(x.double(), [PRECISIONS[Dtype.FLOAT32]]), range(32))
    rms = float((run(narrow, x).double() - run(wide, x.double())).square().mean().sqrt())
    assert 0.1 < rms / float(bound.errors[0].variance.mean().sqrt()) < 1.0


def test_the_probable_budget_is_far_below_the_rigorous_one_where_sums_are_long() -> None:
    spec = replace(PRESETS["repvgg"].spec, input_shape=(5, 5))
    block, x = budget_for(spec)
    budget = budget_of(block, x, Dtype.FLOAT32)
    assert (budget.probable <= budget.rigorous).all()
    assert budget.probable.mean() < 0.05 * budget.rigorous.mean()
    assert budget_of(block, x, Dtype.FLOAT64).probable.equal(budget_of(block, x, Dtype.FLOAT64).rigorous)


def test_constant_weights_get_the_rigorous_budget() -> None:
    spec = BlockSpec(kernel_size=(7, 7), weights=WeightFill.ONES)
    budget = budget_of(filled_block(spec), filled_input(spec), Dtype.FLOAT32)
    assert budget.probable.equal(budget.rigorous)


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


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_sizes_are_bounded_from_above_and_closely(groups: int) -> None:
    x, weight = numbers(2, 6, 8, 8).abs() * 1e200, numbers(6, 6 // groups, 3, 3, seed=4) * 1e-250
    convolution = Convolution(weight, stride=(2, 1), groups=groups)
    expected = torch.conv2d(x, weight.abs(), stride=(2, 1), groups=groups)
    found = convolution.absolute(x)
    assert (found >= expected).all()
    assert (found <= expected * 1.0001).all()
    torch.testing.assert_close(
        convolution.rows([0, 4, 5]).signed(x), convolution.signed(x)[:, [0, 4, 5]], rtol=1e-12, atol=0.0
    )


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
