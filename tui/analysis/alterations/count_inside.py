"""Average pooling that divides by the pixels inside the image only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.layers.border import border_of
from tui.fusion.spec import Pair


class InsideAverage(nn.AvgPool2d):
    """nn.AvgPool2d on an image with its "same" border around it, of which the border counts for nothing.

    What nn.AvgPool2d(..., padding=p, count_include_pad=False) does where it can pad.
    """

    def __init__(self, kernel_size: Pair, stride: Pair) -> None:
        super().__init__(kernel_size, stride)
        self._border = border_of(kernel_size)

    def forward(self, bordered: Tensor) -> Tensor:
        """(batch, channels, top + H + bottom, left + W + right) -> (batch, channels, H', W')."""
        crop = tuple(-size for size in self._border)
        inside = functional.pad(bordered, crop)
        share = super().forward(functional.pad(torch.ones_like(inside[:1, :1]), self._border))
        average: Tensor = super().forward(functional.pad(inside, self._border))
        return average / share
