"""Geometry: what a kernel does not say of a convolution."""

from __future__ import annotations

from dataclasses import dataclass

from tui.fusion.specs.block_spec import PaddingMode, Pair
from tui.fusion.specs.padding import Border, same_border


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a kernel is moved over an image: of one branch, or of the convolution that a block fuses to.

    Attributes:
        border: what stands around the image; None for torch's "same", whatever the kernel size.
    """

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1
    padding_mode: PaddingMode = PaddingMode.ZEROS
    border: Border | None = None

    def border_of(self, kernel_size: Pair) -> Border:
        """What stands around the image for a kernel of that size."""
        return self.border or same_border(kernel_size, self.dilation)
