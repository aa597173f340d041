"""Strand: a chain of layers in the making, and what stands around the image for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from tui.fusion.kernel import FusionError
from tui.fusion.layers import Chain, Layer, Sum
from tui.fusion.pair_text import Pair
from tui.fusion.specs.frame import Frame, Standing
from tui.fusion.specs.layer_spec import chained_size, common_groups, in_a_row, spacing_of
from tui.fusion.specs.padding import Border, same_border
from tui.modules.linear.refusing import NotUnderstoodError

_ALIKE = 1e-6
"""Relative: what is padded is what zeros became, but for the rounding of a module that computes it."""


@dataclass(frozen=True, eq=False)
class Link:
    """One layer of a strand.

    Attributes:
        path: the attribute that it came from: "rbr_dense.conv"; "" where it came from none.
        layer: it, padding nothing by itself.
        whole: the same as the module itself, which pads, where it is one.
    """

    path: str
    layer: Layer
    whole: Layer | None = None


@dataclass(frozen=True, eq=False)
class Strand:
    """Layers one after the other, on the way from a region's source.

    Attributes:
        border: pixels of the source around the image, as functional.pad takes them; negative where cropped.
        mode: what stands there.
        stride: pixels of the source from one pixel of what comes out to the next.
        before: what the image went through that it begins with, where that is not the region's source.
    """

    channels: int
    links: tuple[Link, ...] = ()
    border: Border = (0, 0, 0, 0)
    mode: str = "zeros"
    stride: Pair = (1, 1)
    before: Strand | None = None

    @property
    def layers(self) -> list[Layer]:
        """Its layers."""
        return [link.layer for link in self.links]

    @cached_property
    def spacing(self) -> Pair:
        """Pixels from one tap of its kernel to the next."""
        return spacing_of(in_a_row(self.layers))

    @cached_property
    def kernel_size(self) -> Pair:
        """(kH, kW) of its kernel."""
        return chained_size(in_a_row(self.layers), self.spacing)

    @cached_property
    def excess(self) -> Border:
        """How much more stands around the image than "same" padding of its kernel."""
        same = same_border(self.kernel_size, self.spacing)
        left, right, top, bottom = (own - usual for own, usual in zip(self.border, same, strict=True))
        return left, right, top, bottom

    def followed_by(self, link: Link) -> Strand:
        """With one more layer."""
        rows, columns = link.layer.stride
        stride = self.stride[0] * rows, self.stride[1] * columns
        return replace(self, channels=link.layer.out_channels, links=(*self.links, link), stride=stride)

    def framed(self, border: Border, mode: str, values: Tensor | None, where: str, size: Pair) -> Strand:
        """With a border around what comes out of it, which is one around the source, or is refused.

        `values`: what is padded, (channels,), None where that is known to be right. `where`, `size`: the step
        that pads, in words, and (H, W) of what it pads.

        Raises:
            FusionError: no border around the source gives the same.
        """
        if not any(border):
            return self
        left, right, top, bottom = border
        rows, columns = self.stride
        wide = (left * columns, right * columns, top * rows, bottom * rows)
        moved = tuple(own + more for own, more in zip(self.border, wide, strict=True))
        grown = replace(self, border=(moved[0], moved[1], moved[2], moved[3]))
        if max(border) <= 0:
            return grown
        if mode != "zeros":
            self._refuse_unless_pointwise(border, where, size)
            if self.mode not in ("zeros", mode) or (self.mode == "zeros" and any(self.border)):
                raise FusionError(f"{where}: {mode} padding and {self.mode} are not a single convolution")
            return replace(grown, mode=mode)
        if self.mode != "zeros":
            raise FusionError(
                f"{where}: zeros padded behind {self.mode} padding are not a single convolution"
            )
        self._refuse_unless_pointwise(border, where, size)
        if values is not None and (self.links or self.before is not None or bool(values.any())):
            self._refuse_other_values(values, border, where, size)
        return grown

    def with_sum(self, sum_: Strand, where: str) -> Strand:
        """With a sum of strands behind it that begin with what comes out of it."""
        left, right, top, bottom = sum_.border
        rows, columns = self.stride
        wide = (left * columns, right * columns, top * rows, bottom * rows)
        moved = tuple(own + more for own, more in zip(self.border, wide, strict=True))
        if any(self.border) and any(sum_.border) and self.mode != sum_.mode:
            raise FusionError(f"{where}: {self.mode} padding and {sum_.mode} are not a single convolution")
        grown = replace(self, border=(moved[0], moved[1], moved[2], moved[3]))
        return replace(grown, mode=sum_.mode if any(sum_.border) else self.mode).followed_by(sum_.links[0])

    def _refuse_unless_pointwise(self, border: Border, where: str, size: Pair) -> None:
        """Padding behind what saw neighbours, or was cropped, is no padding in front."""
        for axis, pads in ((0, border[2:]), (1, border[:2])):
            reaches = any(layer.kernel_size[axis] > 1 for strand in self._line for layer in strand.layers)
            cropped = any(
                min(strand.border[2:] if axis == 0 else strand.border[:2]) < 0 for strand in self._line
            )
            if max(pads) > 0 and (reaches or cropped):
                raise FusionError(
                    f"{where}: padded in between, behind a layer that reaches its neighbours: "
                    f"{_at_the_border(border, size)} are not what a single convolution gives; "
                    "pad up front for both"
                )

    def _refuse_other_values(self, given: Tensor, border: Border, where: str, size: Pair) -> None:
        became = self.value_at_zero()
        apart = (became - given).abs()
        largest = torch.maximum(became.abs().max(), given.abs().max())
        if bool((apart > _ALIKE * largest).any()):
            if not self.links and self.before is None:
                raise FusionError(
                    f"{where}: other numbers than zeros are padded around the image: "
                    f"{_at_the_border(border, size)} are not what a single convolution gives; pad zeros"
                )
            what = "something is" if bool(given.any()) else "zeros are"
            raise FusionError(
                f"{where}: {what} padded in between, where a layer before has made something else of zeros: "
                f"{_at_the_border(border, size)} are not what a single convolution gives; pad up front, or "
                "pad what zeros become, as DBB does"
            )

    @property
    def _line(self) -> list[Strand]:
        """It, and what comes before it."""
        return [self] if self.before is None else [self, *self.before._line]

    @torch.no_grad()
    def value_at_zero(self) -> Tensor:
        """What it gives of zeros, (channels,)."""
        values = None if self.before is None else self.before.value_at_zero()
        for layer in self.layers:
            values = layer.constant(values)
        return torch.zeros(self.channels, dtype=torch.float64) if values is None else values.double()


def _at_the_border(border: Border, size: Pair) -> str:
    """How many pixels see what was padded, in words."""
    left, right, top, bottom = (max(each, 0) for each in border)
    height, width = size
    inside = max(height - top - bottom, 0) * max(width - left - right, 0)
    return f"{height * width - inside:,} of {height * width:,} pixels, those at the border,"


def aligned(strands: Sequence[Strand]) -> Border:
    """What stands around the image beyond "same" padding, alike for strands that are added.

    Raises:
        FusionError: they do not line up.
    """
    first, *rest = (strand.excess for strand in strands)
    strides = {strand.stride for strand in strands}
    if len(strides) > 1:
        raise FusionError("branches of different strides are added: no single convolution visits both pixels")
    rows, columns = strides.pop()
    for other in rest:
        shift = (first[0] - other[0], first[2] - other[2])
        far = (columns == 1 and first[1] != other[1]) or (rows == 1 and first[3] != other[3])
        if any(shift) or far:
            raise NotUnderstoodError(
                f"the branches that are added do not line up: one is padded by {_shown(first)} more than "
                f"its kernel reaches, another by {_shown(other)} (left, right, top, bottom)"
            )
    right, bottom = (max(each[side] for each in (first, *rest)) for side in (1, 3))
    return first[0], right, first[2], bottom


def _shown(border: Border) -> str:
    return ", ".join(map(str, border))


def summed(strands: Sequence[Strand], chain_of: Callable[[Strand, int], Chain], path: str) -> Strand:
    """Strands that are added, as one whose first layer is their sum."""
    excess = aligned(strands)
    modes = {strand.mode for strand in strands if any(strand.border)} or {"zeros"}
    if len(modes) > 1:
        raise FusionError(f"{' and '.join(sorted(modes))} padding side by side are not a single convolution")
    layer = Sum(chain_of(strand, 1) for strand in strands)
    same = same_border(layer.kernel_size, layer.dilation)
    left, right, top, bottom = (own + more for own, more in zip(same, excess, strict=True))
    return Strand(
        layer.out_channels,
        (Link(path, layer),),
        (left, right, top, bottom),
        modes.pop(),
        strands[0].stride,
    )


def groups_of(strands: Iterable[Strand]) -> int | None:
    """The most groups that all can be written with; None where none mixes channels."""
    return common_groups(common_groups(layer.groups for layer in strand.layers) for strand in strands)


def taps_of(strands: Iterable[Strand]) -> Pair:
    """(kH, kW) of the kernel that they come to together, in "same" padding of each."""
    standing = [Standing(strand.kernel_size, strand.spacing, strand.border) for strand in strands]
    return Frame.around(standing, None).taps(spacing_of(standing))
