"""Chain: layers one after the other, and what stands around the image for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple, cast

from torch import Tensor, nn

from tui.fusion.composition import Placed, followed_by
from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.layers.base import Layer
from tui.fusion.layers.border import bordered, framed, pad_function_mode
from tui.fusion.pair_text import Pair
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.frame import Standing, border_before
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.layer_spec import (
    ChainSpec,
    chained_size,
    chained_stride,
    common_groups,
    first_spatial,
    in_a_row,
    main_place,
    spacing_of,
)
from tui.fusion.specs.padding import Border, even_border, grown_and_cropped, same_border


class Fold(NamedTuple):
    """One fold on the way from layers to their kernel.

    Attributes:
        title: what was done, in words.
        kernel: what came out.
        groups, dilation: how that is written.
        layer: the name of the layer that was folded in; "" where none was.
        alone: whether it is that layer's own kernel, what stands before it still left out.
    """

    title: str
    kernel: Kernel
    groups: int = 1
    dilation: Pair = (1, 1)
    layer: str = ""
    alone: bool = False

    @property
    def placed(self) -> Placed:
        """The kernel and how it is written."""
        return Placed(self.kernel, self.groups, self.dilation)


class Chain(nn.Module):
    """Layers one after the other: `forward` runs them, `folds` makes one kernel of them.

    The image is padded up front, so that the last layer sees what zeros outside become: with layers of a
    single pixel before the first that sees neighbours, their value at zero is padded behind them, which is
    the same (DBB: Ding et al., 2021). With `zeros_between` each layer pads zeros of its own, which is one
    convolution only where no layer before made something of zeros.

    Attributes:
        name: of a branch, what the screen and `check` call it: "kxk", "1x1 #2", "identity"; else "".
        own_groups: groups of its kernel where no layer mixes channels.
        padding_mode: what stands outside the image.
        zeros_between: whether each layer pads its own zeros.
        own_border: what stands around the image for it, negative where that is cropped; None where that is
            torch's "same". A convolution at its head that pads by itself says it too.
    """

    name = ""

    def __init__(
        self,
        layers: Iterable[tuple[str, Layer]],
        *,
        own_groups: int = 1,
        padding_mode: PaddingMode = PaddingMode.ZEROS,
        zeros_between: bool = False,
        own_border: Border | None = None,
    ) -> None:
        super().__init__()
        self.own_groups = own_groups
        self.padding_mode = padding_mode
        self.zeros_between = zeros_between
        for name, layer in layers:
            if not isinstance(layer, Layer):
                raise FusionError(f"{type(layer).__name__} is not a kind of layer whose kernel is known")
            if name in self._modules:
                raise FusionError(f"two layers of a chain are called {name!r}: give each its own name")
            layer.name = name
            try:
                self.add_module(name, layer)
            except KeyError as error:
                raise FusionError(f"no layer can be called {name!r}: {error.args[0]}") from None
        if not len(self):
            raise FusionError("a chain needs at least one layer")
        for one, other in pairwise(self.layers):
            if one.out_channels != other.in_channels:
                raise FusionError(
                    f"{one.called} to {one.out_channels} channels and {other.called} from "
                    f"{other.in_channels} do not fit"
                )
        self.own_border = self._padding_of_the_head() if own_border is None else own_border
        if self.own_border == same_border(self.kernel_size, self.dilation):
            self.own_border = None
        for place, layer in enumerate(self.layers):
            self._refuse_other_padding(place, layer)

    def _padding_of_the_head(self) -> Border | None:
        """What a convolution at the head pads by itself, if it alone sees neighbours."""
        head, *rest = self.layers
        if not any(head.padding) or first_spatial(rest) is not None:
            return None
        return even_border(head.padding)

    def _refuse_other_padding(self, place: int, layer: Layer) -> None:
        """A convolution that pads by itself must pad what the chain would pad in front of it.

        Raises:
            FusionError: it pads in another way.
        """
        if not any(layer.padding):
            return
        if any(self.border_before(place)):
            raise FusionError(
                f"{layer.name}: padding {layer.padding} is not that of the chain that it is in; give its "
                "convolutions padding 0, and the chain pads up front"
            )
        if place and not self.zeros_between:
            raise FusionError(
                f"{layer.name}: zeros padded between two layers: say so with zeros_between, or give padding 0"
            )
        if layer.padding_mode != self.padding_mode:
            raise FusionError(
                f"{layer.name}: {layer.padding_mode} padding in a chain that pads {self.padding_mode}"
            )

    def __len__(self) -> int:
        return len(self._modules)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers in order."""
        return tuple(cast("Iterable[Layer]", self._modules.values()))

    def __getitem__(self, name: str) -> Layer:
        return cast("Layer", self._modules[name])

    def get(self, name: str) -> Layer | None:
        """The layer of that name, None where there is none."""
        return cast("Layer | None", self._modules.get(name))

    def replace_layer(self, name: str, layer: Layer) -> None:
        """Put another layer in the place of the one of that name."""
        layer.name = name
        self._modules[name] = layer

    def all_layers(self) -> Iterator[tuple[str, Layer]]:
        """Every layer by its name, those inside of sums too: "sum.1.conv"."""
        for layer in self.layers:
            yield layer.name, layer
            for place, chain in enumerate(layer.summands):
                for name, inner in chain.all_layers():
                    yield f"{layer.name}.{place + 1}.{name}", inner

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.layers[0].in_channels

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.layers[-1].out_channels

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
    def geometry(self) -> Geometry:
        """How its kernel moves over the image."""
        stride = chained_stride(layer.stride for layer in self.layers)
        groups = self.mixing_groups or self.own_groups
        return Geometry(stride, self.dilation, groups, self.padding_mode, self.own_border)

    @property
    def main(self) -> int:
        """The place of the last layer before those that only rescale."""
        return main_place([layer.rescales for layer in self.layers])

    @property
    def tail(self) -> tuple[Layer, ...]:
        """The layers at its end that only rescale."""
        return self.layers[self.main + 1 :]

    def spec(self) -> ChainSpec:
        """What it is, in numbers."""
        layers = tuple(layer.spec() for layer in self.layers)
        mode = str(self.padding_mode)
        return ChainSpec(layers, self.own_groups, mode, self.zeros_between, self.own_border)

    @property
    def border(self) -> Border:
        """What stands around the image for it."""
        return self.own_border or same_border(self.kernel_size, self.dilation)

    @property
    def standing(self) -> Standing:
        """How its taps lie, and its border."""
        dilation = self.dilation
        size = chained_size(in_a_row(self.layers), dilation)
        return Standing(size, dilation, self.own_border or same_border(size, dilation))

    def seen_before(self, place: int) -> Border:
        """What stands around the image in front of that layer, whether the chain pads it or the layer."""
        return border_before(place, self.layers, self, zeros_between=self.zeros_between)

    def border_before(self, place: int) -> Border:
        """What the chain pads in front of that layer, which may pad by itself instead."""
        layer, border = self.layers[place], self.seen_before(place)
        if any(layer.padding):
            rows, columns = layer.padding
            left, right, top, bottom = border
            return left - columns, right - columns, top - rows, bottom - rows
        return border

    def constant_before(self, place: int) -> Tensor | None:
        """What zeros have become in front of that layer, (channels,); None where they still are zeros."""
        values = None
        for layer in self.layers[:place]:
            values = layer.constant(values)
        return values

    def pads_zeros(self, place: int) -> bool:
        """Whether plain zeros stand around the image in front of that layer."""
        return self.zeros_between or (place == 0 and self.padding_mode is PaddingMode.ZEROS)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W) -> (batch, out_channels, H', W'): ceil(H / stride) in "same" padding."""
        for place, layer in enumerate(self.layers):
            x = layer(self._bordered(x, place))
        return x

    def up_to(self, count: int) -> Chain:
        """A chain of its first so many layers, which are shared.

        Its border is "same" where it reads fewer pixels.
        """
        layers = self.layers[:count]
        reads_all = chained_size(in_a_row(layers), self.dilation) == self.kernel_size
        return Chain(
            [(layer.name, layer) for layer in layers],
            own_groups=self.own_groups,
            padding_mode=self.padding_mode,
            zeros_between=self.zeros_between,
            own_border=self.own_border if reads_all else None,
        )

    def run_bordered(self, x: Tensor) -> Tensor:
        """As `forward`, of an image with its border around it."""
        for layer in self.layers:
            x = layer(x)
        return x

    def _bordered(self, y: Tensor, place: int) -> Tensor:
        border = self.border_before(place)
        if not any(border):
            return y
        if self.pads_zeros(place):
            return bordered(y, border)
        if self.padding_mode is not PaddingMode.ZEROS:
            return bordered(y, border, pad_function_mode(self.padding_mode))
        values = self.constant_before(place)
        return bordered(y, border) if values is None else framed(y, border, values)

    def kernel(self) -> Kernel:
        """The chain as one kernel (out_channels, in_channels / groups, kH, kW), in float64.

        It has the chain's own groups and spacing of taps; what the dilation skips is not in it.

        Raises:
            FusionError: a layer is in train mode, or the chain is not a convolution.
        """
        return list(self.folds())[-1].kernel

    def folds(self) -> Iterator[Fold]:
        """The folds by which the chain becomes its kernel, which is the last one's.

        Raises:
            FusionError: as `kernel`.
        """
        so_far: Placed | None = None
        mixes = self.mixing_groups is not None
        for place, (layer, taps) in enumerate(zip(self.layers, in_a_row(self.layers), strict=True)):
            if so_far is not None and self.zeros_between:
                self._refuse_inexact_border(place, so_far.kernel)
            for title, kernel in layer.folds():
                own = Placed(kernel, layer.groups or layer.out_channels, taps.dilation)
                if so_far is None and not mixes:
                    own = own.in_groups(self.own_groups)
                if so_far is None or not layer.rescales:
                    title = title if so_far is None else f"then {layer.called}"
                    yield Fold(title, own.kernel, own.groups, own.dilation, layer.name, so_far is not None)
            if so_far is not None:
                own = followed_by(so_far, own)
                yield Fold(self._folded(place), own.kernel, own.groups, own.dilation, layer.name)
            so_far = own

    def _folded(self, place: int) -> str:
        """What the fold of that layer into those before it is called."""
        layer = self.layers[place]
        if layer.rescales:
            return layer.folded if place > self.main else f"inner {layer.folded}"
        count = sum(not each.rescales for each in self.layers[: place + 1])
        return "both as one convolution" if count <= 2 else f"all {count} as one convolution"

    def _refuse_inexact_border(self, place: int, before: Kernel) -> None:
        """Zeros that are padded behind something are exact only where that made zeros of zeros."""
        layers, (padded, _) = self.layers, grown_and_cropped(self.seen_before(place))
        if not any(padded):
            return
        if self.padding_mode is not PaddingMode.ZEROS:
            raise self._refusal(
                f"zeros padded between the steps and {self.padding_mode} elsewhere are not a single "
                f"convolution; pad {self.padding_mode} between the steps too, or zeros everywhere"
            )
        if before.bias is not None and bool(before.bias.any()):
            called = layers[0].called.removeprefix("a ").removesuffix(" convolution")
            raise self._refusal(
                f"zeros are padded after a {called} whose value at zero is not zero: no single "
                "convolution does that at the border; pad that value instead, as DBB does after its batch "
                f"norm, or take bias and batch norm off the {called}"
            )
        for axis, words in enumerate(("up and down", "left and right")):
            pads = padded[:2] if axis else padded[2:]
            if any(pads) and any(layer.kernel_size[axis] > 1 for layer in layers[:place]):
                raise self._refusal(
                    f"two layers that reach {words} and pad zeros of their own are not a single convolution "
                    "at the border: what the first gives outside the image is not zero; pad up front"
                )

    def _refusal(self, words: str) -> FusionError:
        return FusionError(f"{self.name}: {words}" if self.name else words)
