"""Chains of any layers: small right values, computed apart, and drawn chains against their own run."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from tests.fusion.layer_parts import norm_in
from tests.fusion.oracles import convolve
from tests.fusion.strategies import with_wild_norms
from tui.analysis.cost import cost_of
from tui.fusion.block import ReparamBlock
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import FusionError
from tui.fusion.layers import (
    Average,
    Branch,
    Chain,
    Convolution,
    Factor,
    FixedDepthwise,
    Identity,
    Layer,
    Norm,
    Sum,
)
from tui.fusion.specs.block_spec import BlockSpec, PaddingMode
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.problems import InvalidSpecError
from tui.fusion.structure import structure_of

SOBEL_X = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))
LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def conv(taps: list[list[float]], bias: float | None = None) -> Convolution:
    """A convolution of one channel with these taps."""
    module = nn.Conv2d(1, 1, (len(taps), len(taps[0])), bias=bias is not None).double()
    with torch.no_grad():
        module.weight.copy_(torch.tensor(taps))
        if bias is not None and module.bias is not None:
            module.bias.fill_(bias)
    return Convolution(module)


def nine(bias: float | None = None) -> Convolution:
    return conv([[1, 2, 3], [4, 5, 6], [7, 8, 9]], bias)


def affine(factor: float, offset: float) -> Norm:
    """A batch norm that is factor x + offset."""
    norm = nn.BatchNorm2d(1, eps=0.0).double()
    nn.init.constant_(norm.weight, factor)
    nn.init.constant_(norm.bias, offset)
    return Norm(norm, 1)


def branch(*layers: Layer, name: str = "chain", zeros_between: bool = False) -> Branch:
    named = [(f"layer{place}", layer) for place, layer in enumerate(layers)]
    return Branch(name, named, zeros_between=zeros_between).double().eval()


@torch.no_grad()
def assert_one_convolution(*branches: Branch, size: tuple[int, int] = (6, 7)) -> ReparamBlock:
    block = ReparamBlock(branches).double().eval()
    x = torch.rand(2, block.in_channels, *size, dtype=torch.float64) - 0.5
    torch.testing.assert_close(block.fuse()(x), block(x), rtol=0, atol=1e-12)
    return block


def test_a_norm_before_and_a_norm_behind_a_convolution_beside_a_pixel() -> None:
    one = branch(affine(2, 1), nine(10), affine(3, -5))
    other = branch(conv([[7]], 11), name="1x1")
    kernel = assert_one_convolution(one, other).kernel()
    assert kernel.weight[0, 0].tolist() == [[6, 12, 18], [24, 37, 36], [42, 48, 54]]
    assert kernel.bias is not None
    assert kernel.bias.tolist() == [171]
    up_front = functional.pad(torch.ones(1, 1, 3, 3, dtype=torch.float64), (1, 1, 1, 1))
    by_hand = 3 * functional.conv2d(2 * up_front + 1, torch.arange(1.0, 10).view(1, 1, 3, 3).double()) + 25
    torch.testing.assert_close(one(torch.ones(1, 1, 3, 3, dtype=torch.float64)), by_hand)


def test_a_norm_and_then_a_sobel_kernel() -> None:
    sobel = FixedDepthwise(1, SOBEL_X)
    nn.init.constant_(sobel.factor, 0.5)
    assert sobel.bias is not None
    nn.init.constant_(sobel.bias, 3.0)
    kernel = assert_one_convolution(branch(affine(2, 1), sobel)).kernel()
    assert kernel.weight[0, 0].tolist() == [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
    assert kernel.bias is not None
    assert kernel.bias.tolist() == [3]


@torch.no_grad()
def test_two_that_see_neighbours_are_one_of_all_their_taps() -> None:
    chain = branch(nine(), FixedDepthwise(1, LAPLACIAN, bias=False))
    assert_one_convolution(chain)
    assert chain.kernel().weight[0, 0].tolist() == [
        [0, 1, 2, 3, 0],
        [1, 2, 1, -4, 3],
        [4, -3, 0, -7, 6],
        [7, -16, -11, -22, 9],
        [0, 7, 8, 9, 0],
    ]
    ones = torch.ones(1, 1, 5, 5, dtype=torch.float64)
    assert float(chain(ones)[0, 0, 0, 0]) == -8
    own = branch(nine(), FixedDepthwise(1, LAPLACIAN, bias=False), zeros_between=True)
    assert float(own(ones)[0, 0, 0, 0]) == -40
    with pytest.raises(FusionError, match="chain: two layers that reach up and down and pad zeros"):
        own.kernel()
    with pytest.raises(InvalidSpecError, match=r"make the 16 pixels at the border \(of 25 a channel\) wrong"):
        structure_of(ReparamBlock([own]).double().eval(), ones)


@torch.no_grad()
def test_zeros_behind_a_norm_are_refused() -> None:
    chain = branch(affine(2, 1), nine(), zeros_between=True)
    zeros = torch.zeros(1, 1, 3, 3, dtype=torch.float64)
    assert chain(zeros)[0, 0].tolist() == [[28, 39, 24], [33, 45, 27], [16, 21, 12]]
    assert branch(affine(2, 1), nine())(zeros)[0, 0].tolist() == [[45] * 3] * 3
    with pytest.raises(FusionError, match="zeros are padded after a batch norm whose value at zero is not"):
        chain.kernel()
    with pytest.raises(InvalidSpecError, match=r"make the 8 pixels at the border \(of 9 a channel\) wrong"):
        structure_of(ReparamBlock([chain]).double().eval(), zeros)


def test_a_row_and_then_a_column_pad_their_own_zeros_exactly_without_a_bias_between() -> None:
    row = [[1.0, 2.0, 3.0]]
    exact = branch(conv(row), conv([[4.0], [5.0], [6.0]], 1.0), zeros_between=True)
    assert exact.kernel().weight[0, 0].tolist() == [[4, 8, 12], [5, 10, 15], [6, 12, 18]]
    assert_one_convolution(exact)
    with pytest.raises(FusionError, match="whose value at zero is not zero"):
        branch(conv(row, 0.5), conv([[4.0], [5.0]]), zeros_between=True).kernel()


def test_what_is_given_away_is_counted() -> None:
    """Two taps 3 apart: torch's "same" takes them as they are, and with a stride in a frame of 5 pixels."""
    spec = BlockSpec(
        kernel_size=(2, 2), dilation=(3, 3), branches=parse_branches("kxk"), input_shape=(16, 16)
    )
    cost = cost_of(spec)
    assert (cost.params.fused, cost.macs.fused) == (18, 4096)
    strided = cost_of(replace(spec, stride=(2, 2)))
    assert (strided.params.fused, strided.macs.fused) == (102, 6400)


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(FusionError, match="a 3x3 convolution to 4 channels and a batch norm from 8 do not"):
        branch(Convolution(nn.Conv2d(2, 4, 3)), Norm(nn.BatchNorm2d(8), 8))
    with pytest.raises(FusionError, match="at least one layer"):
        branch()
    with pytest.raises(FusionError, match="two layers of a chain are called 'conv': give each its own name"):
        Branch("twice", [("conv", nine()), ("conv", nine())])
    for name in ("main", "a.b", ""):
        with pytest.raises(FusionError, match=f"no layer can be called '{name}': "):
            Branch("named", [(name, nine())])
    with pytest.raises(FusionError, match="ReLU is not a kind of layer whose kernel is known"):
        Branch("relu", [("relu", nn.ReLU())])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("padding", "mode", "words"),
    [
        (2, "zeros", r"its padding has it read rows -1 to 1, columns -1 to 1 of the 3x3 pixels"),
        (1, "reflect", "reflect padding in a chain that pads"),
    ],
)
def test_a_convolution_that_pads_otherwise_is_refused(padding: int, mode: str, words: str) -> None:
    module = nn.Conv2d(1, 1, 3, padding=padding, padding_mode=mode)  # type: ignore[arg-type]
    with pytest.raises(FusionError, match=words):
        ReparamBlock([branch(Convolution(module))]).eval().fuse()


