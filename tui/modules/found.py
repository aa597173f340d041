"""What is found in a module: blocks that fuse, and what is left alone and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch

from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel
from tui.fusion.pair_text import show_pair
from tui.fusion.specs.padding import Border
from tui.modules.linear.regions import Region


@dataclass(frozen=True, eq=False)
class FoundBlock:
    """A part of a module that is one convolution in disguise.

    Attributes:
        title: where it is: "stage1.0", or the first of its modules where it is only a part of one's forward.
        owner: the module in whose forward it runs; "" where that is the whole.
        block64: it in float64, with numbers that the forward makes of parameters made in float64.
        lowered: makes it of the module's own parameters.
        border: what is padded around the image for the fused kernel (left, right, top, bottom).
        pads_same: whether that is "same", as the block has it when it runs by itself.
        region: the calls that it is.
    """

    title: str
    owner: str
    block64: ReparamBlock
    lowered: Callable[[], ReparamBlock]
    border: Border
    pads_same: bool
    region: Region

    @cached_property
    def block(self) -> ReparamBlock:
        """It, of the module's own parameters."""
        return self.lowered()

    @property
    def dtype(self) -> torch.dtype:
        """What the module computes it in."""
        return self.region.sink.tensor.dtype

    @cached_property
    def kernel(self) -> Kernel:
        """What it comes to, in float64."""
        return self.block64.kernel()

    @property
    def shape_text(self) -> str:
        """ "64 -> 128, 3x3, groups 4"."""
        block, groups = self.block64, self.block64.geometry.groups
        of_groups = f", groups {groups}" if groups > 1 else ""
        return f"{block.in_channels} -> {block.out_channels}, {show_pair(block.kernel_size)}{of_groups}"

    @property
    def branches_text(self) -> str:
        """The names of its branches, and of their layers: "conv1: conv, bn; identity"."""
        told = []
        for branch in self.block64.branches:
            layers = ", ".join(layer.name for layer in branch.layers)
            told.append(branch.name if layers == branch.name else f"{branch.name}: {layers}")
        return "; ".join([*told, "post norm"] if self.block64.post_norm is not None else told)


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Something that is not fused.

    Attributes:
        path: where it is: "stage1.0.bn2".
        reason: why, in words.
        place: file and line of the user's code, "" where it is not known.
    """

    path: str
    reason: str
    place: str = ""

    @property
    def sentence(self) -> str:
        """In a line."""
        return f"{self.path or 'the module'}: {self.reason}" + (f" ({self.place})" if self.place else "")


@dataclass(frozen=True, eq=False)
class Findings:
    """What a module is made of.

    Attributes:
        blocks: in the order in which they run.
        left_alone: likewise.
    """

    blocks: tuple[FoundBlock, ...]
    left_alone: tuple[LeftAlone, ...]
