"""The layers without a weight that see each channel alone: the identity, and average pooling."""

from __future__ import annotations

from torch import Tensor, nn

from tui.fusion.kernel import Kernel, average_pool, dirac
from tui.fusion.layers.base import Layer
from tui.fusion.pair_text import Pair
from tui.fusion.specs.layer_spec import LayerKind, LayerSpec


class Identity(Layer):
    """Its input."""

    called = "identity"

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """The same image."""
        return x

    def kernel(self) -> Kernel:
        """A 1 for each channel."""
        return dirac(self.out_channels, self.out_channels, device=self._placement.device)

    def constant(self, values: Tensor | None) -> Tensor:
        """The same numbers."""
        return self._placement.new_zeros(self.in_channels) if values is None else values

    def spec(self) -> LayerSpec:
        """What it is, in numbers."""
        return self._spec(LayerKind.IDENTITY)


class Average(Layer):
    """Average pooling, the pixels of the border counted (DBB: Ding et al., 2021; QARepVGGV2).

    Attributes:
        pool: it, without padding of its own: that can pad neither unevenly nor more than half a window.
    """

    called = "average pooling"

    def __init__(self, channels: int, kernel_size: Pair, stride: Pair = (1, 1)) -> None:
        super().__init__(channels, channels, kernel_size=kernel_size, stride=stride)
        self.pool = nn.AvgPool2d(kernel_size, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> (batch, channels, H', W')."""
        y: Tensor = self.pool(x)
        return y

    def kernel(self) -> Kernel:
        """1 / (kH kW) at each tap."""
        channels = self.out_channels
        return average_pool(channels, self.kernel_size, channels, device=self._placement.device)

    def constant(self, values: Tensor | None) -> Tensor:
        """The same numbers."""
        return self._placement.new_zeros(self.in_channels) if values is None else values

    def spec(self) -> LayerSpec:
        """What it is, in numbers."""
        return self._spec(LayerKind.AVERAGE)
