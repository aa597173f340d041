"""What a grid's labels name: the channels of a weight, or the places in a map."""

from __future__ import annotations

from enum import Enum, auto


class Labels(Enum):
    """The meaning of the header and of the gutter."""

    CHANNELS = auto()
    """in_channels above, out_channels beside: the tiles are kernels."""
    PIXELS = auto()
    """Columns above, rows beside: the one tile is a map (1, 1, H, W), of an image or of an output."""
