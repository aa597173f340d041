"""How each kind of layer computes one element: its sum written out, and its values under a few taps."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

import torch
from torch import Tensor
from torch.nn import functional

from tui.analysis.alterations.count_inside import InsideAverage
from tui.analysis.numerics.exact_sum import rounded
from tui.analysis.probe.written import Applied, Element, WrittenSum, normed, written_sum
from tui.fusion import layers
from tui.fusion.kernel import affine_of
from tui.fusion.layers import Layer
from tui.fusion.pair_text import Pair
from tui.fusion.specs.layer_spec import in_a_row
from tui.fusion.specs.padding import taps_apart


@singledispatch
def written(layer: Layer, patch: Tensor, padding: Tensor, first_channel: int, element: Element) -> WrittenSum:
    """The sum that gives the element's channel.

    patch: (channels that it reads, kH, kW), the first of them `first_channel`.
    Of a kind that nothing is registered for: the products with its kernel.
    """
    kernel = layer.kernel().rows([element.channel])
    bias = None if kernel.bias is None else kernel.bias[0]
    return _summed(patch, kernel.weight[0], bias, padding, first_channel, element)


@written.register
def _(
    layer: layers.Convolution, patch: Tensor, padding: Tensor, first_channel: int, element: Element
) -> WrittenSum:
    channel, bias = element.channel, layer.conv.bias
    weight = weight_rows(layer, range(channel, channel + 1))[0]
    return _summed(patch, weight, None if bias is None else bias[channel], padding, first_channel, element)


@written.register
def _(
    layer: layers.Average, patch: Tensor, padding: Tensor, first_channel: int, element: Element
) -> WrittenSum:
    inside = padding.logical_not() if isinstance(layer.pool, InsideAverage) else torch.ones_like(padding)
    return written_sum(
        patch,
        inside.expand_as(patch),
        None,
        padding,
        first_channel=first_channel,
        dtype=element.dtype,
        divisor=int(inside.sum()),
    )


@written.register
def _(layer: layers.Sum, patch: Tensor, padding: Tensor, first_channel: int, element: Element) -> WrittenSum:
    """The products with its kernel; the value as its chains come to it, each rounded by itself."""
    total = written.dispatch(Layer)(layer, patch, padding, first_channel, element)
    channels = range(element.channel, element.channel + 1)
    return replace(total, value=float(passed(layer, patch, channels, (1, 1), element.dtype)))


def _summed(
    patch: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Tensor,
    first_channel: int,
    element: Element,
) -> WrittenSum:
    return written_sum(patch, weight, bias, padding, first_channel=first_channel, dtype=element.dtype)


@singledispatch
def applied(layer: Layer, title: str, channel: int, value: float, dtype: torch.dtype) -> Applied:
    """A layer that rescales, after a value of that channel.

    Raises:
        FusionError: it is no kernel, as a batch norm in train mode is none.
    """
    kernel = layer.kernel()
    offset = 0.0 if kernel.bias is None else float(kernel.bias[channel])
    return shifted(title, float(kernel.weight[channel]), offset, value, dtype)


@applied.register
def _(layer: layers.Norm, title: str, channel: int, value: float, dtype: torch.dtype) -> Applied:
    return normed(layer.norm, title, channel, value, dtype)


@singledispatch
def passed(layer: Layer, window: Tensor, channels: range, apart: Pair, dtype: torch.dtype) -> Tensor:
    """The layer's values of these channels, rounded to the dtype, over a window of its input.

    window: (channels that they read, h, w) in float64, on which the layer's taps lie `apart` places from each
    other -> (len(channels), h', w') in float64.
    """
    kernel = layer.kernel().rows(list(channels))
    y = _passed(layer, window, kernel.weight, kernel.bias, channels, apart)
    return y.to(dtype).double()


@passed.register
def _(layer: layers.Convolution, window: Tensor, channels: range, apart: Pair, dtype: torch.dtype) -> Tensor:
    bias = layer.conv.bias
    rows = slice(channels.start, channels.stop)
    weight = weight_rows(layer, channels)
    offset = None if bias is None else bias[rows].double()
    return _passed(layer, window, weight, offset, channels, apart).to(dtype).double()


@passed.register
def _(layer: layers.Norm, window: Tensor, channels: range, apart: Pair, dtype: torch.dtype) -> Tensor:
    rows = slice(channels.start, channels.stop)
    factors, offsets = (part[rows].view(-1, 1, 1) for part in affine_of(layer.norm))
    return (window * factors + offsets).to(dtype).double()


@passed.register
def _(layer: layers.Identity, window: Tensor, channels: range, apart: Pair, dtype: torch.dtype) -> Tensor:
    return window


@passed.register
def _(layer: layers.Sum, window: Tensor, channels: range, apart: Pair, dtype: torch.dtype) -> Tensor:
    """Each chain's values, and their partial sums, rounded as they are run."""
    rows, columns = layer.dilation
    total: Tensor | None = None
    for chain in layer.summands:
        left, right, top, bottom = layer.crop_of(chain)
        sides = (pixels // columns * apart[1] for pixels in (left, right))
        ends = (pixels // rows * apart[0] for pixels in (top, bottom))
        y = _through(chain, functional.pad(window, (*sides, *ends)), layer, channels, apart, dtype)
        total = y if total is None else (total + y).to(dtype).double()
    assert total is not None
    return total


def _through(
    chain: layers.Chain, window: Tensor, of: layers.Sum, channels: range, apart: Pair, dtype: torch.dtype
) -> Tensor:
    """The values of these channels that a chain of a sum gives over a window of what the sum reads for them.

    `apart`: places of the window from one tap of the sum to the next.
    """
    needed = [channels]
    for layer in reversed(chain.layers):
        needed.insert(0, layer.reads(needed[0]))
    given = of.reads(channels)
    y = window[needed[0].start - given.start : needed[0].stop - given.start]
    for layer, wanted, taps in zip(chain.layers, needed[1:], in_a_row(chain.layers), strict=True):
        rows, columns = taps_apart(taps.kernel_size, taps.dilation, of.dilation)
        y = passed(layer, y, wanted, (rows * apart[0], columns * apart[1]), dtype)
    return y


def weight_rows(layer: layers.Convolution, channels: range) -> Tensor:
    """(len(channels), in_channels / groups, kH, kW), as it is multiplied with, in float64."""
    return layer.weight_used()[channels.start : channels.stop].double()


def _passed(
    layer: Layer, window: Tensor, weight: Tensor, bias: Tensor | None, channels: range, apart: Pair
) -> Tensor:
    """The products of the window with the rows of these channels, without rounding."""
    columns, taps = weight.shape[1], tuple(weight.shape[2:])
    if columns == len(window) and taps == (1, 1):
        y: Tensor = torch.tensordot(weight.flatten(1), window, dims=1)
    else:
        first = layer.reads(channels).start
        starts = torch.tensor([layer.reads(range(each, each + 1)).start - first for each in channels])
        read = window[(starts.view(-1, 1) + torch.arange(columns)).flatten()]
        y = functional.conv2d(read.unsqueeze(0), weight, dilation=apart, groups=len(channels))[0]
    return y if bias is None else y + bias.view(-1, 1, 1)


def shifted(title: str, factor: float, offset: float, value: float, dtype: torch.dtype) -> Applied:
    """factor value + offset, rounded."""
    return Applied(title, factor, offset, rounded(factor * value + offset, dtype))
