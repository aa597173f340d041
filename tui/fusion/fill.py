"""Seeded values for a block and its input, the same on every machine.

Only torch.rand, torch.randint and float64 torch.randn are drawn from, and scaled in separate operations:
they give the same bits under every CPU capability. Each branch and the input have a stream of their own, so
that switching one branch leaves the values of the others as they were.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from functools import singledispatch

import torch
from torch import Generator, Tensor, nn

from tui.fusion.block import ReparamBlock
from tui.fusion.layers import Branch, Convolution, Factor, FixedDepthwise, Layer, Norm
from tui.fusion.specs.block_spec import BlockSpec, InputFill, Pair, WeightFill
from tui.fusion.specs.branch_spec import POST_NORM, names_of
from tui.fusion.torch_dtypes import torch_dtype

EXACT_EPS = 0.25
"""eps of batch norms with exact statistics: running_var + eps is a power of 4, its root a power of 2."""

_INPUT = "input"
_FIRST_STREAMS = ("kxk", "1x1", "identity", _INPUT)
"""Streams that are numbered; all others go by a hash of their name."""

_LARGEST_SEED = 4_294_967_291
"""A prime, as torch looks only at the last 32 bits."""


def _generator(seed: int, stream: str) -> Generator:
    """A generator for one stream of a seed."""
    if stream in _FIRST_STREAMS:
        number = seed * len(_FIRST_STREAMS) + _FIRST_STREAMS.index(stream)
    else:
        number = int.from_bytes(hashlib.sha256(f"{seed} {stream}".encode()).digest()[:8])
    return Generator().manual_seed(number % _LARGEST_SEED)


def _uniform(shape: tuple[int, ...], bound: float, generator: Generator) -> Tensor:
    """Uniform in [-bound, bound), float64."""
    unit = torch.rand(shape, dtype=torch.float64, generator=generator)
    return (unit * 2 - 1) * bound


def _integers(shape: tuple[int, ...], largest: int, generator: Generator) -> Tensor:
    """Whole numbers from -largest to largest, float64."""
    return torch.randint(-largest, largest + 1, shape, generator=generator).double()


@torch.no_grad()
def fill_block(block: ReparamBlock, spec: BlockSpec) -> ReparamBlock:
    """Give every parameter and statistic of the block its value; returns the block.

    random: uniform within 1/sqrt(fan_in), as nn.Conv2d does; batch norms with statistics far from the
    default ones; alpha and gamma from 1/2 to 3/2. integers: weights from -2 to 2, alpha and gamma 1/2 or 3/2,
    and batch norms whose folding is exact. ones: weights and biases 1, the rest as for integers. Average
    pooling is exact only where its window has 2^n pixels.

    >>> from tui.fusion.block import build_block
    >>> spec = BlockSpec(weights=WeightFill.ONES)
    >>> fill_block(build_block(spec), spec).kernel().weight[0, 0].tolist()
    [[1.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 1.0]]
    """
    streams = _streams_of(spec)
    for stream, branch in zip(streams, block.branches, strict=True):
        _fill_branch(branch, stream, spec)
    if isinstance(block.post_norm, nn.BatchNorm2d):
        _fill_norm(block.post_norm, spec.weights, _generator(spec.seed, POST_NORM))
    return block


def _streams_of(spec: BlockSpec) -> list[str]:
    """A stream for each branch: its title, numbered from the second of that title on.

    So the first of a title draws the same values however many follow it.
    """
    names = (name.removesuffix(" #1") for name in names_of(spec.branches))
    return list(names)


_SUFFIXES = {
    "conv": "",
    "second": "",
    "norm": "",
    "first": " inner",
    "inner_norm": " inner",
    "alpha": " scale",
    "gamma": " scale",
}
"""What is added to the branch's stream for its layers of these names; for other layers it is the name."""


def _fill_branch(branch: Branch, stream: str, spec: BlockSpec) -> None:
    """Layers of one stream go on where the one before ended."""
    generators: dict[str, Generator] = {}
    for name, layer in branch.all_layers():
        own = stream + _SUFFIXES.get(name, f" {name}")
        if own not in generators:
            generators[own] = _generator(spec.seed, own)
        fill_layer(layer, spec.weights, generators[own])


@singledispatch
def fill_layer(layer: Layer, fill: WeightFill, generator: Generator) -> None:
    """Give the layer's parameters their values; a kind without parameters has none to give."""


@fill_layer.register
def _(layer: Convolution, fill: WeightFill, generator: Generator) -> None:
    _fill_conv(layer.conv, fill, generator)


@fill_layer.register
def _(layer: Norm, fill: WeightFill, generator: Generator) -> None:
    if isinstance(layer.norm, nn.BatchNorm2d):
        _fill_norm(layer.norm, fill, generator)


