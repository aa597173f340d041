"""Frame: the pixels that a fused kernel reads, what stands around the image for it, and for each branch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tui.fusion.pair_text import Pair, show_pair
from tui.fusion.specs.layer_spec import Bordered, Moving, Shaped, border_place, first_spatial
from tui.fusion.specs.padding import Border, extent, same_border, same_padding


class Standing(NamedTuple):
    """How the taps of a chain lie, and what stands around the image for it, found out once."""

    kernel_size: Pair
    dilation: Pair
    border: Border


@dataclass(frozen=True, slots=True)
class Frame:
    """The pixels of a block's fused kernel.

    Attributes:
        extent: (H, W), from the first that it reads to the last, both counted.
        border: what stands around the image for it: that of torch's "same", or of a padding in numbers.
    """

    extent: Pair
    border: Border

    @classmethod
    def around(cls, chains: Iterable[Shaped], border: Border | None) -> Frame:
        """The smallest that holds every chain; a border of None is that of "same"."""
        extents = [extent_of(chain) for chain in chains]
        size = max(each[0] for each in extents), max(each[1] for each in extents)
        return cls(size, border or same_border(size))

    def border_for(self, chain: Shaped, padding: Pair | None = None) -> Border:
        """What stands around the image for a chain of a block, so that its output is as large as the block's.

        padding: its own, above and at the left; None where its centre stands on that of the frame, as "same"
        has it.
        """
        own = extent_of(chain)
        rows, columns = (
            self._on_axis(axis, own[axis], None if padding is None else padding[axis]) for axis in (0, 1)
        )
        return *columns, *rows

    def _on_axis(self, axis: int, own: int, padding: int | None) -> Pair:
        """Pixels before and after."""
        whole, (before, after) = self.extent[axis], _on_axis(self.border, axis)
        first = same_padding(whole, 1)[0] - same_padding(own, 1)[0] if padding is None else before - padding
        return before - first, after - (whole - own - first)

    def first_of(self, chain: Bordered) -> Pair:
        """Pixels above and left of the chain's first tap in the frame."""
        return self.border[2] - chain.border[2], self.border[0] - chain.border[0]

    def holds(self, chain: Bordered) -> bool:
        """Whether all that the chain reads lies in the frame."""
        axes = zip(self.first_of(chain), extent_of(chain), self.extent, strict=True)
        return all(first >= 0 and first + own <= whole for first, own, whole in axes)

    def where(self, chain: Bordered) -> str:
        """What the chain reads, in words, as rows and columns of the frame."""
        rows, columns = (
            f"{first} to {first + own - 1}"
            for first, own in zip(self.first_of(chain), extent_of(chain), strict=True)
        )
        return f"rows {rows}, columns {columns} of the {show_pair(self.extent)} pixels of the fused kernel"

    def taps(self, spacing: Pair) -> Pair:
        """(kH, kW) of the frame at a spacing of taps."""
        return (self.extent[0] - 1) // spacing[0] + 1, (self.extent[1] - 1) // spacing[1] + 1

    def output(self, shape: Pair, stride: Pair = (1, 1)) -> Pair:
        """(H, W) of the output for an input of that shape; below 1 where it does not fit."""
        return output_of(self.extent, self.border, shape, stride)


def output_of(size: Pair, border: Border, shape: Pair, stride: Pair) -> Pair:
    """(H, W) that a kernel of an extent makes of an image with a border around it."""
    height, width = (
        (shape[axis] + sum(_on_axis(border, axis)) - size[axis]) // stride[axis] + 1 for axis in (0, 1)
    )
    return height, width


def extent_of(chain: Shaped) -> Pair:
    """(H, W) of the pixels that a chain reads, from its first tap to its last."""
    height, width = map(extent, chain.kernel_size, chain.dilation)
    return height, width


def border_before(place: int, layers: Sequence[Moving], chain: Bordered, *, zeros_between: bool) -> Border:
    """What a chain puts around the image in front of one of its layers.

    All of it in front of the first layer that sees neighbours, or of one before that skips pixels. Where
    each layer pads zeros of its own, only what the whole chain has more of, or less, than "same" stands
    there, on each axis.
    """
    if not zeros_between:
        return chain.border if place == border_place(layers) else (0, 0, 0, 0)
    own = same_border(layers[place].kernel_size, layers[place].dilation)
    whole = same_border(chain.kernel_size, chain.dilation)
    left, right, top, bottom = (
        few + (many - same) * (place == _first_along(layers, axis))
        for few, many, same, axis in zip(own, chain.border, whole, (1, 1, 0, 0), strict=True)
    )
    return left, right, top, bottom


def _first_along(layers: Sequence[Shaped], axis: int) -> int:
    """The place of the first layer that sees neighbours along an axis, else of the first that sees any."""
    along = (place for place, layer in enumerate(layers) if layer.kernel_size[axis] > 1)
    return next(along, first_spatial(layers) or 0)


def _on_axis(border: Border, axis: int) -> Pair:
    return (border[0], border[1]) if axis else (border[2], border[3])
