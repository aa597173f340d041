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
from tui.analysis.bounds.fold_sizes import fold_sizes
from tui.analysis.bounds.fused import fused_bounds
from tui.analysis.bounds.linear_maps import Averaging, Convolution
from tui.analysis.bounds.running import Bounded, add, convolve, exact, multiply, normalise, store
from tui.analysis.bounds.unfused import block_bounds
from tui.analysis.numerics.precision import PRECISIONS, Precision, gamma_n
from tui.analysis.verdict.runs import run
from tui.fusion.block import ReparamBlock
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel
from tui.fusion.kernel import add as add_kernels
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype

pytestmark = pytest.mark.usefixtures("without_onednn")

NARROW = (Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16)

Operation = Callable[[Bounded], Bounded]


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
    summing = gamma_n(3, u_acc) * (1.5 + 1.0)
    assert float(errors.worst) == pytest.approx(summing * (1 + u) + u * 0.5, rel=1e-5, abs=0.0)
    assert float(errors.stored) == pytest.approx((1 + 8 * u) * u * 0.5, rel=1e-12, abs=0.0)
    spread = u_acc**2 / 3 * 3 * (0.25 / 3 + (1.5**2 + 1.0) / 6)
    assert float(errors.variance) == pytest.approx(spread, rel=1e-5, abs=0.0)
    assert y.peak == 0.5


def test_errors_pass_through_what_follows() -> None:
    precision = PRECISIONS[Dtype.FLOAT16]
    first = convolve(exact(one_number(1.0), [precision]), Convolution(one_number(1.0)))
    before, after = first.errors[0], convolve(first, Convolution(one_number(-4.0))).errors[0]
    assert float(after.worst) >= 4 * float(before.worst) + precision.unit * 4
    assert float(after.stored) == pytest.approx(2 * 4 * float(before.stored), rel=1e-3, abs=0.0)
    assert float(after.variance) >= 16 * float(before.variance)


def test_a_norm_scales_the_errors_and_brings_its_own() -> None:
    precision = replace(PRECISIONS[Dtype.FLOAT32], smallest=0.0)
    x = convolve(exact(one_number(1.0), [precision]), Convolution(one_number(1.0)))
    scale, beta, shift = (torch.tensor([value], dtype=torch.float64) for value in (-2.0, 5.0, 1.0))
    y = normalise(x, scale, beta, shift)
    u = precision.unit
    own = gamma_n(8, u) * (2.0 + 5.0 + 1.0)
    carried = 2 * float(x.errors[0].worst)
    assert float(y.value) == 4.0
    assert float(y.errors[0].worst) == pytest.approx(own + carried + u * 4.0, rel=1e-5, abs=0.0)
    assert float(y.errors[0].variance) == pytest.approx(
        4 * float(x.errors[0].variance) + own**2 / 24, abs=0.0
    )


def test_two_equal_branches_may_err_alike() -> None:
    one = convolve(exact(one_number(3.0), [PRECISIONS[Dtype.FLOAT32]]), Convolution(one_number(0.7)))
    both = add(one, one).errors[0]
    assert float(both.variance) == pytest.approx(4 * float(one.errors[0].variance), abs=0.0)


def test_gamma_grows_without_bound() -> None:
    assert gamma_n(3, 2.0**-10) == 3 * 2.0**-10 / (1 - 3 * 2.0**-10)
    assert gamma_n(1, 1.0) == math.inf


def peak_first(value: float = 1e5) -> Bounded:
    """1 times 1e5 and back to 1, as float16 cannot hold it on the way."""
    large = convolve(exact(one_number(1.0), [PRECISIONS[Dtype.FLOAT16]]), Convolution(one_number(value)))
    return convolve(large, Convolution(one_number(1 / value)))


