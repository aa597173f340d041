"""From layers in numbers to the modules that run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from tui.fusion.kernel import FusionError
from tui.fusion.layers.base import Layer
from tui.fusion.layers.branch import Branch
from tui.fusion.layers.chain import Chain
from tui.fusion.layers.channelwise import Average, Identity
from tui.fusion.layers.convolution import Convolution, OffsetConvolution, OffsetIdentityConv
from tui.fusion.layers.fixed import FixedDepthwise
from tui.fusion.layers.rescaling import Factor, Norm
from tui.fusion.layers.sum import Sum
from tui.fusion.pair_text import Pair
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.layer_spec import USUAL_EPS, ChainSpec, LayerKind, LayerSpec
from tui.fusion.specs.padding import even_padding


def build_branch(chain: ChainSpec, name: str) -> Branch:
    """The module for one branch, with torch's default values in its parameters.

    Raises:
        FusionError: a layer is of a kind that is not known here.
    """
    return Branch(
        name,
        _layers(chain, _padding_at_the_head(chain)),
        own_groups=chain.own_groups,
        padding_mode=PaddingMode(chain.padding_mode),
        zeros_between=chain.zeros_between,
        own_border=chain.own_border,
    )


def _padding_at_the_head(chain: ChainSpec) -> Pair | None:
    """What a convolution at the head pads for the whole chain; None where that stands to the chain."""
    spatial = [layer for layer in chain.layers if layer.kernel_size != (1, 1)]
    head = chain.layers[0]
    if head.kind != LayerKind.CONVOLUTION or spatial[1:] or spatial[:1] not in ([], [head]):
        return None
    return even_padding(chain.border)


def _layers(chain: ChainSpec, padding: Pair | None) -> list[tuple[str, Layer]]:
    made: list[tuple[str, Layer]] = []
    for place, layer in enumerate(chain.layers):
        if place == 0 and padding is not None:
            made.append((layer.name, Convolution(_conv(layer, padding, chain.padding_mode))))
        elif layer.kind in _MAKERS:
            made.append((layer.name, _MAKERS[layer.kind](layer)))
        else:
            raise FusionError(f"{layer.kind} is not a kind of layer that can be built from its name")
    return made


def _conv(layer: LayerSpec, padding: Pair = (0, 0), mode: str = "zeros") -> nn.Conv2d:
    return nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        stride=layer.stride,
        padding=padding,
        dilation=layer.dilation,
        groups=layer.groups or layer.in_channels,
        bias=layer.bias,
        padding_mode=mode,  # type: ignore[arg-type]  # any text is one of torch's
    )


def _offset(layer: LayerSpec) -> Layer:
    conv = OffsetIdentityConv(layer.in_channels, groups=layer.groups or layer.in_channels, bias=layer.bias)
    return OffsetConvolution(conv)


def _norm(layer: LayerSpec) -> Layer:
    eps = USUAL_EPS if layer.eps is None else layer.eps
    return Norm(nn.BatchNorm2d(layer.out_channels, eps=eps), layer.out_channels)


def _fixed(layer: LayerSpec) -> Layer:
    return FixedDepthwise(
        layer.out_channels, layer.taps, stride=layer.stride, dilation=layer.dilation, bias=layer.bias
    )


def _sum(layer: LayerSpec) -> Layer:
    return Sum(Chain(_layers(chain, None), own_groups=chain.own_groups) for chain in layer.chains)


_MAKERS: Mapping[str, Callable[[LayerSpec], Layer]] = {
    LayerKind.CONVOLUTION: lambda layer: Convolution(_conv(layer)),
    LayerKind.OFFSET_CONVOLUTION: _offset,
    LayerKind.NORM: _norm,
    LayerKind.AVERAGE: lambda layer: Average(layer.out_channels, layer.kernel_size, layer.stride),
    LayerKind.ALPHA: lambda layer: Factor(layer.out_channels, by_channel=False),
    LayerKind.GAMMA: lambda layer: Factor(layer.out_channels, by_channel=True),
    LayerKind.IDENTITY: lambda layer: Identity(layer.out_channels),
    LayerKind.DEPTHWISE: _fixed,
    LayerKind.SUM: _sum,
}
