"""The algebra of kernels, against torch's own modules and operations."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from tests.fusion.oracles import convolve
from tests.fusion.strategies import pairs
from tui.fusion.kernel import (
    FusionError,
    Kernel,
    add,
    average_pool,
    dirac,
    fold_batch_norm,
    kernel_of,
    pad_to,
    scale,
)
from tui.fusion.specs.block_spec import Pair

SIZES = [(2, 1), (2, 2), (8, 4), (8, 8), (64, 1), (64, 64)]  # channels, groups


def rand(*shape: int) -> Tensor:
    """Uniform in [-1, 1), float64, the same at every call."""
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(7)) * 2 - 1


def random_norm(channels: int, *, smallest_var: float = 0.25, affine: bool = True) -> nn.BatchNorm2d:
    """A batch norm whose statistics are far from the default ones, in eval mode."""
    norm = nn.BatchNorm2d(channels, affine=affine).double().eval()
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        norm.running_mean.copy_(3 * rand(channels))
        norm.running_var.copy_(smallest_var * (1 + rand(channels).abs()))
        if affine:
            norm.weight.copy_(1 + rand(channels).flip(0))
            norm.bias.copy_(2 * rand(channels).roll(1))
    return norm


@pytest.mark.parametrize(("channels", "groups"), SIZES)
@pytest.mark.parametrize("k", range(1, 8))
def test_a_conv_with_the_identity_kernel_returns_its_input(channels: int, groups: int, k: int) -> None:
    x = rand(1, channels, 9, 9)
    kernel = pad_to(dirac(channels, groups), (k, k))
    y = functional.conv2d(x, kernel.weight, padding="same", groups=groups)
    assert torch.equal(y, x)


@pytest.mark.parametrize(("channels", "groups"), SIZES)
@pytest.mark.parametrize("k", range(1, 8))
def test_a_1x1_conv_equals_its_padded_kxk_conv(channels: int, groups: int, k: int) -> None:
    x = rand(1, channels, 9, 9)
    pointwise = Kernel(rand(channels, channels // groups, 1, 1), rand(channels))
    padded = pad_to(pointwise, (k, k))
    y = functional.conv2d(x, pointwise.weight, pointwise.bias, groups=groups)
    torch.testing.assert_close(
        functional.conv2d(x, padded.weight, padded.bias, padding="same", groups=groups), y, rtol=0, atol=1e-13
    )


@pytest.mark.parametrize(("channels", "groups"), [*SIZES, (6, 2), (6, 3)])
def test_dirac_is_torchs_own(channels: int, groups: int) -> None:
    expected = nn.init.dirac_(torch.empty(channels, channels // groups, 1, 1).double(), groups=groups)
    identity = dirac(channels, groups)
    assert torch.equal(identity.weight, expected)
    assert identity.bias is None


def test_dirac_refuses_groups_that_do_not_divide() -> None:
    with pytest.raises(FusionError, match="3 does not divide 4"):
        dirac(4, 3)


@pytest.mark.parametrize("smallest_var", [1e-4, 0.25, 100.0])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("has_bias", [True, False])
@torch.no_grad()
def test_a_folded_batch_norm_does_what_the_batch_norm_did(
    smallest_var: float, affine: bool, has_bias: bool
) -> None:
    conv = nn.Conv2d(4, 6, 3, bias=has_bias).double()
    norm = random_norm(6, smallest_var=smallest_var, affine=affine)
    folded = fold_batch_norm(kernel_of(conv), norm)
    x = rand(2, 4, 9, 9)
    y = norm(conv(x))
    torch.testing.assert_close(
        functional.conv2d(x, folded.weight, folded.bias), y, rtol=0, atol=1e-13 * max(1, float(y.abs().max()))
    )


def test_folding_uses_the_batch_norms_own_eps() -> None:
    conv, norm = nn.Conv2d(2, 2, 1).double(), random_norm(2, smallest_var=1e-4)
    norm.eps = 1e-3
    x = rand(1, 2, 3, 3)
    folded = fold_batch_norm(kernel_of(conv), norm)
    torch.testing.assert_close(functional.conv2d(x, folded.weight, folded.bias), norm(conv(x)))


def test_folding_computes_in_float64_whatever_the_norms_dtype() -> None:
    norm = random_norm(3).to(torch.bfloat16)
    kernel = Kernel(rand(3, 3, 1, 1), None)
    in_bfloat16, in_float64 = fold_batch_norm(kernel, norm), fold_batch_norm(kernel, norm.double())
    assert in_bfloat16.bias is not None
    assert in_float64.bias is not None
    assert torch.equal(in_bfloat16.weight, in_float64.weight)
    assert torch.equal(in_bfloat16.bias, in_float64.bias)


@pytest.mark.parametrize(
    ("norm", "words"),
    [
        (nn.GroupNorm(1, 2), "GroupNorm cannot be folded: only BatchNorm2d"),
        (nn.InstanceNorm2d(2, track_running_stats=True), "InstanceNorm2d cannot be folded"),
        (nn.LayerNorm(2), "LayerNorm cannot be folded"),
        (nn.Identity(), "Identity cannot be folded"),
        (nn.BatchNorm2d(2, track_running_stats=False), "no running statistics"),
        (nn.BatchNorm2d(2).train(), "train mode cannot be folded: call eval()"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_a_norm_that_follows_its_input_is_refused_in_words(norm: nn.Module, words: str) -> None:
    if "train mode" not in words:
        norm.eval()
    with pytest.raises(FusionError) as caught:
        fold_batch_norm(dirac(2), norm)
    assert words in str(caught.value)


@pytest.mark.parametrize("factors", [torch.tensor(-2.5), rand(6), rand(6).view(6, 1, 1).float()])
@pytest.mark.parametrize("has_bias", [True, False])
def test_a_scaled_kernel_multiplies_what_the_kernel_gives(factors: Tensor, has_bias: bool) -> None:
    kernel = Kernel(rand(6, 4, 3, 2), rand(6).flip(0) if has_bias else None)
    x = rand(2, 4, 5, 5)
    scaled = scale(kernel, factors)
    y = functional.conv2d(x, kernel.weight, kernel.bias) * factors.double().view(-1, 1, 1)
    torch.testing.assert_close(functional.conv2d(x, scaled.weight, scaled.bias), y, rtol=0, atol=1e-13)
    assert (scaled.bias is None) == (not has_bias)
    assert scaled.weight.dtype is torch.float64


def test_scale_knows_no_gradient_and_refuses_factors_that_do_not_fit() -> None:
    assert not scale(dirac(2), nn.Parameter(torch.ones(2))).weight.requires_grad
    with pytest.raises(FusionError, match="3 factors do not fit 2 output channels"):
        scale(dirac(2), torch.ones(3))


@pytest.mark.parametrize(("channels", "groups"), SIZES[:4])
@pytest.mark.parametrize(("kernel_size", "padding"), [((3, 3), (1, 1)), ((1, 5), (0, 2)), ((7, 3), (3, 1))])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_average_pool_is_torchs_own(
    channels: int, groups: int, kernel_size: Pair, padding: Pair, stride: Pair
) -> None:
    x = rand(2, channels, 9, 8)
    kernel = average_pool(channels, kernel_size, groups)
    assert kernel.weight.shape == (channels, channels // groups, *kernel_size)
    assert kernel.bias is None
    y = functional.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=True)
    by_conv = functional.conv2d(x, kernel.weight, None, stride, padding, groups=groups)
    torch.testing.assert_close(by_conv, y, rtol=0, atol=1e-14)


def test_average_pool_refuses_groups_that_do_not_divide() -> None:
    with pytest.raises(FusionError, match="3 does not divide 4"):
        average_pool(4, (3, 3), 3)


@st.composite
def nested_sizes(draw: st.DrawFn) -> tuple[Pair, Pair]:
    outer = draw(pairs(1, 7))
    return (draw(st.integers(1, outer[0])), draw(st.integers(1, outer[1]))), outer


@given(nested_sizes(), pairs(1, 3), pairs(1, 3))
def test_a_padded_kernel_is_the_same_map(sizes: tuple[Pair, Pair], stride: Pair, dilation: Pair) -> None:
    inner, outer = sizes
    # Of an even and an odd kernel with dilation no tap of the one stands on a tap of the other.
    rows, columns = (1 if (a - b) % 2 else d for a, b, d in zip(inner, outer, dilation, strict=True))
    dilation = rows, columns
    kernel = Kernel(rand(2, 3, *inner), rand(2))
    padded = pad_to(kernel, outer)
    assert padded.kernel_size == outer
    x = rand(1, 3, 8, 7)
    torch.testing.assert_close(
        convolve(x, padded.weight, padded.bias, stride=stride, dilation=dilation),
        convolve(x, kernel.weight, kernel.bias, stride=stride, dilation=dilation),
        rtol=0,
        atol=1e-13,
    )


@pytest.mark.parametrize(
    ("inner", "outer", "zeros"),
    [  # zeros: left, right, top, bottom, as functional.pad has them
        ((1, 1), (3, 3), (1, 1, 1, 1)),
        ((1, 1), (2, 2), (0, 1, 0, 1)),
        ((1, 1), (4, 4), (1, 2, 1, 2)),
        ((2, 2), (3, 3), (1, 0, 1, 0)),
        ((2, 2), (4, 4), (1, 1, 1, 1)),
        ((2, 3), (5, 4), (0, 1, 2, 1)),
        ((1, 1), (5, 4), (1, 2, 2, 2)),
    ],
)
def test_pad_to_is_zeros_around_the_kernel(
    inner: Pair, outer: Pair, zeros: tuple[int, int, int, int]
) -> None:
    kernel = Kernel(rand(2, 2, *inner), rand(2))
    padded = pad_to(kernel, outer)
    assert torch.equal(padded.weight, functional.pad(kernel.weight, zeros))
    assert padded.bias is kernel.bias


def test_pad_to_refuses_to_cut() -> None:
    with pytest.raises(FusionError, match="3x1 taps does not fit into 2x5"):
        pad_to(Kernel(rand(1, 1, 3, 1), None), (2, 5))


def test_add_puts_each_summand_at_the_centre() -> None:
    large, small = Kernel(torch.ones(1, 1, 3, 4), None), Kernel(torch.full((1, 1, 1, 2), 10.0), None)
    expected = torch.tensor([[1.0, 1, 1, 1], [1, 11, 11, 1], [1, 1, 1, 1]])
    for order in ([large, small], [small, large]):
        assert torch.equal(add(order).weight[0, 0], expected)


def test_add_makes_room_for_summands_that_do_not_contain_each_other() -> None:
    row, column = Kernel(torch.ones(1, 1, 1, 3), None), Kernel(torch.full((1, 1, 3, 1), 10.0), None)
    expected = torch.tensor([[0.0, 10, 0], [1, 11, 1], [0, 10, 0]])
    assert torch.equal(add([row, column]).weight[0, 0], expected)


def test_add_sums_the_biases_that_there_are() -> None:
    weight = torch.zeros(2, 1, 1, 1)
    with_bias = Kernel(weight, torch.tensor([1.0, 2.0]))
    without = Kernel(weight, None)
    total = add([with_bias, without, with_bias]).bias
    assert total is not None
    assert total.tolist() == [2.0, 4.0]
    assert add([without, without]).bias is None


@pytest.mark.parametrize("count", [1, 2, 3])
def test_add_leaves_its_summands_alone_and_shares_no_memory_with_them(count: int) -> None:
    sizes = [(1, 1), (3, 3), (3, 3)][-count:]
    summands = [Kernel(rand(2, 2, *size), rand(2)) for size in sizes]
    before = [(kernel.weight.clone(), kernel.bias) for kernel in summands]
    total = add(summands)
    total.weight.fill_(99)
    assert total.bias is not None
    total.bias.fill_(99)
    for kernel, (weight, _) in zip(summands, before, strict=True):
        assert torch.equal(kernel.weight, weight)
        assert kernel.bias is not None
        assert torch.equal(kernel.bias, rand(2))


def test_add_overwrites_only_what_it_may() -> None:
    small, large = Kernel(rand(2, 2, 1, 1), rand(2)), Kernel(rand(2, 2, 3, 3), rand(2))
    expected = add([small, large])
    before, bias = small.weight.clone(), large.bias
    total = add([small, large], overwrite=True)
    assert total.weight is large.weight
    assert torch.equal(total.weight, expected.weight)
    assert torch.equal(small.weight, before)
    assert bias is not None
    assert torch.equal(bias, rand(2))


def test_kernel_of_is_a_copy_in_float64_too() -> None:
    conv = nn.Conv2d(2, 3, 3).double()
    assert conv.bias is not None
    kernel = kernel_of(conv)
    kernel.weight.fill_(99)
    assert kernel.bias is not None
    kernel.bias.fill_(99)
    assert float(conv.weight.detach().abs().max()) < 1
    assert float(conv.bias.detach().abs().max()) < 1


def test_add_refuses_what_has_other_channels() -> None:
    with pytest.raises(FusionError, match=r"\(2, 1\), \(2, 2\)"):
        add([dirac(2), dirac(2, groups=2)])
    with pytest.raises(FusionError, match="nothing to add"):
        add([])


def test_kernel_of_is_float64_and_knows_no_gradient() -> None:
    kernel = kernel_of(nn.Conv2d(2, 3, (1, 2)).half())
    assert kernel.bias is not None
    assert kernel.weight.dtype is kernel.bias.dtype is torch.float64
    assert not kernel.weight.requires_grad
    assert not kernel.bias.requires_grad
    assert kernel.kernel_size == (1, 2)