def test_a_convolution_behind_another_that_pads_is_refused() -> None:
    padding = nn.Conv2d(1, 1, 3, padding=1)
    with pytest.raises(FusionError, match="zeros padded between two layers: say so with zeros_between"):
        branch(conv([[2]]), Convolution(padding))
    with pytest.raises(FusionError, match=r"padding \(1, 1\) is not that of the chain"):
        branch(Convolution(padding), nine())
    with pytest.raises(FusionError, match="a chain of a sum pads by itself"):
        Sum([Chain([("conv", Convolution(padding))]), Chain([("identity", Identity(1))])])


def test_an_existing_module_is_wrapped_and_not_copied() -> None:
    module, norm = nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5, eps=1e-3)
    chain = branch(Convolution(module), Norm(norm, 5))
    assert norm_in(chain, "layer1") is norm
    with torch.no_grad():
        before = chain.kernel().weight
        module.weight.mul_(2)
        assert torch.equal(chain.kernel().weight, before * 2)


def randomised(module: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator, dtype=torch.float64) - 0.5)
    with_wild_norms(module, seed)


@st.composite
def layers(
    draw: st.DrawFn, channels: int, depth: int = 1, strides: Sequence[int] = (1,)
) -> tuple[Layer, int]:
    """A layer of so many channels, and how many come out of it; sums in sums down to that depth."""
    kinds = ["conv", "norm", "factor", "identity", "average", "fixed"] + ["sum"] * (depth > 0)
    match draw(st.sampled_from(kinds)):
        case "conv":
            out = draw(st.sampled_from([2, 4]))
            groups = draw(st.sampled_from([1, 2]))
            size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
            dilation = draw(st.sampled_from([1, 1, 2]))
            bias = draw(st.booleans())
            stride = draw(st.sampled_from(strides))
            module = nn.Conv2d(channels, out, size, stride, dilation=dilation, groups=groups, bias=bias)
            return Convolution(module), out
        case "norm":
            return Norm(nn.BatchNorm2d(channels), channels), channels
        case "factor":
            return Factor(channels, by_channel=draw(st.booleans())), channels
        case "identity":
            return Identity(channels), channels
        case "average":
            return Average(channels, draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))), channels
        case "fixed":
            return FixedDepthwise(channels, draw(st.sampled_from([SOBEL_X, LAPLACIAN]))), channels
    inner = [draw(chains(channels, channels, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
    return Sum(Chain(each) for each in inner), channels


@st.composite
def chains(
    draw: st.DrawFn, channels: int, ends_with: int, depth: int = 2, strides: Sequence[int] = (1,)
) -> list[tuple[str, Layer]]:
    """Up to four layers from that many channels to `ends_with`."""
    made: list[tuple[str, Layer]] = []
    for place in range(draw(st.integers(1, 4))):
        layer, channels = draw(layers(channels, depth, strides))
        made.append((f"layer{place}", layer))
    if channels != ends_with:
        made.append(("last", Convolution(nn.Conv2d(channels, ends_with, 1))))
    return made


@given(
    st.lists(chains(4, 4), min_size=1, max_size=3),
    st.sampled_from(PaddingMode),
    st.integers(0, 2**20),
)
@settings(max_examples=120, deadline=None)
@torch.no_grad()
def test_any_chains_side_by_side_are_one_convolution(
    drawn: list[list[tuple[str, Layer]]], mode: PaddingMode, seed: int
) -> None:
    branches = [Branch(f"b{place}", each, padding_mode=mode) for place, each in enumerate(drawn)]
    block = ReparamBlock(branches, Geometry(padding_mode=mode)).double().eval()
    randomised(block, seed)
    x = torch.rand(1, 4, 24, 25, dtype=torch.float64) - 0.5
    expected, kernel = block(x), block.kernel()
    size = max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(block.fuse()(x), expected, rtol=0, atol=1e-9 * size)
    if mode is PaddingMode.ZEROS:
        by_definition = convolve(x, kernel.weight, kernel.bias)
        torch.testing.assert_close(by_definition, expected, rtol=0, atol=1e-9 * size)
        assert_impulses_give(block, kernel.weight, kernel.bias)


@given(chains(4, 4, strides=(1, 2, 3)), st.integers(0, 2**20))
@settings(max_examples=60, deadline=None)
@torch.no_grad()
def test_a_chain_that_skips_pixels_anywhere_is_one_convolution(
    drawn: list[tuple[str, Layer]], seed: int
) -> None:
    chain = Branch("chain", drawn)
    block = ReparamBlock([chain], chain.geometry).double().eval()
    randomised(block, seed)
    x = torch.rand(1, 4, 24, 25, dtype=torch.float64) - 0.5
    expected, kernel, geometry = block(x), block.kernel(), block.geometry
    y = convolve(
        x,
        kernel.weight,
        kernel.bias,
        stride=geometry.stride,
        dilation=geometry.dilation,
        groups=geometry.groups,
    )
    size = max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-9 * size)


def assert_impulses_give(block: ReparamBlock, weight: Tensor, bias: Tensor | None) -> None:
    """Every tap is what one output pixel makes of a 1 that stands there."""
    height, width = weight.shape[2:]
    middle = ((height - 1) // 2, (width - 1) // 2)
    zeros = torch.zeros(1, 4, 2 * height + 1, 2 * width + 1, dtype=torch.float64)
    row, column = height, width
    at_zero = block(zeros)[0, :, row, column]
    torch.testing.assert_close(at_zero, torch.zeros_like(at_zero) if bias is None else bias)
    for channel, (top, left) in itertools.product(range(4), [(0, 0), middle, (height - 1, width - 1)]):
        x = zeros.clone()
        x[0, channel, row + top - middle[0], column + left - middle[1]] = 1
        response = block(x)[0, :, row, column] - at_zero
        size = max(1.0, float(weight.abs().max()), float(at_zero.abs().max()))
        torch.testing.assert_close(response, weight[:, channel, top, left], rtol=0, atol=1e-9 * size)
