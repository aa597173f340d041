"""The layers that are a convolution: any nn.Conv2d, and DBB's that stores its weight minus the identity."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.kernel import FusionError, Kernel, add, dirac, kernel_of
from tui.fusion.layers.base import Layer
from tui.fusion.pair_text import Pair, show_pair
from tui.fusion.specs.layer_spec import LayerKind, LayerSpec


class Convolution(Layer):
    """An nn.Conv2d, wrapped as it is and not copied.

    Attributes:
        conv: it. At the head of a chain it may pad for the whole chain, with zeros or in another mode.
    """

    kind = LayerKind.CONVOLUTION

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            kernel_size=_pair(conv.kernel_size),
            stride=_pair(conv.stride),
            dilation=_pair(conv.dilation),
            groups=conv.groups,
        )
        self.conv = conv

    @property
    def called(self) -> str:  # type: ignore[override]  # its size is in it
        """With its size."""
        return f"a {show_pair(self.kernel_size)} convolution"

    @property
    def padding(self) -> Pair:  # type: ignore[override]  # what it wraps says it
        """The pixels that it pads by itself, above and at the left; as many stand opposite.

        Raises:
            FusionError: it pads in words.
        """
        if isinstance(self.conv.padding, str):
            raise FusionError(f"padding={self.conv.padding!r} is not known here: give it as numbers")
        return _pair(self.conv.padding)

    @property
    def padding_mode(self) -> str:  # type: ignore[override]  # what it wraps says it
        """Torch's name for what it pads."""
        return self.conv.padding_mode

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W) -> (batch, out_channels, H', W')."""
        y: Tensor = self.conv(x)
        return y

    def kernel(self) -> Kernel:
        """Its weight and bias, copied to float64."""
        return kernel_of(self.conv)

    def folds(self) -> Iterator[tuple[str, Kernel]]:
        """Its kernel alone."""
        yield self.called.removeprefix("a "), self.kernel()

    def constant(self, values: Tensor | None) -> Tensor:
        """The bias, for zeros."""
        bias = self.conv.bias
        if values is None:
            return self.conv.weight.new_zeros(self.out_channels) if bias is None else bias
        pixel = values.view(1, -1, 1, 1)
        weight = self.weight_used().sum(dim=(2, 3), keepdim=True)
        return functional.conv2d(pixel, weight, bias, groups=self.conv.groups).flatten()

    def numbers(self) -> dict[str, Tensor]:
        """Weight and bias; the weight as it is stored."""
        bias = self.conv.bias
        return {"weight": self.conv.weight} | ({} if bias is None else {"bias": bias})

    def weight_used(self) -> Tensor:
        """The weight that it multiplies with, in its own dtype."""
        return self.conv.weight

    def spec(self) -> LayerSpec:
        """What it is, in numbers."""
        return self._spec(self.kind, bias=self.conv.bias is not None)


class OffsetIdentityConv(nn.Conv2d):
    """A 1 x 1 convolution that stores its weight minus the identity (DBB's IdentityBasedConv1x1)."""

    identity: Tensor

    def __init__(self, channels: int, *, groups: int = 1, bias: bool = True) -> None:
        super().__init__(channels, channels, 1, groups=groups, bias=bias)
        identity = nn.init.dirac_(torch.empty_like(self.weight), groups)
        self.register_buffer("identity", identity, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> the same shape, by the stored weight plus the identity."""
        return functional.conv2d(x, self.weight + self.identity, self.bias, groups=self.groups)


class OffsetConvolution(Convolution):
    """An OffsetIdentityConv.

    Attributes:
        conv: it.
    """

    kind = LayerKind.OFFSET_CONVOLUTION
    conv: OffsetIdentityConv

    def __init__(self, conv: OffsetIdentityConv) -> None:
        super().__init__(conv)

    def kernel(self) -> Kernel:
        """The stored weight plus the identity."""
        return list(self.folds())[-1][1]

    def folds(self) -> Iterator[tuple[str, Kernel]]:
        """The stored weight, then with the identity."""
        stored = kernel_of(self.conv)
        yield self.called.removeprefix("a "), stored
        identity = dirac(self.out_channels, self.conv.groups, device=stored.weight.device)
        yield "identity added to the 1x1", add([stored, identity])

    def weight_used(self) -> Tensor:
        """The sum, as it is rounded."""
        return self.conv.weight + self.conv.identity


def _pair(values: tuple[int, ...]) -> Pair:
    return values[0], values[1]
