"""What a layer and a chain of layers are, in numbers: known before torch is imported."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from tui.fusion.pair_text import Pair
from tui.fusion.specs.padding import Border, extent, same_border, taps_apart

USUAL_EPS = 1e-5
"""nn.BatchNorm2d's default."""

YOLO_EPS = 1e-3
"""That of YOLO models."""


class LayerKind(StrEnum):
    """The kinds of layer that a spec can name; other kinds are a LayerSpec with a word of their own."""

    CONVOLUTION = "conv"
    OFFSET_CONVOLUTION = "idconv"
    NORM = "norm"
    AVERAGE = "avg"
    ALPHA = "alpha"
    GAMMA = "gamma"
    IDENTITY = "identity"
    DEPTHWISE = "fixed"
    SUM = "sum"


CONVOLUTIONS = (LayerKind.CONVOLUTION, LayerKind.OFFSET_CONVOLUTION)
"""Those with a weight, which can mix channels."""

RESCALING = (LayerKind.NORM, LayerKind.ALPHA, LayerKind.GAMMA)
"""Those that only multiply and shift each channel."""

STRIDING = (LayerKind.CONVOLUTION, LayerKind.AVERAGE, LayerKind.DEPTHWISE, LayerKind.SUM)
"""Those that can skip pixels; DBB's 1 x 1 that is stored minus the identity has no stride."""


class Shaped(Protocol):
    """What tells how the taps of a layer or of a chain lie."""

    @property
    def kernel_size(self) -> Pair:
        """(kH, kW), before any dilation."""
        ...

    @property
    def dilation(self) -> Pair:
        """Pixels from one tap to the next."""
        ...


class Moving(Shaped, Protocol):
    """What tells how the taps of a layer lie and move."""

    @property
    def stride(self) -> Pair:
        """From one output to the next."""
        ...


class SpacedTaps(NamedTuple):
    """How the taps of a layer lie in an image."""

    kernel_size: Pair
    dilation: Pair


class Bordered(Shaped, Protocol):
    """What tells where the taps of a chain lie, by what stands around the image for it."""

    @property
    def border(self) -> Border:
        """Its first tap stands as many pixels before that of the output."""
        ...


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One layer.

    Attributes:
        kind: a LayerKind, or the word of another kind.
        name: what it is called in its chain: "conv", "first", "norm".
        groups: None where each output channel reads its own input channel alone.
        bias: whether it has a learned number a channel that is added.
        rescales: whether it only multiplies and shifts each channel.
        adds: whether it may make something of zeros.
        eps: of a batch norm; None where it is none.
        taps: of a fixed kernel, row by row.
        chains: of a sum.
    """

    kind: str
    name: str
    in_channels: int
    out_channels: int
    kernel_size: Pair = (1, 1)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int | None = None
    bias: bool = False
    rescales: bool = False
    adds: bool = False
    eps: float | None = None
    taps: tuple[tuple[float, ...], ...] = ()
    chains: tuple[ChainSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ChainSpec:
    """Layers one after the other.

    Attributes:
        own_groups: of its kernel where no layer mixes channels.
        padding_mode: what stands outside the image: torch's name for it.
        zeros_between: whether each layer pads its own zeros; else what zeros in front become.
        own_border: what stands around the image for it, None where that is torch's "same".
    """

    layers: tuple[LayerSpec, ...]
    own_groups: int = 1
    padding_mode: str = "zeros"
    zeros_between: bool = False
    own_border: Border | None = None

    @property
    def border(self) -> Border:
        """What stands around the image for it."""
        return self.own_border or same_border(self.kernel_size, self.dilation)

    @property
    def dilation(self) -> Pair:
        """Pixels from one tap of its kernel to the next."""
        return spacing_of(in_a_row(self.layers))

    @property
    def kernel_size(self) -> Pair:
        """(kH, kW) of its kernel, the taps `dilation` apart."""
        return chained_size(in_a_row(self.layers), self.dilation)

    @property
    def mixing_groups(self) -> int | None:
        """The most groups that all layers can be written with; None where none mixes channels."""
        return common_groups(layer.groups for layer in self.layers)

    @property
    def groups(self) -> int:
        """Those of its kernel."""
        return self.mixing_groups or self.own_groups

    @property
    def stride(self) -> Pair:
        """From one output to the next."""
        return chained_stride(layer.stride for layer in self.layers)

    @property
    def main(self) -> int:
        """The place of the last layer before those that only rescale."""
        return main_place([layer.rescales for layer in self.layers])

    @property
    def tail(self) -> tuple[LayerSpec, ...]:
        """The layers at its end that only rescale."""
        return self.layers[self.main + 1 :]

    @property
    def adds(self) -> bool:
        """Whether it may make something of zeros."""
        return any(layer.adds for layer in self.layers)

    @property
    def names(self) -> tuple[str, ...]:
        """What its layers are called, those inside of sums too."""
        return tuple(name for name, _ in self.named_layers())

    def all_layers(self) -> Iterable[LayerSpec]:
        """Every layer, those inside of sums too."""
        return (layer for _, layer in self.named_layers())

    def named_layers(self) -> Iterator[tuple[str, LayerSpec]]:
        """Every layer by its name, those inside of sums too: "sum.1.conv"."""
        for layer in self.layers:
            yield layer.name, layer
            for place, chain in enumerate(layer.chains):
                for name, inner in chain.named_layers():
                    yield f"{layer.name}.{place + 1}.{name}", inner


def in_a_row(layers: Iterable[Moving]) -> list[SpacedTaps]:
    """How the taps of layers, one after the other, lie in the image that the first of them is given.

    Behind a layer that visits every other pixel only, neighbours are two pixels apart.

    >>> halving = LayerSpec(LayerKind.CONVOLUTION, "first", 1, 1, (3, 3), stride=(2, 2))
    >>> [taps.dilation for taps in in_a_row([halving, halving])]
    [(1, 1), (2, 2)]
    """
    taps, rows, columns = [], 1, 1
    for layer in layers:
        taps.append(SpacedTaps(layer.kernel_size, (layer.dilation[0] * rows, layer.dilation[1] * columns)))
        rows, columns = rows * layer.stride[0], columns * layer.stride[1]
    return taps


def spacing_of(layers: Iterable[Shaped]) -> Pair:
    """The widest spacing of taps, on each axis, that every layer's taps fall on."""
    rows = columns = 0
    for layer in layers:
        height, width = layer.kernel_size
        rows = math.gcd(rows, layer.dilation[0]) if height > 1 else rows
        columns = math.gcd(columns, layer.dilation[1]) if width > 1 else columns
    return rows or 1, columns or 1


