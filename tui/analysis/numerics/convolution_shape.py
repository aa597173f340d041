"""The shape of a convolution, and the way to run it that takes the least time; no torch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from tui.fusion.specs.block_spec import Pair

UNFOLDED = 2**19
"""Elements of an unfolded input from which on unfolding costs more than it saves."""

MOST_WASTE = 24
"""Products for pixels that are thrown away, of one input pixel, that cost less than unfolding it."""

ONE_DNN_REACH = 13
"""Pixels that a kernel may span for oneDNN to have fast code for its groups."""


class Way(Enum):
    """How to run a convolution."""

    TORCH = auto()
    """As torch does: by oneDNN in float32, in float64 unfolding the input, all taps of it."""
    TAPS = auto()
    """A product of the weight with the shifted image for each tap."""
    ROWS = auto()
    """Products of the kernel's rows with the image's, unfolded along its width."""


@dataclass(frozen=True, slots=True)
class ConvolutionShape:
    """A convolution of a padded image without more padding, but for batch and dtype.

    Attributes:
        image: (H, W) of the padded image.
        size: (kH, kW).
        rows, columns: of the weight for one group, (out_channels, in_channels) / groups.
    """

    image: Pair
    size: Pair
    stride: Pair
    dilation: Pair
    groups: int
    rows: int
    columns: int

    @property
    def reach(self) -> Pair:
        """Pixels from a kernel's first tap to its last, both counted."""
        return (self.size[0] - 1) * self.dilation[0] + 1, (self.size[1] - 1) * self.dilation[1] + 1

    @property
    def output(self) -> Pair:
        """(H, W) of the output; below 1 where the kernel does not fit."""
        return (
            (self.image[0] - self.reach[0]) // self.stride[0] + 1,
            (self.image[1] - self.reach[1]) // self.stride[1] + 1,
        )

    @property
    def unfolded(self) -> int:
        """Elements of one image's group with all taps of each output pixel written out."""
        return self.columns * self.size[0] * self.size[1] * self.output[0] * self.output[1]

    def way(self, *, double: bool) -> Way:
        """How to run it, in float64 or else in float32; measured over 1 to 1024 groups, 7 to 512 pixels."""
        if self.size == (1, 1):
            return Way.TORCH
        if self.groups > 1:
            return Way.ROWS if double or max(self.reach) > ONE_DNN_REACH else Way.TORCH
        waste = (self.image[1] / self.output[1] - 1) * self.rows
        pays = double and self.stride == (1, 1) and self.unfolded >= UNFOLDED and waste <= MOST_WASTE
        return Way.TAPS if pays else Way.TORCH
