"""Padding in numbers, as nn.Conv2d has it: held against torch's own modules, which know nothing of blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from tests.fusion.layer_parts import conv_in
from tests.fusion.strategies import filled_block, pairs
from tui.analysis.cost import cost_of
from tui.export.code.conv2d_text import conv2d_in_words
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.branch_text import parse_branches, show_branches
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Branch, Convolution, Identity
from tui.fusion.specs.block_spec import BlockSpec, Dtype, PaddingMode, Pair
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.padding import even_border
from tui.fusion.specs.problems import InvalidSpecError
from tui.fusion.structure import structure_of


def spec_of(branches: str, padding: Pair, **values: Any) -> BlockSpec:
    return BlockSpec(branches=parse_branches(branches), padding=padding, **values)


@pytest.mark.parametrize(
    ("spec", "given_away", "params", "macs", "size"),
    [
        (
            spec_of("kxk", (0, 0), kernel_size=(4, 4), stride=(4, 4), input_shape=(16, 16)),
            "nn.Conv2d(2, 2, 4, stride=4)",
            66,
            1024,
            (4, 4),
        ),
        (
            spec_of("kxk", (0, 0), in_channels=3, out_channels=8, stride=(2, 2), input_shape=(16, 16)),
            "nn.Conv2d(3, 8, 3, stride=2)",
            224,
            10584,
            (7, 7),
        ),
        (
            spec_of("kxk", (0, 0), kernel_size=(2, 2), stride=(2, 2), input_shape=(16, 16)),
            "nn.Conv2d(2, 2, 2, stride=2)",
            18,
            1024,
            (8, 8),
        ),
        (
            spec_of("kxk,1x1", (1, 0), kernel_size=(4, 2), input_shape=(16, 16)),
            "nn.Conv2d(2, 2, (4, 2), padding=(1, 0))",
            34,
            15 * 15 * 32,
            (15, 15),
        ),
    ],
)
def test_a_block_is_given_away_as_exactly_that_convolution(
    spec: BlockSpec, given_away: str, params: int, macs: int, size: Pair
) -> None:
    conv = build_block(spec).fuse()
    assert conv2d_in_words(conv, Dtype.FLOAT32) == given_away
    cost = cost_of(spec)
    assert (cost.params.fused, cost.macs.fused) == (params, macs)
    assert sum(parameter.numel() for parameter in conv.parameters()) == params
    assert spec.output_nchw[2:] == size
    assert conv(torch.zeros(spec.input_nchw)).shape == spec.output_nchw


def test_a_1x1_stands_at_the_centre_of_a_kernel_without_padding() -> None:
    """Computed apart: 3x3 [1..9] of 0..15 as 4x4 without padding, and 6x cropped by 1."""
    nine = nn.Conv2d(1, 1, 3, bias=False)
    six = nn.Conv2d(1, 1, 1, bias=False)
    with torch.no_grad():
        nine.weight.copy_(torch.arange(1.0, 10.0).view(1, 1, 3, 3))
        six.weight.fill_(6.0)
    branches = [
        Branch("3x3", [("conv", Convolution(nine))], own_border=(0, 0, 0, 0)),
        Branch("1x1", [("conv", Convolution(six))], own_border=(-1, -1, -1, -1)),
    ]
    block = ReparamBlock(branches, Geometry(border=(0, 0, 0, 0))).double().eval()
    x = torch.arange(16.0, dtype=torch.float64).view(1, 1, 4, 4)
    assert block(x)[0, 0].tolist() == [[333, 384], [537, 588]]
    assert block.fuse()(x)[0, 0].tolist() == [[333, 384], [537, 588]]
    spec = spec_of("3x3-bias,1x1-bias", (0, 0), in_channels=1, out_channels=1, input_shape=(4, 4))
    built = build_block(spec).double()
    built.load_state_dict(block.state_dict())
    assert built(x)[0, 0].tolist() == [[333, 384], [537, 588]]


@given(pairs(1, 5), pairs(1, 3), pairs(1, 3), pairs(0, 4), st.sampled_from(PaddingMode))
def test_a_kxk_with_a_padding_is_torchs_convolution(
    kernel_size: Pair, stride: Pair, dilation: Pair, padding: Pair, mode: PaddingMode
) -> None:
    spec = spec_of(
        "kxk",
        padding,
        kernel_size=kernel_size,
        stride=stride,
        dilation=dilation,
        padding_mode=mode,
        input_shape=(13, 14),
    )
    block = filled_block(spec)
    theirs = nn.Conv2d(
        2, 2, kernel_size, stride, padding, dilation, padding_mode=mode.value, dtype=torch.float64
    )
    theirs.load_state_dict(conv_in(block.branches[0]).state_dict())
    x = torch.rand(1, 2, 13, 14, dtype=torch.float64)
    with torch.no_grad():
        assert torch.equal(block(x), theirs(x))
        assert torch.equal(block.fuse()(x), theirs(x))
    assert theirs(x).shape[2:] == spec.output_nchw[2:]


class AuthorsACBlock(nn.Module):
    """What ACNet's ACBlock trains, as its authors wrote it (Ding et al., 2019), without the batch norms."""

    def __init__(self, channels: int, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__()
        k = kernel_size
        self.square = nn.Conv2d(channels, channels, k, stride, padding, bias=False)
        self.crop = max(0, k // 2 - padding)
        beside = max(0, padding - k // 2)
        self.hor = nn.Conv2d(channels, channels, (1, k), stride, (beside, padding), bias=False)
        self.ver = nn.Conv2d(channels, channels, (k, 1), stride, (padding, beside), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        c, rows, columns = self.crop, x.shape[2], x.shape[3]
        upright, lying = x[:, :, :, c : columns - c], x[:, :, c : rows - c, :]
        summed: Tensor = self.square(x) + self.ver(upright) + self.hor(lying)
        return summed


@pytest.mark.parametrize("padding", range(5))
@pytest.mark.parametrize(("kernel_size", "stride"), [(3, 1), (5, 1), (5, 2), (7, 3)])
@torch.no_grad()
def test_acnet_with_any_padding(kernel_size: int, stride: int, padding: int) -> None:
    theirs = AuthorsACBlock(3, kernel_size, stride, padding).double()
    spec = spec_of(
        "kxk-bias,1xk-bias,kx1-bias",
        (padding, padding),
        in_channels=3,
        out_channels=3,
        kernel_size=(kernel_size, kernel_size),
        stride=(stride, stride),
        input_shape=(12, 11),
    )
    block = build_block(spec).double()
    for ours, conv in zip(block.branches, (theirs.square, theirs.hor, theirs.ver), strict=True):
        conv_in(ours).load_state_dict(conv.state_dict())
    x = torch.rand(2, 3, 12, 11, dtype=torch.float64)
    torch.testing.assert_close(block(x), theirs(x), rtol=0, atol=1e-13)
    torch.testing.assert_close(block.fuse()(x), theirs(x), rtol=0, atol=1e-13)


@given(pairs(1, 4), pairs(0, 2), st.data())
def test_wrapped_convolutions_stand_by_their_own_paddings(
    size: Pair, more: Pair, data: st.DataObject
) -> None:
    """Of k + 2 m pixels padded by p + m, and of k pixels padded by p: at offset m, and of one output size."""
    padding = data.draw(pairs(0, 2))
    whole = size[0] + 2 * more[0], size[1] + 2 * more[1]
    around = padding[0] + more[0], padding[1] + more[1]
    large = nn.Conv2d(2, 2, whole, padding=around, dtype=torch.float64)
    small = nn.Conv2d(2, 2, size, padding=padding, dtype=torch.float64)
    branches = [
        Branch(name, [("conv", Convolution(conv))], own_border=even_border(pad))
        for name, conv, pad in (("large", large, around), ("small", small, padding))
    ]
    block = ReparamBlock(branches, Geometry(border=even_border(around))).eval()
    x = torch.rand(1, 2, 9, 10, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(block(x), large(x) + small(x), rtol=0, atol=1e-13)
        torch.testing.assert_close(block.fuse()(x), block(x), rtol=0, atol=1e-13)
    spec = structure_of(block, x)
    assert (spec.padding, spec.output_nchw) == (around, block(x).shape)


@torch.no_grad()
def test_patches_of_two_sizes_stand_corner_on_corner() -> None:
    """Both of stride 4 without padding: the 2x2 at offset 0, not at the 4x4's centre."""
    large, small = (nn.Conv2d(3, 8, k, stride=4, dtype=torch.float64) for k in (4, 2))
    branches = [
        Branch(f"{conv.kernel_size[0]}", [("conv", Convolution(conv))], own_border=(0, 0, 0, 0))
        for conv in (large, small)
    ]
    block = ReparamBlock(branches, Geometry((4, 4), border=(0, 0, 0, 0))).eval()
    x = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(block.fuse()(x), large(x) + small(x), rtol=0, atol=1e-13)
    assert torch.equal(block.kernel().weight[:, :, 2:], large.weight[:, :, 2:])
    told = spec_of("4x4,2x2+p0", (0, 0), in_channels=3, out_channels=8, stride=(4, 4), input_shape=(18, 19))
    built = build_block(told).double()
    built.load_state_dict(block.state_dict(), strict=False)
    conv_in(built.branches[0]).load_state_dict(large.state_dict())
    conv_in(built.branches[1]).load_state_dict(small.state_dict())
    wide = torch.rand(1, 3, 18, 19, dtype=torch.float64)  # of which each alone sees another number of patches
    expected = large(wide) + small(wide)[:, :, :4, :4]
    torch.testing.assert_close(built(wide), expected, rtol=0, atol=1e-13)


def test_an_identity_is_padded_where_the_block_makes_the_image_larger() -> None:
    spec = spec_of("kxk-bias,identity", (2, 3))
    block, x = filled_block(spec), torch.rand(1, 2, 9, 9, dtype=torch.float64)
    with torch.no_grad():
        alone = functional.conv2d(x, conv_in(block.branches[0]).weight, padding=(2, 3))
        torch.testing.assert_close(block(x), alone + functional.pad(x, (2, 2, 1, 1)), rtol=0, atol=1e-13)
        torch.testing.assert_close(block.fuse()(x), block(x), rtol=0, atol=1e-13)


@given(pairs(0, 3), st.sampled_from(PaddingMode))
def test_padding_that_comes_to_same_is_same_to_the_last_bit(half: Pair, mode: PaddingMode) -> None:
    size = 2 * half[0] + 1, 2 * half[1] + 1
    same = BlockSpec(
        kernel_size=size, padding_mode=mode, branches=parse_branches("kxk+norm,1x1,identity,1x1-kxk+inner")
    )
    told = replace(same, padding=half)
    x = torch.rand(1, 2, 9, 9, dtype=torch.float64)
    one, other = filled_block(same), filled_block(told)
    with torch.no_grad():
        assert torch.equal(one(x), other(x))
        assert torch.equal(one.fuse()(x), other.fuse()(x))
    assert cost_of(same) == cost_of(told)


@pytest.mark.parametrize(
    ("branches", "values", "field", "words"),
    [
        (
            "kxk",
            {"padding": (0, 0), "kernel_size": (5, 5), "input_shape": (4, 9)},
            "padding",
            "a kernel that reaches over 5 pixels does not fit into an input height of 4 padded by 0: "
            "no output is left; pad by 1 or more",
        ),
        (
            "kxk",
            {"padding": (1, 1), "kernel_size": (3, 3), "dilation": (1, 6), "input_shape": (9, 9)},
            "padding",
            "a kernel that reaches over 13 pixels does not fit into an input width of 9 padded by 1: "
            "no output is left; pad by 2 or more",
        ),
        ("kxk", {"padding": (1, 9000)}, "padding", "padding must be from 0 to 8192, not 9000"),
        ("kxk,1x1+p9000", {}, "branches", "1x1: padding must be from 0 to 8192, not 9000"),
        (
            "kxk,3x3+p2",
            {"padding": (1, 1), "kernel_size": (5, 5)},
            "branches",
            "3x3: its padding has it read rows -1 to 1, columns -1 to 1 of the 5x5 pixels of the fused "
            "kernel, which is padded by 1: outside of it; give it another padding, or the block",
        ),
        (
            "kxk,1x1+p1x4",
            {"kernel_size": (5, 5)},
            "branches",
            "1x1: its padding has it read rows 1 to 1, columns -2 to -2 of the 5x5 pixels of the fused "
            "kernel, which is padded by 2: outside of it; give it another padding, or the block",
        ),
        (
            "kxk",
            {"padding": (1, 9), "padding_mode": PaddingMode.REFLECT},
            "padding_mode",
            "reflect padding of 9 pixels needs an input width of at least 10, not 9",
        ),
        (
            "kxk",
            {"padding": (10, 0), "padding_mode": PaddingMode.CIRCULAR},
            "padding_mode",
            "circular padding of 10 pixels needs an input height of at least 10, not 9",
        ),
        (
            "1x1-kxk+zeros",
            {"padding": (1, 0), "input_shape": (5, 5)},
            "branches",
            "1x1-kxk: zeros padded after the 1x1's bias make the 6 pixels at the border (of 15 a channel) "
            "wrong in any fused kernel; pad before it (take +zeros out), or take bias and inner norm out",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_torch_is_asked(
    branches: str, values: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        BlockSpec(branches=parse_branches(branches), **values)
    assert [(problem.field, problem.message) for problem in caught.value.problems] == [(field, words)]


def test_zeros_between_are_exact_where_none_are_padded() -> None:
    spec = spec_of("1x1-kxk+zeros,kxk", (0, 0))
    block, x = filled_block(spec), torch.rand(1, 2, 9, 9, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(block.fuse()(x), block(x), rtol=0, atol=1e-13)


def test_a_block_that_pads_unevenly_is_none_to_take_away() -> None:
    conv = Branch("3x3", [("conv", Convolution(nn.Conv2d(2, 2, 3)))], own_border=(0, 2, 1, 1))
    block = ReparamBlock([conv], Geometry(border=(0, 2, 1, 1))).eval()
    words = "nn.Conv2d cannot pad by 0 left, 2 right, 1 above, 1 below: give both sides as much"
    with pytest.raises(FusionError, match=words):
        block.fuse()
    with pytest.raises(FusionError, match=words):
        structure_of(block, torch.zeros(1, 2, 5, 5))


def test_a_branch_whose_output_has_another_size_is_refused() -> None:
    """Both stand in the frame, but the identity is not cropped: torch could not add the two."""
    conv = Branch("3x3", [("conv", Convolution(nn.Conv2d(2, 2, 3)))], own_border=(0, 0, 0, 0))
    identity = Branch("identity", [("identity", Identity(2))])
    block = ReparamBlock([conv, identity], Geometry(border=(0, 0, 0, 0))).eval()
    words = "identity: padded by 0 it gives 5x5 pixels, and the block 3x3: give it another padding"
    with pytest.raises(InvalidSpecError, match=words):
        structure_of(block, torch.zeros(1, 2, 5, 5))


@pytest.mark.parametrize(
    "text",
    [
        "kxk+norm+p1",
        "5x5d2-bias+g2+p1x0",
        "1x1-kxk+inner+x2+p0",
        "identity+p2x1",
        "1x1 > 3x3+p1",
        "1x1-3x3+norm+p0x1",
        "avg3x3 > 1x1+zeros+p0",
    ],
)
def test_a_padding_of_a_branchs_own_is_read_and_written(text: str) -> None:
    branches = parse_branches(text)
    assert branches[0].padding is not None
    assert parse_branches(show_branches(branches)) == branches
    assert show_branches(branches).endswith(f"+p{text.rpartition('+p')[2]}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kxk+p1+p2", "contradict each other"),
        ("1x1+p1 > 3x3+p0", "+p0 and +p1 contradict each other"),
        ("(3x3+p1 + identity)", "stands inside of a sum"),
        ("kxk+g1x2", "a branch must be one of"),
        ("kxk-p1", "is not an option"),
        ("1x1 > 3x3+p1e3", "is not an option"),
    ],
)
def test_a_padding_that_contradicts_itself_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("+", r"\+")):
        parse_branches(text)