def aligned_spacing(chains: Sequence[Bordered]) -> Pair:
    """As `spacing_of`, of chains side by side, each of which stands where its border has its first tap.

    An even kernel with dilation has none of its taps on the pixel in "same" padding: beside one that has, the
    spacing is finer than either's.
    """
    rows, columns = spacing_of(chains)
    borders = [chain.border for chain in chains]
    return (
        math.gcd(rows, *(border[2] - borders[0][2] for border in borders)),
        math.gcd(columns, *(border[0] - borders[0][0] for border in borders)),
    )


def chained_size(layers: Iterable[Shaped], spacing: Pair) -> Pair:
    """(kH, kW) of the kernel that the layers come to one after the other, its taps `spacing` apart."""
    reach = [1, 1]
    for layer in layers:
        apart = taps_apart(layer.kernel_size, layer.dilation, spacing)
        for axis, (size, step) in enumerate(zip(layer.kernel_size, apart, strict=True)):
            reach[axis] += (size - 1) * step
    return reach[0], reach[1]


def embedded_size(layer: Shaped, spacing: Pair) -> Pair:
    """(kH, kW) of a kernel written with taps that far apart."""
    apart = taps_apart(layer.kernel_size, layer.dilation, spacing)
    height, width = map(extent, layer.kernel_size, apart)
    return height, width


def common_groups(each: Iterable[int | None]) -> int | None:
    """The most groups that all can be written with; None where none of them mixes channels."""
    return math.gcd(*(groups for groups in each if groups is not None)) or None


def sum_of(name: str, chains: tuple[ChainSpec, ...], channels: Pair) -> LayerSpec:
    """The layer that adds what these chains give; `channels`: of its input and of its output."""
    spacing = aligned_spacing(chains)
    sizes = [embedded_size(chain, spacing) for chain in chains]
    return LayerSpec(
        LayerKind.SUM,
        name,
        *channels,
        (max(size[0] for size in sizes), max(size[1] for size in sizes)),
        chains[0].stride,
        spacing,
        common_groups(chain.mixing_groups for chain in chains),
        adds=any(chain.adds for chain in chains),
        chains=chains,
    )


def chained_stride(strides: Iterable[Pair]) -> Pair:
    """From one output of layers in a row to the next."""
    rows, columns = 1, 1
    for stride in strides:
        rows, columns = rows * stride[0], columns * stride[1]
    return rows, columns


def main_place(rescales: Sequence[bool]) -> int:
    """The place of the last layer that does more than rescale; the first one where all do no more."""
    return max((place for place, only in enumerate(rescales) if not only), default=0)


def border_place(layers: Sequence[Moving]) -> int:
    """The place in front of which a border stands for the first layer that sees neighbours; 0 for none.

    A layer before that one which skips pixels would skip those of a border that stands behind it.
    """
    spatial = first_spatial(layers) or 0
    skipping = (place for place, layer in enumerate(layers[:spatial]) if layer.stride != (1, 1))
    return next(skipping, spatial)


def first_spatial(layers: Sequence[Shaped]) -> int | None:
    """The place of the first layer that sees neighbours, None where none does."""
    return next((place for place, layer in enumerate(layers) if layer.kernel_size != (1, 1)), None)
