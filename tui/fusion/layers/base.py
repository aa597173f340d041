"""Layer: the smallest linear step of a block; it runs, and says which kernel it is."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tui.fusion.kernel import Kernel
from tui.fusion.pair_text import Pair
from tui.fusion.specs.layer_spec import LayerSpec

if TYPE_CHECKING:
    from tui.fusion.layers.chain import Chain
    from tui.fusion.specs.padding import Border


class Layer(nn.Module, abc.ABC):
    """A map of images that is affine and shift-equivariant, without any padding of its own.

    What is asked of layers elsewhere (how it rounds, what it costs, how it is explained) is answered for each
    kind in one file a question; none of them changes when a kind is added.

    Attributes:
        name: what it is called in its chain.
        kernel_size, stride, dilation: how its taps lie and move.
        groups: of its kernel; None where each output channel reads its own input channel alone.
        rescales: whether it only multiplies and shifts each channel.
        called: what it is, in a sentence: "a 3x3 convolution".
        folded: of one that rescales, what its fold into the kernel before it is called.
        padding: the pixels that it pads by itself, above and at the left; as many stand opposite.
        padding_mode: what it pads: torch's name for it.
        summands: of a sum, the chains that are added.
        batch_norm: the one that it is, None where it is none.
    """

    name: str = ""
    rescales: bool = False
    called: str = "a layer"
    folded: str = "rescaled"
    padding: Pair = (0, 0)
    padding_mode: str = "zeros"
    summands: tuple[Chain, ...] = ()
    batch_norm: nn.BatchNorm2d | None = None
    in_channels: int
    out_channels: int
    kernel_size: Pair
    stride: Pair
    dilation: Pair
    groups: int | None
    _placement: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: Pair = (1, 1),
        stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
        groups: int | None = None,
    ) -> None:
        super().__init__()
        vars(self).update(  # nn.Module looks through its parameters and buffers at each assignment
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=kernel_size,
            stride=stride,
            dilation=dilation,
            groups=groups,
        )
        # A plain identity has no parameter: this follows .to(), so that fuse() knows dtype and device.
        self.register_buffer("_placement", torch.empty(0), persistent=False)

    @abc.abstractmethod
    def kernel(self) -> Kernel:
        """The layer as a kernel (out_channels, in_channels / groups, kH, kW) in float64, its taps undilated.

        Where `groups` is None: (channels, 1, kH, kW).

        Raises:
            FusionError: it is none, as a batch norm in train mode is none.
        """

    @abc.abstractmethod
    def spec(self) -> LayerSpec:
        """What it is, in numbers."""

    def folds(self) -> Iterator[tuple[str, Kernel]]:
        """The folds by which it becomes its kernel, in words and what came out; the last is `kernel`.

        Raises:
            FusionError: as `kernel`.
        """
        yield self.called, self.kernel()

    def constant(self, values: Tensor | None) -> Tensor:
        """What it gives, (out_channels,), inside an image that holds these numbers, (in_channels,).

        None stands for zeros.
        """
        if values is None:
            values = self._placement.new_zeros(self.in_channels)
        rows, columns = (
            step * (size - 1) + 1 for size, step in zip(self.kernel_size, self.dilation, strict=True)
        )
        y: Tensor = self(values.view(1, -1, 1, 1).expand(1, -1, rows, columns))
        return y.flatten()

    def reads(self, channels: range) -> range:
        """The input channels that these output channels read."""
        if self.groups is None:
            return channels
        rows, columns = self.out_channels // self.groups, self.in_channels // self.groups
        return range(channels.start // rows * columns, ((channels.stop - 1) // rows + 1) * columns)

    def crop_of(self, chain: Chain) -> Border:
        """How much of the border that it is given a chain of it does without, negative numbers; of a sum."""
        return 0, 0, 0, 0

    def numbers(self) -> dict[str, Tensor]:
        """Its learned numbers and statistics by name, as a person edits them: its own tensors, if it can be.

        "" is the name of what the layer itself is, as of a factor.
        """
        return {}

    def _spec(self, kind: str, *, bias: bool = False, adds: bool | None = None) -> LayerSpec:
        """A spec of that kind with this layer's numbers."""
        return LayerSpec(
            kind,
            self.name,
            self.in_channels,
            self.out_channels,
            self.kernel_size,
            self.stride,
            self.dilation,
            self.groups,
            bias=bias,
            rescales=self.rescales,
            adds=bias if adds is None else adds,
        )