@pytest.mark.parametrize(
    "then",
    [
        lambda x: x,
        lambda x: normalise(x, torch.ones(1, dtype=torch.float64)),
        lambda x: multiply(x, torch.ones(())),
        lambda x: add(x, exact(one_number(1.0), [PRECISIONS[Dtype.FLOAT16]])),
        lambda x: add(exact(one_number(1.0), [PRECISIONS[Dtype.FLOAT16]]), x),
        lambda x: store(x, x.value),
    ],
    ids=["convolve", "normalise", "multiply", "add", "add to", "store"],
)
def test_the_largest_number_on_the_way_is_not_forgotten(then: Operation) -> None:
    y = then(peak_first())
    assert float(y.value.abs()) < 3
    assert y.peak == 1e5


def test_products_that_float32_cannot_hold_are_in_the_bounds() -> None:
    """64 products of 2^-150 come to 2^-144 = 4.48e-44; each alone becomes 0."""
    spec = BlockSpec(64, 1, kernel_size=(1, 1), input_shape=(1, 1), branches=parse_branches("kxk-bias"))
    block, x = filled_block(spec), torch.full((1, 64, 1, 1), 2.0**-75, dtype=torch.float64)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.fill_(2.0**-75)
        leaf = exact(x, [PRECISIONS[Dtype.FLOAT32]])
        unfused = block_bounds(block, leaf, range(1))
        fused = fused_bounds(block, block.kernel(), leaf, unfused.value, range(1))
        found = block.float()(x.float())
    error = abs(float(found) - 2.0**-144)
    assert error == pytest.approx(4.48e-44, rel=1e-2, abs=0.0)
    for side in (unfused, fused):
        assert error < float(side.errors[0].worst) == pytest.approx(66 * 2.0**-126, rel=1e-2, abs=0.0)


def test_a_rounded_weight_is_what_the_errors_of_the_sum_are_relative_to() -> None:
    """Of second order, so an arithmetic of three bits shows it: a weight up by u, then n + 2 roundings up."""
    u, u_acc = 2.0**-2, 2.0**-4
    coarse = Precision(u, u_acc, smallest=0.0, underflow=0.0, largest=math.inf, largest_sum=math.inf)
    spec = BlockSpec(1, 1, kernel_size=(1, 1), input_shape=(1, 1), branches=parse_branches("kxk-bias+alpha"))
    block = filled_block(spec)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.fill_(1.0)
        bound = fused_bounds(
            block, block.kernel(), exact(one_number(1.0), [coarse]), one_number(1.0), range(1)
        )
    reached = (1 + u) * (1 + u_acc) ** 3 * (1 + u) - 1
    assert reached <= float(bound.errors[0].worst) < 1.1 * reached


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
    leaf, rows = exact(x.double(), [PRECISIONS[spec.dtype]]), range(spec.out_channels)
    with torch.no_grad():
        unfused = block_bounds(wide, leaf, rows)
        fused = fused_bounds(wide, wide.kernel(), leaf, unfused.value, rows)
        truth = run(wide, x.double())
    for module, bound in ((narrow, unfused), (narrow.fuse(), fused)):
        errors = (run(module, x).double() - truth).abs()
        assert (errors <= bound.errors[0].worst * (1 + 1e-6) + 1e-12 * truth.abs()).all()


def test_a_weight_plus_the_identity_is_rounded_before_it_is_used() -> None:
    """(1 + 2^-10) x - x is 0 in bfloat16, where each of the products and sums is exact."""
    spec = BlockSpec(kernel_size=(1, 1), branches=parse_branches("1x1-kxk+idconv-bias"), dtype=Dtype.BFLOAT16)
    block = filled_block(spec)
    first, second = (module for module in block.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[2.0**-10, -1.0], [0.0, 0.0]]).view(2, 2, 1, 1))
        second.weight.copy_(torch.eye(2).view(2, 2, 1, 1))
        x = torch.ones(1, 2, 3, 3, dtype=torch.float64)
        bound = block_bounds(block, exact(x, [PRECISIONS[Dtype.BFLOAT16]]), range(2))
        narrow = run(rounded(block, Dtype.BFLOAT16)[0], x.bfloat16())
    assert narrow[:, 0].eq(0).all()
    assert (bound.errors[0].worst[:, 0] >= 2.0**-10).all()
    assert bound.errors[0].worst[:, 0].max() < 2.0**-7


