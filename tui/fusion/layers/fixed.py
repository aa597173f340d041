"""The layer that is a fixed depthwise kernel, with a learned factor and bias a channel."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.layers.base import Layer
from tui.fusion.named_kernels import Taps
from tui.fusion.pair_text import Pair
from tui.fusion.specs.layer_spec import LayerKind, LayerSpec


class FixedDepthwise(Layer):
    """The same taps in each channel, times that channel's factor (ECBSR: Zhang et al., 2021, "ECB").

    Attributes:
        taps: (kH, kW), not learned.
        factor: (channels,).
        bias: (channels,), or None.
    """

    bias: nn.Parameter | None
    fixed: Tensor

    def __init__(
        self, channels: int, taps: Taps, *, stride: Pair = (1, 1), dilation: Pair = (1, 1), bias: bool = True
    ) -> None:
        if not taps or not taps[0] or len({len(row) for row in taps}) > 1:
            raise FusionError("a fixed kernel is rows of equally many numbers, at least one of one")
        size = len(taps), len(taps[0])
        super().__init__(channels, channels, kernel_size=size, stride=stride, dilation=dilation)
        self.taps = taps
        self.factor = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels)) if bias else None
        self.register_buffer("fixed", torch.tensor(taps, dtype=torch.float64), persistent=False)

    called = "a fixed depthwise kernel"

    def weight_used(self) -> Tensor:
        """(channels, 1, kH, kW), in its own dtype."""
        return self.factor.view(-1, 1, 1, 1) * self.fixed.to(self.factor.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> (batch, channels, H', W')."""
        return functional.conv2d(
            x, self.weight_used(), self.bias, self.stride, dilation=self.dilation, groups=self.out_channels
        )

    def numbers(self) -> dict[str, Tensor]:
        """Factor and bias."""
        factor: dict[str, Tensor] = {"factor": self.factor}
        return factor if self.bias is None else factor | {"bias": self.bias}

    def kernel(self) -> Kernel:
        """Factor times taps, and the bias."""
        taps = self.fixed.to(self.factor.dtype).double()
        bias = None if self.bias is None else self.bias.detach().to(torch.float64, copy=True)
        return Kernel(self.factor.detach().double().view(-1, 1, 1, 1) * taps, bias)

    def spec(self) -> LayerSpec:
        """What it is, in numbers."""
        return replace(self._spec(LayerKind.DEPTHWISE, bias=self.bias is not None), taps=self.taps)
