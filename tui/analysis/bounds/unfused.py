"""The errors of a block that runs its branches: the running error analysis along what `forward` does."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tui.analysis.bounds.by_layer import is_exact_at_zero, layer_bounds, normalised
from tui.analysis.bounds.running import (
    Bounded,
    add,
    channels,
    exact,
    framed,
    pad,
)
from tui.fusion.block import ReparamBlock
from tui.fusion.layers import Chain, Layer
from tui.fusion.layers.border import pad_function_mode
from tui.fusion.specs.block_spec import PaddingMode


def block_bounds(block: ReparamBlock, x: Bounded, rows: Sequence[int]) -> Bounded:
    """The sum of the branches, with the post norm, in these output channels; every partial sum is stored.

    Raises:
        FusionError: a layer of no known kind, or a norm that is not a batch norm in eval mode.
    """
    first, *rest = block.branches
    y = chain_bounds(first, x, rows)
    for branch in rest:
        y = add(y, chain_bounds(branch, x, rows))
    return y if block.post_norm is None else normalised(y, block.post_norm, rows)


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
        x = _of_layer(layer, x, rows if last else range(layer.out_channels))
    return x


def _bordered(chain: Chain, place: int, x: Bounded, rows: Sequence[int] | None) -> Bounded:
    """What stands around the image in front of a layer: zeros, copies, or what zeros have become."""
    layer, border = chain.layers[place], chain.border_before(place)
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
        if values is None and is_exact_at_zero(layer):
            at_zero = layer.constant(None).detach().double()
            values = exact(at_zero.view(1, -1, 1, 1), precisions)
            continue
        if values is None:
            zeros = torch.zeros(1, layer.in_channels, 1, 1, dtype=torch.float64)
            values = exact(zeros, precisions)
        values = _of_layer(layer, values, range(layer.out_channels))
    return values


def _of_layer(layer: Layer, x: Bounded, rows: Sequence[int]) -> Bounded:
    """One layer, as `layer_bounds` has it; of a sum its chains, each of its own crop, added one by one."""
    if not layer.summands:
        return layer_bounds(layer, x, rows)
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
        x = _of_layer(layer, x, rows)
    return x