@fill_layer.register
def _(layer: Factor, fill: WeightFill, generator: Generator) -> None:
    _fill_scale(layer.factor, fill, generator)


@fill_layer.register
def _(layer: FixedDepthwise, fill: WeightFill, generator: Generator) -> None:
    _fill_scale(layer.factor, fill, generator)
    if layer.bias is not None:
        shape = tuple(layer.bias.shape)
        random = fill is WeightFill.RANDOM
        layer.bias.copy_(_uniform(shape, 0.5, generator) if random else _integers(shape, 2, generator))


def _fill_conv(conv: nn.Conv2d, fill: WeightFill, generator: Generator) -> None:
    shape = tuple(conv.weight.shape)
    bound = 1 / math.sqrt(math.prod(shape[1:]))
    draw: dict[WeightFill, Callable[[tuple[int, ...]], Tensor]] = {
        WeightFill.RANDOM: lambda shape: _uniform(shape, bound, generator),
        WeightFill.INTEGERS: lambda shape: _integers(shape, 2, generator),
        WeightFill.ONES: torch.ones,
    }
    conv.weight.copy_(draw[fill](shape))
    bias = draw[fill](shape[:1])  # drawn in any case: the batch norm's values do not depend on it
    if conv.bias is not None:
        conv.bias.copy_(bias)


def _fill_norm(norm: nn.BatchNorm2d, fill: WeightFill, generator: Generator) -> None:
    shape = (norm.num_features,)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    if fill is WeightFill.RANDOM:
        norm.weight.copy_(1 + _uniform(shape, 0.5, generator))
        norm.bias.copy_(_uniform(shape, 0.5, generator))
        norm.running_mean.copy_(_uniform(shape, 0.5, generator))
        norm.running_var.copy_(1 + _uniform(shape, 0.75, generator))
        return
    norm.eps = EXACT_EPS
    norm.weight.copy_((2 + _integers(shape, 1, generator)) / 2)
    norm.bias.copy_(_integers(shape, 2, generator) / 2)
    norm.running_mean.copy_(_integers(shape, 2, generator) / 2)
    norm.running_var.copy_(4 ** (1 + _integers(shape, 1, generator)) - EXACT_EPS)


def _fill_scale(factors: Tensor, fill: WeightFill, generator: Generator) -> None:
    shape = tuple(factors.shape)
    if fill is WeightFill.RANDOM:
        factors.copy_(1 + _uniform(shape, 0.5, generator))
    else:
        factors.copy_(0.5 + torch.randint(0, 2, shape, generator=generator))


def make_input(spec: BlockSpec) -> Tensor:
    """The input of shape (batch, in_channels, height, width), in the spec's dtype.

    random: normal, mean 0, variance 1. integers: from -4 to 4. ones. ramp: counts up through the elements in
    order, in steps of a power of 2, from 0 to below 1. impulses: ones so far apart that each output sees at
    most one of them, so the output shows the kernel itself (where no padding mode reflects or repeats them).

    >>> make_input(BlockSpec(in_channels=4, out_channels=4, input_shape=(5, 7))).shape
    torch.Size([1, 4, 5, 7])
    """
    shape = spec.input_nchw
    generator = _generator(spec.seed, _INPUT)
    values: dict[InputFill, Callable[[], Tensor]] = {
        InputFill.RANDOM: lambda: torch.randn(shape, dtype=torch.float64, generator=generator),
        InputFill.INTEGERS: lambda: _integers(shape, 4, generator),
        InputFill.ONES: lambda: torch.ones(shape),
        InputFill.RAMP: lambda: _ramp(shape),
        InputFill.IMPULSES: lambda: _impulses(shape, spec),
    }
    dtype = torch_dtype(spec.dtype)
    return values[spec.input]().to(dtype)


def _ramp(shape: tuple[int, ...]) -> Tensor:
    count = math.prod(shape)
    step = 2.0 ** -math.ceil(math.log2(count)) if count > 1 else 1.0
    return (torch.arange(count, dtype=torch.float64) * step).view(shape)


def _impulses(shape: tuple[int, int, int, int], spec: BlockSpec) -> Tensor:
    batch, channels, height, width = shape
    reach: Pair = (
        spec.fused_dilation[0] * (spec.fused_kernel_size[0] - 1) + 1,
        spec.fused_dilation[1] * (spec.fused_kernel_size[1] - 1) + 1,
    )
    rows = torch.arange(min(reach[0] // 2, height - 1), height, reach[0])
    columns = torch.arange(min(reach[1] // 2, width - 1), width, reach[1])
    places = torch.cartesian_prod(torch.arange(batch), rows, columns)
    x = torch.zeros(shape)
    x[places[:, 0], torch.arange(len(places)) % channels, places[:, 1], places[:, 2]] = 1
    return x
