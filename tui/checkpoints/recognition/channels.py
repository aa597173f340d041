"""What the shapes under a prefix say of a block: its channels, the size of its largest kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tui.checkpoints.contents import Entry
from tui.checkpoints.families.patterns import (
    DEPTHWISE,
    BranchPattern,
    Conv,
    Factor,
    Fixed,
    LayerPattern,
    Norm,
    Together,
)
from tui.checkpoints.recognition.misfit import Misfit
from tui.checkpoints.recognition.presence import all_names
from tui.fusion.pair_text import Pair

Names = Mapping[str, Entry]
"""The tensors under a prefix, by their names without it."""


class Channels(NamedTuple):
    """What is known of a block's channels.

    Attributes:
        inside: of its input; None where no shape says.
        outside: of its output.
        columns: input channels that one output channel reads, of the convolutions at the heads of the
            branches that have the block's groups; None where there is none.
    """

    inside: int | None
    outside: int
    columns: int | None


def conv_shape(entry: Entry, name: str) -> tuple[int, int, int, int]:
    """A convolution's weight as (out_channels, in_channels / groups, kH, kW).

    Raises:
        Misfit: it has neither two, three nor four dimensions, or one of size 0.
    """
    shape = entry.shape
    if 0 in shape:
        raise Misfit(f"{name} is {shown_shape(shape)} and holds nothing", disagree=True, certain=True)
    match shape:
        case (out_channels, columns):
            return out_channels, columns, 1, 1
        case (out_channels, columns, width):
            return out_channels, columns, 1, width
        case (out_channels, columns, height, width):
            return out_channels, columns, height, width
    raise Misfit(f"{name} is {shown_shape(shape)}: not the weight of a convolution of one or two dimensions")


def shown_shape(shape: tuple[int, ...]) -> str:
    """ "8x8x3x3"."""
    return "x".join(map(str, shape)) or "a single number"


def common_kernel_size(branches: Iterable[BranchPattern], names: Names) -> Pair:
    """k on each axis: that of the largest convolution.

    Raises:
        Misfit: as `conv_shape`.
    """
    shapes = [conv_shape(names[conv.weight], conv.weight) for each in branches for conv in each.convs]
    return max((shape[2] for shape in shapes), default=1), max((shape[3] for shape in shapes), default=1)


def channels_of(branches: Iterable[BranchPattern], names: Names) -> Channels:
    """What the shapes say of the block's channels.

    Raises:
        Misfit: they contradict each other.
    """
    every = list(branches)
    ends = {count for each in every if (count := _end(each.layers, names)) is not None}
    if len(ends) != 1:
        raise Misfit(f"the branches end with {_listed(ends)} channels", disagree=True)
    outside = ends.pop()
    starts = {count for each in every if (count := _start(each.layers, names, outside)) is not None}
    if len(starts) > 1:
        raise Misfit(f"the branches read {_listed(starts)} channels", disagree=True)
    columns = {count for each in every if (count := _columns(each.layers, names)) is not None}
    if len(columns) > 1:
        raise Misfit(f"the branches read {_listed(columns)} channels in a group", disagree=True)
    return Channels(starts.pop() if starts else None, outside, columns.pop() if columns else None)


def _listed(counts: Iterable[int]) -> str:
    return " and ".join(map(str, sorted(counts))) or "no known number of"


def _end(layers: tuple[LayerPattern, ...], names: Names) -> int | None:
    """Channels that come out; None where the chain has no tensor that says so."""
    for layer in reversed(layers):
        match layer:
            case Conv(weight):
                return conv_shape(names[weight], weight)[0]
            case Norm(key):
                return names[f"{key}.running_var"].numel
            case Fixed(_, taps):
                return names[taps].shape[0] if names[taps].shape else 0
            case Together(chains):
                known = (_end(chain, names) for chain in chains)
                return next((count for count in known if count is not None), None)
            case Factor(name, by_channel) if by_channel:
                return names[name].numel
    return None


def _start(layers: tuple[LayerPattern, ...], names: Names, outside: int) -> int | None:
    """Channels that go in; None where no shape says."""
    for place, layer in enumerate(layers):
        match layer:
            case Conv(weight, groups=groups):
                shape = conv_shape(names[weight], weight)
                if layer.less_identity or groups == DEPTHWISE:
                    return shape[0]
                if groups == 1:
                    return shape[1]
                inner = _inner_groups(shape[0], layers[place + 1 :], names)
                return None if inner is None else inner * shape[1]
            case Norm(key):
                return names[f"{key}.running_var"].numel
            case Fixed(_, taps):
                return names[taps].shape[0] if names[taps].shape else 0
            case Together(chains):
                known = (_start(chain, names, outside) for chain in chains)
                return next((count for count in known if count is not None), None)
            case Factor(name, by_channel) if by_channel:
                return names[name].numel
    return outside


def _inner_groups(channels: int, layers: Iterable[LayerPattern], names: Names) -> int | None:
    """The groups that the next convolution of a chain has, which is given that many channels."""
    for layer in layers:
        inner = layer.chains[0] if isinstance(layer, Together) else (layer,)
        for each in inner:
            if isinstance(each, Conv):
                columns = conv_shape(names[each.weight], each.weight)[1]
                if each.groups is not None or channels % columns:
                    return 1 if each.groups is not None else None
                return channels // columns
    return None


def _columns(layers: tuple[LayerPattern, ...], names: Names) -> int | None:
    """Channels in a group that the head of the chain reads, if it is a convolution of the block's groups."""
    head = layers[0]
    if isinstance(head, Conv) and head.groups is None:
        return conv_shape(names[head.weight], head.weight)[1]
    return None


def names_read(branches: Iterable[BranchPattern], names: Names) -> Iterator[str]:
    """The names of all tensors of the branches that are there, in order."""
    for each in branches:
        for layer in each.flat():
            yield from (name for name in all_names(layer) if name in names)
