"""Which numbers each kind of layer has that can be edited, and what each is called in a block: its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from tui.fusion.specs.layer_spec import ChainSpec, LayerKind, LayerSpec

Shape = tuple[int, ...]

NORM_PARTS = ("gamma", "beta", "mean", "var", "eps")
"""The numbers of a batch norm: one a channel, but for eps, of which there is one."""


class Editable(NamedTuple):
    """What can be edited in a kind of layer.

    Attributes:
        shapes: of its numbers, by the names that `Layer.numbers` gives them.
        called: what it is where a number is said to stand before it; its kind where that is "".
        weightless: why its taps cannot be edited, of one without a weight.
    """

    shapes: Callable[[LayerSpec], dict[str, Shape]]
    called: str = ""
    weightless: str = ""


def _of_convolution(layer: LayerSpec) -> dict[str, Shape]:
    columns = layer.in_channels // (layer.groups or layer.in_channels)
    weight = (layer.out_channels, columns, *layer.kernel_size)
    return {"weight": weight} | ({"bias": (layer.out_channels,)} if layer.bias else {})


def _of_fixed(layer: LayerSpec) -> dict[str, Shape]:
    return dict.fromkeys(("factor", "bias") if layer.bias else ("factor",), (layer.out_channels,))


def _none(_: LayerSpec) -> dict[str, Shape]:
    return {}


def norm_shapes(channels: int) -> dict[str, Shape]:
    """The shapes of a batch norm's numbers."""
    return {part: (1,) if part == "eps" else (channels,) for part in NORM_PARTS}


EDITABLE: dict[str, Editable] = {
    LayerKind.CONVOLUTION: Editable(_of_convolution),
    LayerKind.OFFSET_CONVOLUTION: Editable(_of_convolution),
    LayerKind.DEPTHWISE: Editable(_of_fixed),
    LayerKind.NORM: Editable(lambda layer: norm_shapes(layer.out_channels), "batch norm"),
    LayerKind.ALPHA: Editable(lambda _: {"": (1,)}),
    LayerKind.GAMMA: Editable(lambda layer: {"": (layer.out_channels,)}),
    LayerKind.IDENTITY: Editable(
        _none, weightless="The identity has no weights: its ones say that it returns its input."
    ),
    LayerKind.AVERAGE: Editable(_none, weightless="Average pooling has no weights: each tap is 1 / (kH kW)."),
}
"""By kind; of one that is not entered nothing can be edited."""

_NOTHING = Editable(_none)


def editable_of(layer: LayerSpec) -> Editable:
    """What can be edited in a layer of that kind."""
    return EDITABLE.get(layer.kind, _NOTHING)


def numbers_of(layer: LayerSpec) -> dict[str, Shape]:
    """The shapes of its numbers that can be edited, by name."""
    return editable_of(layer).shapes(layer)


_IN_PLACES = {"conv": "", "second": "", "inner_norm": "first.norm"}
"""What layers of the branches of a spec are called in a place, where that is not their name."""


def place_of(branch: str, layer: str, tensor: str, among: Collection[str]) -> str:
    """The place of a tensor of a branch's layer; the branch's last convolution needs no name.

    layer: its name, "sum.1.conv" of one inside of a sum; among: those of all layers of the branch, no two of
    which share a place. `tensor` is "" where the layer has only one, which is called as the layer is.
    """
    part = _IN_PLACES.get(layer, layer)
    taken = [name for name in among if _IN_PLACES.get(name, name) == part]
    if len(taken) > 1 or (not part and not {"weight", "bias"}.isdisjoint(among)):
        part = layer
    return ".".join(filter(None, [branch, part, tensor]))


def shapes_in(branch: str, chain: ChainSpec) -> Iterator[tuple[str, Shape]]:
    """The place and the shape of every tensor of a branch whose numbers can be edited."""
    for name, layer in chain.named_layers():
        for tensor, shape in numbers_of(layer).items():
            yield place_of(branch, name, tensor, chain.names), shape
