"""Part: one layer of a chain as the user wrote it, before the block gives it its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tui.fusion.pair_text import Pair, shortest, show_pair
from tui.fusion.specs.layer_spec import LayerKind

FIXED = {
    "sobelx": ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0)),
    "sobely": ((1.0, 2.0, 1.0), (0.0, 0.0, 0.0), (-1.0, -2.0, -1.0)),
    "laplacian": ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0)),
}
"""Fixed kernels by their words, with ECBSR's signs: torch's conv2d correlates."""

DEPTHWISE = 0
"""Stands for one group a channel of the layer's own input."""


@dataclass(frozen=True, slots=True)
class Part:
    """One layer.

    Attributes:
        kernel_size: an axis of 0 takes the block's.
        dilation: None for the block's, where the kernel size is.
        groups: None for the block's, DEPTHWISE for one a channel.
        channels: that come out, None where they follow.
        multiple: of the block's input channels, in the place of `channels`.
        eps: of a batch norm, None for the block's.
        fixed: the word of a fixed kernel, or "taps"; `taps`: of the latter.
        summands: the chains of a sum.
    """

    kind: LayerKind
    kernel_size: Pair = (1, 1)
    dilation: Pair | None = (1, 1)
    groups: int | None = None
    channels: int | None = None
    multiple: Fraction | None = None
    bias: bool = True
    eps: float | None = None
    fixed: str = ""
    taps: tuple[tuple[float, ...], ...] = ()
    summands: tuple[tuple[Part, ...], ...] = ()

    @property
    def word(self) -> str:
        """What it is called in a text, without its options: "3x3d2", "norm", "(3x3+identity)"."""
        match self.kind:
            case LayerKind.CONVOLUTION | LayerKind.OFFSET_CONVOLUTION:
                return _size_word(self)
            case LayerKind.AVERAGE:
                return "avg" + ("" if self.kernel_size == (0, 0) else _size_word(self))
            case LayerKind.DEPTHWISE:
                return self.fixed
            case LayerKind.SUM:
                return f"({'+'.join(title_of(chain) for chain in self.summands)})"
            case _:
                return str(self.kind)


def _size_word(part: Part) -> str:
    height, width = part.kernel_size
    size = "x".join("k" if taps == 0 else str(taps) for taps in (height, width))
    dilated = "" if part.dilation in (None, (1, 1)) else f"d{shortest(part.dilation)}"
    return (size if 0 in part.kernel_size else show_pair(part.kernel_size)) + dilated


def title_of(parts: tuple[Part, ...]) -> str:
    """The layers in a row, as people write them: "1x1>3x3>1x1"."""
    return ">".join(part.word for part in parts)
