"""How each kind of layer rounds: the errors of its run, and what making its kernel goes through.

A sum is none of them: those who ask follow its chains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

import torch
from torch import Tensor, nn

from tui.analysis.bounds.linear_maps import Averaging, Convolution, convolution_of
from tui.analysis.bounds.running import Bounded, channels, convolve, multiply, normalise, store
from tui.analysis.numerics.precision import BATCH_NORM_ROUNDINGS
from tui.fusion import layers
from tui.fusion.kernel import FusionError, Kernel, add, affine_of, dirac
from tui.fusion.layers import Layer


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
    return normalised(x, layer.norm, rows)


@layer_bounds.register
def _(layer: layers.Factor, x: Bounded, rows: Sequence[int]) -> Bounded:
    factor = layer.factor.detach()
    return multiply(x, factor[list(rows)] if factor.dim() else factor)


def _convolved(x: Bounded, conv: nn.Conv2d, rows: Sequence[int]) -> Bounded:
    bias = None if conv.bias is None else conv.bias.detach()[list(rows)]
    return convolve(x, convolution_of(conv).rows(rows), bias)


def normalised(x: Bounded, norm: nn.Module, rows: Sequence[int]) -> Bounded:
    """A batch norm in eval mode, in these output channels.

    Raises:
        FusionError: as `affine_of`.
    """
    scale, shift = affine_of(norm)
    assert isinstance(norm, nn.BatchNorm2d)
    beta = torch.zeros_like(shift) if norm.bias is None else norm.bias.detach().double()
    chosen: list[Tensor] = [values[list(rows)] for values in (scale, beta, shift - beta)]
    return normalise(x, *chosen)


@singledispatch
def is_exact_at_zero(layer: Layer) -> bool:
    """Whether nothing rounds what it gives of zeros."""
    return False


@is_exact_at_zero.register
def _(layer: layers.Identity) -> bool:
    return True


@is_exact_at_zero.register
def _(layer: layers.Convolution) -> bool:
    """That is its bias."""
    return True


@dataclass(frozen=True, eq=False)
class FoldSize:
    """What a fold went through.

    Attributes:
        kernel: for each weight and bias the sum of the absolute values of its summands, (out_channels,
            in_channels / groups, kH, kW) and (out_channels,).
        roundings: no weight and no bias met more, one after the other.
        summing: those of them that came while products were summed up, as a 16-bit dtype does in float32.
    """

    kernel: Kernel
    roundings: int = 0
    summing: int = 0


@singledispatch
def size_of(layer: Layer) -> FoldSize:
    """What making a layer's own kernel goes through; where it rescales: what it does to that before it.

    A new kind of layer is registered.

    Raises:
        FusionError: nothing is known of this kind, or the layer cannot be folded.
    """
    raise FusionError(f"{type(layer).__name__} is not a kind of layer whose rounding is known")


@size_of.register
def _(layer: layers.Convolution) -> FoldSize:
    return FoldSize(_absolute(layer.kernel()))


@size_of.register
def _(layer: layers.OffsetConvolution) -> FoldSize:
    _, stored = next(layer.folds())
    return FoldSize(add([_absolute(stored), dirac(layer.out_channels, layer.conv.groups)]), 1)


@size_of.register
def _(layer: layers.FixedDepthwise) -> FoldSize:
    return FoldSize(_absolute(layer.kernel()), 1)


@size_of.register
def _(layer: layers.Identity) -> FoldSize:
    return FoldSize(layer.kernel())


@size_of.register
def _(layer: layers.Average) -> FoldSize:
    return FoldSize(layer.kernel(), 1)


@size_of.register
def _(layer: layers.Factor) -> FoldSize:
    return FoldSize(_absolute(layer.kernel()), 1)


@size_of.register
def _(layer: layers.Norm) -> FoldSize:
    scale, shift = affine_of(layer.norm)
    return FoldSize(
        Kernel(scale.abs().view(-1, 1, 1, 1), offset_size(layer.norm, shift)), BATCH_NORM_ROUNDINGS
    )


def offset_size(norm: nn.Module, shift: Tensor) -> Tensor:
    """|beta| + |s mean| of a batch norm that adds `shift`."""
    assert isinstance(norm, nn.BatchNorm2d)
    beta = torch.zeros_like(shift) if norm.bias is None else norm.bias.detach().double()
    return beta.abs() + (shift - beta).abs()


def _absolute(kernel: Kernel) -> Kernel:
    return Kernel(kernel.weight.abs(), None if kernel.bias is None else kernel.bias.abs())
