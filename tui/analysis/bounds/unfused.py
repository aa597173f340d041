"""The errors of a block that runs its branches: the running error analysis along what `forward` does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

import torch
from torch import Tensor, nn

from tui.analysis.bounds.linear_maps import Averaging, Convolution, convolution_of
from tui.analysis.bounds.running import (
    Bounded,
    add,
    channels,
    convolve,
    exact,
    framed,
    multiply,
    normalise,
    pad,
    store,
)
from tui.fusion import layers
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError, affine_of, dirac
from tui.fusion.layers import Chain, Layer
from tui.fusion.layers.border import pad_function_mode
from tui.fusion.spec import PaddingMode


def block_bounds(block: ReparamBlock, x: Bounded, rows: Sequence[int]) -> Bounded:
    """The sum of the branches, with the post norm, in these output channels; every partial sum is stored.

    Raises:
        FusionError: a layer of no known kind, or a norm that is not a batch norm in eval mode.
    """
    first, *rest = block.branches
    y = chain_bounds(first, x, rows)
    for branch in rest:
        y = add(y, chain_bounds(branch, x, rows))
    return y if block.post_norm is None else _normalised(y, block.post_norm, rows)


def chain_bounds(chain: Chain, x: Bounded, rows: Sequence[int], *, bordered: bool = False) -> Bounded:
    """One layer after the other, in these output channels; `bordered`: x has its border around it already.

    The layers in front of the last that does more than rescale are followed in all of their channels.

    Raises:
        FusionError: as `block_bounds`.
    """
    for place, layer in enumerate(chain.layers):
        last = place >= chain.main
        if place == chain.main and layer.groups is None:
            x = channels(x, rows)
        if not bordered:
            x = _bordered(chain, place, x, rows if last and layer.groups is None else None)
        x = layer_bounds(layer, x, rows if last else range(layer.out_channels))
    return x


def _bordered(chain: Chain, place: int, x: Bounded, rows: Sequence[int] | None) -> Bounded:
    """What stands around the image in front of a layer: zeros, copies, or what zeros have become."""
    layer, border = chain.layers[place], chain.border_before(place)
    if isinstance(layer, layers.Convolution):
        (height, width), (left, right, top, bottom) = layer.padding, border
        border = left + width, right + width, top + height, bottom + height
    if not any(border):
        return x
    if chain.pads_zeros(place):
        return pad(x, border)
    if chain.padding_mode is not PaddingMode.ZEROS:
        return pad(x, border, pad_function_mode(chain.padding_mode))
    values = _constant_before(chain, place, x)
    if values is None:
        return pad(x, border)
    return framed(x, border, values if rows is None else channels(values, rows))


def _constant_before(chain: Chain, place: int, like: Bounded) -> Bounded | None:
    """What zeros have become in front of a layer, (1, channels, 1, 1); None where they are zeros."""
    values: Bounded | None = None
    precisions = [each.precision for each in like.errors]
    for layer in chain.layers[:place]:
        if values is None and isinstance(layer, layers.Identity):
            continue
        if values is None and isinstance(layer, layers.Convolution):  # its bias, which nothing rounds
            at_zero = layer.constant(None).detach().double()
            values = exact(at_zero.view(1, -1, 1, 1), precisions)
            continue
        if values is None:
            zeros = torch.zeros(1, layer.in_channels, 1, 1, dtype=torch.float64)
            values = exact(zeros, precisions)
        values = layer_bounds(layer, values, range(layer.out_channels))
    return values


@singledispatch
def layer_bounds(layer: Layer, x: Bounded, rows: Sequence[int]) -> Bounded:
    """One layer of an image with its border around it, in these output channels.

    A layer that sees each channel alone is given these channels only. A new kind of layer is registered.

    Raises:
        FusionError: as `block_bounds`.
    """
    raise FusionError(f"{type(layer).__name__} is not a kind of layer whose rounding is known")


@layer_bounds.register
def _(layer: layers.Identity, x: Bounded, rows: Sequence[int]) -> Bounded:
    return x


@layer_bounds.register
def _(layer: layers.Average, x: Bounded, rows: Sequence[int]) -> Bounded:
    return convolve(x, Averaging(layer.kernel_size, layer.stride))


@layer_bounds.register
def _(layer: layers.Convolution, x: Bounded, rows: Sequence[int]) -> Bounded:
    return _convolved(x, layer.conv, rows)


@layer_bounds.register
def _(layer: layers.OffsetConvolution, x: Bounded, rows: Sequence[int]) -> Bounded:
    """The stored weight plus the identity is stored too: its diagonal is rounded, and so is x times it."""
    conv, chosen = layer.conv, list(rows)
    identity = dirac(conv.out_channels, conv.groups).weight
    weight = conv.weight.detach().double() + identity
    bias = None if conv.bias is None else conv.bias.detach()[chosen]
    y = convolve(x, convolution_of(conv, weight).rows(rows), bias)
    diagonal = (weight * identity).sum(dim=1)[chosen].view(-1, 1, 1)
    return store(y, channels(x, rows).value.abs() * diagonal.abs() * (1 + 2.0**-6))


@layer_bounds.register
def _(layer: layers.FixedDepthwise, x: Bounded, rows: Sequence[int]) -> Bounded:
    """Factor times taps is rounded to the dtype before it is convolved: one more rounding of each product."""
    chosen = list(rows)
    weight = layer.kernel().weight[chosen]
    own = Convolution(weight, layer.stride, layer.dilation, len(chosen))
    y = convolve(x, own, None if layer.bias is None else layer.bias.detach()[chosen])
    sizes = own.absolute(x.value.abs())
    return store(y, sizes * (1 + 2.0**-6))


@layer_bounds.register
def _(layer: layers.Norm, x: Bounded, rows: Sequence[int]) -> Bounded:
    return _normalised(x, layer.norm, rows)


@layer_bounds.register
def _(layer: layers.Factor, x: Bounded, rows: Sequence[int]) -> Bounded:
    factor = layer.factor.detach()
    return multiply(x, factor[list(rows)] if factor.dim() else factor)


@layer_bounds.register
def _(layer: layers.Sum, x: Bounded, rows: Sequence[int]) -> Bounded:
    total: Bounded | None = None
    for chain in layer.summands:
        cropped = pad(x, layer.crop_of(chain))
        if layer.groups is None:
            y = _rows_of_chain(chain, cropped, rows)
        else:
            y = chain_bounds(chain, cropped, rows, bordered=True)
        total = y if total is None else add(total, y)
    assert total is not None
    return total


def _rows_of_chain(chain: Chain, x: Bounded, rows: Sequence[int]) -> Bounded:
    """A chain that mixes no channels, of an image that has these channels only."""
    for layer in chain.layers:
        x = layer_bounds(layer, x, rows)
    return x


def _convolved(x: Bounded, conv: nn.Conv2d, rows: Sequence[int]) -> Bounded:
    bias = None if conv.bias is None else conv.bias.detach()[list(rows)]
    return convolve(x, convolution_of(conv).rows(rows), bias)


def _normalised(x: Bounded, norm: nn.Module, rows: Sequence[int]) -> Bounded:
    scale, shift = affine_of(norm)
    assert isinstance(norm, nn.BatchNorm2d)
    beta = torch.zeros_like(shift) if norm.bias is None else norm.bias.detach().double()
    chosen: list[Tensor] = [values[list(rows)] for values in (scale, beta, shift - beta)]
    return normalise(x, *chosen)