def test_a_fold_has_the_sizes_of_its_summands() -> None:
    spec = replace(PRESETS["repvgg"].spec.with_in_channels(2), input_shape=(3, 3))
    block = filled_block(spec)
    sizes = fold_sizes(block)
    expected = add_kernels([Kernel(kernel.weight.abs(), None) for _, kernel in block.kernels()])
    torch.testing.assert_close(sizes.kernel.weight, expected.weight)
    assert sizes.kernel.bias is not None
    norms = [norm for norm in block.modules() if isinstance(norm, nn.BatchNorm2d)]
    offsets = torch.zeros(2, dtype=torch.float64)
    for norm in norms:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        factors = norm.weight / (norm.running_var + norm.eps).sqrt()
        offsets += norm.bias.abs() + (factors * norm.running_mean).abs()
    torch.testing.assert_close(sizes.kernel.bias, offsets.detach())
    assert sizes.roundings == 8 + 3
    assert sizes.touched.all()


def test_only_where_branches_meet_does_a_plain_fold_round() -> None:
    sizes = fold_sizes(filled_block(BlockSpec()))
    meets = torch.zeros(2, 2, 3, 3, dtype=torch.bool)
    meets[:, :, 1, 1] = True
    assert sizes.touched.equal(meets)


def test_an_average_of_independent_errors_is_better_by_its_size() -> None:
    errors = torch.ones(1, 1, 4, 6, dtype=torch.float64)
    assert Averaging((2, 4), (2, 2)).squared(errors).eq(1 / 8).all()


def test_the_likely_errors_are_as_large_as_the_variance_says() -> None:
    spec = replace(PRESETS["repvgg"].spec.with_in_channels(32), input_shape=(16, 16))
    narrow, wide = rounded(filled_block(spec), Dtype.FLOAT32)
    x = filled_input(spec).float()
    with torch.no_grad():
        leaf = exact(x.double(), [PRECISIONS[Dtype.FLOAT32]])
        unfused = block_bounds(wide, leaf, range(32))
        fused = fused_bounds(wide, wide.kernel(), leaf, unfused.value, range(32))
    truth = run(wide, x.double())

    def ratio(module: nn.Module, bound: Bounded) -> float:
        rms = float((run(module, x).double() - truth).square().mean().sqrt())
        return rms / float(bound.errors[0].variance.mean().sqrt())

    assert 0.1 < ratio(narrow, unfused) < 1.0
    assert 0.1 < ratio(narrow.fuse(), fused) < 1.0


def test_the_likely_error_of_the_fused_side_by_hand() -> None:
    """Each of n + 2 roundings is uniform, of a partial sum whose mean square is y^2 / 3 + sum (w x)^2 / 6.

    A convolution alone is folded without a rounding, and is in float32 already: no other error is likely.
    """
    u = PRECISIONS[Dtype.FLOAT32].accumulation
    spec = BlockSpec(2, 1, kernel_size=(1, 1), input_shape=(1, 1), branches=parse_branches("kxk-bias"))
    block, x = filled_block(spec), torch.tensor([2.0, 4.0], dtype=torch.float64).view(1, 2, 1, 1)
    with torch.no_grad():
        next(block.parameters()).copy_(torch.tensor([[0.5, -2.0]]).view(1, 2, 1, 1))
        bound = fused_bounds(
            block, block.kernel(), exact(x, [PRECISIONS[Dtype.FLOAT32]]), one_number(-7.0), range(1)
        )
    expected = u**2 / 3 * (2 + 2) * ((1.0 - 8.0) ** 2 / 3 + (1.0**2 + 8.0**2) / 6)
    assert float(bound.errors[0].variance) == pytest.approx(expected, rel=1e-6, abs=0.0)


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
