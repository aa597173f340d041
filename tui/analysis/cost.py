"""What a block costs, from the shapes alone: parameters and multiply-accumulates of both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.layer_spec import ChainSpec, LayerKind, LayerSpec, border_place, chained_stride


@dataclass(frozen=True, slots=True)
class Sides:
    """One count for the block as it is and one for the convolution that it fuses to."""

    unfused: int
    fused: int


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a block beside that of what it fuses to.

    Attributes:
        params: weights, biases, and gamma and beta of batch norms.
        macs: multiply-accumulates of the convolutions on the whole batch; batch norms and sums not counted.
    """

    params: Sides
    macs: Sides


class LayerCost(NamedTuple):
    """What a layer costs: its parameters, and its multiply-accumulates for each pixel of its output."""

    params: int
    macs: int = 0


def _of_convolution(layer: LayerSpec) -> LayerCost:
    weights = weights_of(layer)
    return LayerCost(weights + layer.bias * layer.out_channels, weights)


def _of_fixed(layer: LayerSpec) -> LayerCost:
    return LayerCost((1 + layer.bias) * layer.out_channels, weights_of(layer))


COSTS: dict[str, Callable[[LayerSpec], LayerCost]] = {
    LayerKind.CONVOLUTION: _of_convolution,
    LayerKind.OFFSET_CONVOLUTION: _of_convolution,
    LayerKind.DEPTHWISE: _of_fixed,
    LayerKind.NORM: lambda layer: LayerCost(2 * layer.out_channels),
    LayerKind.ALPHA: lambda _: LayerCost(1),
    LayerKind.GAMMA: lambda layer: LayerCost(layer.out_channels),
    LayerKind.AVERAGE: lambda _: LayerCost(0),
    LayerKind.IDENTITY: lambda _: LayerCost(0),
    LayerKind.SUM: lambda _: LayerCost(0),
}
"""The cost of a layer by its kind, of a sum beside what its chains cost. A new kind of layer is entered."""


def cost_of(spec: BlockSpec) -> Cost:
    """Parameters and MACs of this block and of its convolution.

    Raises:
        KeyError: nothing is known of what a kind of layer costs.
    """
    post_norm = 2 * spec.out_channels if spec.post_norm else 0
    params = sum(COSTS[layer.kind](layer).params for chain in spec.chains for layer in chain.all_layers())
    macs = sum(_macs(spec, chain, positions_of_input(spec)) for chain in spec.chains)
    return Cost(
        Sides(params + post_norm, _fused_params(spec)),
        Sides(macs, positions_of(spec) * _fused_weights(spec)),
    )


def positions_of(spec: BlockSpec) -> int:
    """Output pixels of the batch."""
    batch, _, height, width = spec.output_nchw
    return batch * height * width


def positions_of_input(spec: BlockSpec) -> int:
    """Input pixels of the batch."""
    return spec.batch_size * spec.input_shape[0] * spec.input_shape[1]


def weights_of(layer: LayerSpec) -> int:
    """Weights of a layer's kernel, those that are not learned too."""
    height, width = layer.kernel_size
    return layer.out_channels * (layer.in_channels // (layer.groups or layer.in_channels)) * height * width


def _macs(spec: BlockSpec, chain: ChainSpec, positions: int) -> int:
    """Those of a chain whose first layer is given so many pixels; from its stride on they are the output's.

    Where layers behind skip pixels too, as many more as they skip. The border that is padded up front is not
    counted.
    """
    total, padded = 0, border_place(chain.layers)
    height, width = spec.frame.output(spec.input_shape)
    for place, layer in enumerate(chain.layers):
        if place == padded and chain.own_border is not None:
            positions = spec.batch_size * height * width
        if layer.stride != (1, 1):
            rows, columns = chained_stride(each.stride for each in chain.layers[place + 1 :])
            positions = positions_of(spec) * rows * columns
        total += positions * COSTS[layer.kind](layer).macs
        total += sum(_macs(spec, inner, positions) for inner in layer.chains)
    return total


def _fused_weights(spec: BlockSpec) -> int:
    """Weights of the nn.Conv2d that is given away, the zeros of a larger frame among them."""
    height, width = spec.conv2d_frame.kernel_size
    return spec.out_channels * (spec.in_channels // spec.fused_groups) * height * width


def _fused_params(spec: BlockSpec) -> int:
    has_bias = spec.post_norm or any(layer.adds for chain in spec.chains for layer in chain.all_layers())
    return _fused_weights(spec) + has_bias * spec.out_channels
