"""Average pooling that divides by the pixels inside the image only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.padding import Border, grown_and_cropped, negated


class InsideAverage(nn.AvgPool2d):
    """nn.AvgPool2d on an image with a border around it, which counts for nothing.

    What nn.AvgPool2d(..., padding=p, count_include_pad=False) does where it can pad.
    """

    def __init__(self, kernel_size: Pair, stride: Pair, border: Border) -> None:
        super().__init__(kernel_size, stride)
        self._border, _ = grown_and_cropped(border)

    def forward(self, bordered: Tensor) -> Tensor:
        """(batch, channels, top + H + bottom, left + W + right) -> (batch, channels, H', W')."""
        inside = functional.pad(bordered, negated(self._border))
        share = super().forward(functional.pad(torch.ones_like(inside[:1, :1]), self._border))
        average: Tensor = super().forward(functional.pad(inside, self._border))
        return average / share
