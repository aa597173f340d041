"""Fusion: a block beside what it was fused to, rightly or not."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch

from tui.analysis.alterations.alterations import Edit
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel
from tui.fusion.specs.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Fusion:
    """Both sides of a comparison.

    Attributes:
        block: what runs as the unfused side: the block that was given, or a changed copy of it where the
            mistake lies in running.
        kernel: of the fused convolution, float64. In most mistakes it is the wrong one.
        geometry: of the fused convolution.
        edits: of the fused convolution's numbers: those that set another one than was there.
    """

    block: ReparamBlock
    kernel: Kernel
    geometry: Geometry
    edits: tuple[Edit, ...] = ()

    def in_float64(self, given: ReparamBlock, given64: ReparamBlock) -> Fusion:
        """The same with the block in float64: `given64` where it is the one that was given.

        The kernel is in float64 already, and folding again gives it again.
        """
        return replace(self, block=given64 if self.block is given else block_in_float64(self.block))


def block_in_float64(block: ReparamBlock) -> ReparamBlock:
    """A float64 copy of the block; the block itself where it is in float64."""
    return block if block.dtype is torch.float64 else copy.deepcopy(block).double()
