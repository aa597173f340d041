"""1x1 then k x k or average pooling, against DBB's own way to write them, and average pooling alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.fusion.layer_parts import average_branch, behind, conv_in, norm_in, run_first
from tests.fusion.oracles import convolve
from tests.fusion.strategies import filled_block, with_wild_norms
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Branch, Convolution, Layer, OffsetIdentityConv
from tui.fusion.specs.block_spec import BlockSpec, PaddingMode, Pair, Scale

X = torch.rand(2, 4, 9, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(5)) * 2 - 1


def sequence(text: str, **values: object) -> Branch:
    """The one branch of this text in a block of 4 channels, with random statistics, in float64."""
    spec = replace(BlockSpec(4, 4, branches=parse_branches(text)), **values)  # type: ignore[arg-type]
    (branch,) = with_wild_norms(filled_block(spec)).branches
    return branch


def zero_bordered(
    *, bias: bool = True, batch_norm: bool = False, size: int = 3, mode: PaddingMode = PaddingMode.ZEROS
) -> Branch:
    """A 1x1 and a convolution that pads its own zeros, of 4 channels."""
    first: list[tuple[str, Layer]] = [("first", Convolution(nn.Conv2d(4, 4, 1, bias=bias)))]
    second = Convolution(nn.Conv2d(4, 4, size))
    layers = [*first, *behind(4, batch_norm, Scale.NONE), ("second", second)]
    return Branch("1x1-kxk", layers, padding_mode=mode, zeros_between=True).eval()


def padded_as_dbb_does(y: Tensor, value: Tensor, pixels: int) -> Tensor:
    """The image in a frame of that value for each channel: left and right first, then top and bottom."""
    columns = value.view(1, -1, 1, 1).expand(len(y), -1, y.shape[2], pixels)
    y = torch.cat([columns, y, columns], dim=3)
    rows = value.view(1, -1, 1, 1).expand(len(y), -1, pixels, y.shape[3])
    return torch.cat([rows, y, rows], dim=2)


@pytest.mark.parametrize(
    "text", ["1x1-kxk+inner+norm-bias", "1x1-kxk+inner", "1x1-kxk+norm", "1x1-kxk+inner+x3"]
)
@pytest.mark.parametrize("stride", [(1, 1), (2, 2)])
@torch.no_grad()
def test_a_sequence_pads_the_first_steps_value_at_zero(text: str, stride: Pair) -> None:
    branch = sequence(text, stride=stride, kernel_size=(5, 5))
    second = conv_in(branch, "second")
    value = run_first(branch, torch.zeros(1, 4, 1, 1, dtype=torch.float64)).flatten()
    assert float(value.abs().max()) > 0.1
    padded = padded_as_dbb_does(run_first(branch, X), value, 2)
    y = functional.conv2d(padded, second.weight, second.bias, stride)
    y = norm_in(branch)(y) if branch.get("norm") else y
    torch.testing.assert_close(branch(X), y, rtol=0, atol=1e-9)


@torch.no_grad()
def test_padding_the_input_with_zeros_is_the_same_thing() -> None:
    branch = sequence("1x1-avg+inner+norm", kernel_size=(3, 3))
    first = run_first(branch, functional.pad(X, (1, 1, 1, 1)))
    y = norm_in(branch)(functional.avg_pool2d(first, 3, 1))
    torch.testing.assert_close(branch(X), y, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kernel_size", [(3, 3), (2, 5)])
@pytest.mark.parametrize(
    "text", ["1x1-kxk+inner+norm", "1x1-kxk", "1x1-kxk+idconv+inner", "1x1-avg+norm+inner+gamma"]
)
@pytest.mark.parametrize("groups", [1, 2, 4])
@torch.no_grad()
def test_the_kernel_of_a_sequence_convolved_by_definition_is_its_forward(
    text: str, groups: int, kernel_size: Pair
) -> None:
    branch = sequence(text, groups=groups, kernel_size=kernel_size)
    kernel = branch.kernel()
    expected = branch(X)
    assert kernel.kernel_size == kernel_size
    torch.testing.assert_close(
        convolve(X, kernel.weight, kernel.bias, groups=groups),
        expected,
        rtol=0,
        atol=1e-10 * max(1.0, float(expected.abs().max())),
    )


@torch.no_grad()
def test_a_zero_border_pads_zeros_between_the_steps() -> None:
    branch = sequence("1x1-kxk+zeros-bias")
    y = functional.conv2d(run_first(branch, X), conv_in(branch, "second").weight, padding=1)
    assert torch.equal(branch(X), y)
    kernel = branch.kernel()
    torch.testing.assert_close(convolve(X, kernel.weight, kernel.bias), y, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("bias", "batch_norm"), [(True, False), (False, True)])
def test_a_zero_border_behind_a_value_at_zero_is_refused(bias: bool, batch_norm: bool) -> None:
    branch = zero_bordered(bias=bias, batch_norm=batch_norm)
    if batch_norm:
        nn.init.ones_(norm_in(branch, "norm").bias)
    with pytest.raises(FusionError) as caught:
        branch.kernel()
    for words in (
        "1x1-kxk: zeros are padded after a 1x1 whose value at zero is not zero",
        "pad that value instead",
    ):
        assert words in str(caught.value)
    with torch.no_grad():
        assert branch(X.float()).shape == X.shape  # it runs all the same


def test_a_zero_border_is_fine_where_there_is_no_border_or_no_value() -> None:
    zero_bordered(size=1).kernel()
    zero_bordered(batch_norm=True, bias=False).kernel()


def test_a_zero_border_in_another_padding_mode_is_refused() -> None:
    branch = zero_bordered(bias=False, mode=PaddingMode.REFLECT)
    with pytest.raises(
        FusionError, match=r"zeros padded between the steps and reflect .* not a single convolution"
    ):
        branch.kernel()


@torch.no_grad()
def test_the_border_follows_running_statistics_in_train_mode_too() -> None:
    branch = sequence("1x1-kxk+inner")
    at_zero = branch.constant_before(2)
    assert at_zero is not None
    again = branch.train().constant_before(2)
    assert again is not None
    assert torch.equal(again, at_zero)
    branch(X)


@pytest.mark.parametrize("groups", [1, 2, 4])
@torch.no_grad()
def test_idconv_stores_the_weight_minus_the_identity(groups: int) -> None:
    conv = OffsetIdentityConv(4, groups=groups).double()
    assert set(conv.state_dict()) == {"weight", "bias"}
    plain = functional.conv2d(X, conv.weight, conv.bias, groups=groups)
    torch.testing.assert_close(conv(X), plain + X, rtol=0, atol=1e-14)
    conv.weight.zero_()
    assert conv.bias is not None
    conv.bias.zero_()
    assert torch.equal(conv(X), X)


@pytest.mark.parametrize("stride", [(1, 1), (2, 1)])
@pytest.mark.parametrize(("kernel_size", "padding"), [((3, 3), (1, 1)), ((5, 1), (2, 0)), ((1, 1), (0, 0))])
def test_average_pooling_counts_the_zeros_outside(kernel_size: Pair, padding: Pair, stride: Pair) -> None:
    branch = average_branch("avg", 4, kernel_size, stride=stride)
    expected = functional.avg_pool2d(X, kernel_size, stride, padding, count_include_pad=True)
    assert torch.equal(branch(X), expected)


@pytest.mark.parametrize("kernel_size", [(2, 2), (4, 3), (6, 1)])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_average_pooling_of_even_windows_is_same_padded(kernel_size: Pair, groups: int) -> None:
    branch = average_branch("avg", 4, kernel_size, groups=groups).eval()
    height, width = kernel_size
    ones = torch.full((4, 1, *kernel_size), 1 / (height * width), dtype=torch.float64)
    y = convolve(X, ones, None, groups=4)
    torch.testing.assert_close(branch(X), y, rtol=0, atol=1e-14)
    kernel = branch.kernel()
    torch.testing.assert_close(convolve(X, kernel.weight, kernel.bias, groups=groups), y, rtol=0, atol=1e-14)
