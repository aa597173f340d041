"""Convolutions and identities: forward against the definition of a convolution, the kernel against that."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.fusion.layer_parts import conv_branch, conv_in, factor_in, identity_branch, norm_in
from tests.fusion.oracles import convolve
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Norm
from tui.fusion.specs.block_spec import PaddingMode, Pair, Scale
from tui.fusion.specs.geometry import Geometry

X = torch.rand(2, 4, 9, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3)])
@pytest.mark.parametrize("kernel_size", [(1, 1), (3, 3), (2, 2), (4, 3), (7, 6)])
def test_forward_of_a_conv_branch_is_the_convolution_by_definition(
    kernel_size: Pair, dilation: Pair, stride: Pair, groups: int
) -> None:
    branch = conv_branch("kxk", 4, 8, kernel_size, Geometry(stride, dilation, groups)).double()
    conv = conv_in(branch)
    expected = convolve(X, conv.weight, conv.bias, stride=stride, dilation=dilation, groups=groups)
    torch.testing.assert_close(branch(X), expected, rtol=0, atol=1e-13)


def test_the_kernel_of_a_conv_branch_is_its_weight_and_bias() -> None:
    branch = conv_branch("kxk", 4, 6, (3, 2), Geometry(groups=2)).eval()
    kernel = branch.kernel()
    assert kernel.bias is not None
    assert torch.equal(kernel.weight, conv_in(branch).weight.double())
    bias = conv_in(branch).bias
    assert bias is not None
    assert torch.equal(kernel.bias, bias.double())
    assert conv_branch("kxk", 4, 6, (3, 2), bias=False).eval().kernel().bias is None


def _with_statistics(norm: nn.Module | None) -> nn.BatchNorm2d:
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        for tensor, values in (
            (norm.weight, [2.0, -1.0, 0.5, 3.0]),
            (norm.bias, [0.25, 1.0, -3.0, 0.5]),
            (norm.running_mean, [-1.0, 2.0, 0.5, 4.0]),
            (norm.running_var, [0.01, 4.0, 0.5, 2.0]),
        ):
            tensor.copy_(torch.tensor(values))
    return norm


@pytest.mark.parametrize("bias", [True, False])
def test_a_conv_bias_beside_a_batch_norm_is_kept(bias: bool) -> None:
    branch = conv_branch("1x1", 4, 4, (1, 1), bias=bias, batch_norm=True).double().eval()
    norm = _with_statistics(norm_in(branch))
    kernel = branch.kernel()
    torch.testing.assert_close(convolve(X, kernel.weight, kernel.bias), branch(X), rtol=0, atol=1e-12)
    torch.testing.assert_close(branch(X), norm(conv_in(branch)(X)))


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_identity_and_its_batch_norm_are_a_convolution(groups: int) -> None:
    branch = identity_branch("identity", 4, groups, batch_norm=True).double().eval()
    norm = _with_statistics(norm_in(branch))
    kernel = branch.kernel()
    assert kernel.weight.shape == (4, 4 // groups, 1, 1)
    y = convolve(X, kernel.weight, kernel.bias, groups=groups)
    torch.testing.assert_close(y, norm(X), rtol=0, atol=1e-13)
    torch.testing.assert_close(branch(X), norm(X), rtol=0, atol=0)


def test_a_plain_identity_returns_its_input_and_has_no_bias() -> None:
    branch = identity_branch("identity", 4).eval()
    assert branch(X) is X
    assert branch.kernel().bias is None


def test_a_branch_whose_norm_was_replaced_is_refused() -> None:
    branch = conv_branch("kxk", 4, 4, (3, 3), batch_norm=True).eval()
    branch.replace_layer("norm", Norm(nn.GroupNorm(2, 4), 4))
    with pytest.raises(FusionError, match="GroupNorm"):
        branch.kernel()


@pytest.mark.parametrize("kernel_size", [(3, 3), (4, 3), (2, 6), (1, 5)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("mode", [PaddingMode.REFLECT, PaddingMode.REPLICATE, PaddingMode.CIRCULAR])
def test_a_padding_mode_pads_the_input_and_nothing_else(
    mode: PaddingMode, dilation: Pair, kernel_size: Pair
) -> None:
    branch = conv_branch("kxk", 4, 4, kernel_size, Geometry((2, 1), dilation, padding_mode=mode)).double()
    up, left = (step * (size - 1) // 2 for size, step in zip(kernel_size, dilation, strict=True))
    down, right = (-(step * (1 - size) // 2) for size, step in zip(kernel_size, dilation, strict=True))
    padded = functional.pad(X, (left, right, up, down), mode.value)
    expected = functional.conv2d(padded, conv_in(branch).weight, conv_in(branch).bias, (2, 1), 0, dilation)
    torch.testing.assert_close(branch(X), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("scaled", [Scale.ALPHA, Scale.GAMMA])
def test_a_scale_stands_behind_the_batch_norm(scaled: Scale) -> None:
    branch = conv_branch("kxk", 4, 4, (3, 3), batch_norm=True, scaled=scaled).double().eval()
    norm = _with_statistics(norm_in(branch))
    factors = factor_in(branch, scaled)
    with torch.no_grad():
        factors.copy_(torch.tensor(3.0) if scaled is Scale.ALPHA else torch.tensor([3.0, -1.0, 0.5, 2.0]))
        expected = norm(conv_in(branch)(X)) * factors.view(-1, 1, 1)
        assert torch.equal(branch(X), expected)
        kernel = branch.kernel()
        y = convolve(X, kernel.weight, kernel.bias)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)


def test_a_scaled_plain_identity_is_a_convolution_without_bias() -> None:
    branch = identity_branch("identity", 4, 2, scaled=Scale.GAMMA).double()
    with torch.no_grad():
        factor_in(branch, "gamma").copy_(torch.tensor([3.0, -1.0, 0.5, 2.0]))
        kernel = branch.kernel()
        assert kernel.bias is None
        assert torch.equal(convolve(X, kernel.weight, None, groups=2), branch(X))
