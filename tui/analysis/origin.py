"""Origin: where a block comes from that exists already, with numbers of its own."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.fusion.specs.block_spec import BlockSpec

if TYPE_CHECKING:
    from torch import Tensor

    from tui.fusion.block import ReparamBlock

HOW_IT_IS_RUN = frozenset({"input_shape", "batch_size", "input", "dtype", "seed"})
"""The fields of a BlockSpec that say how a block is run; all others say what it is."""


class Origin(abc.ABC):
    """A file, or somebody's module: it says what the block is, and how it is run remains to be chosen.

    Two are equal only where they are the same one.

    Attributes:
        title: what the block is called there: "stage1.0".
        container: what it is a part of: "model.safetensors"; "" where it stands alone.
        spec: its structure, its own dtype, and an input to begin with.
        remarks: what was read and what had to be assumed, a line each.
        free: the fields of `spec` that may be another's.
        brought: numbers that came with it and are not its own: of the fused kernel that another tool made.
        brought_from: the name of the file in which those stand, as that has it.
    """

    title: str
    container: str
    spec: BlockSpec
    remarks: tuple[str, ...] = ()
    free: frozenset[str] = HOW_IT_IS_RUN
    brought: Alterations = NOTHING_ALTERED
    brought_from: str = ""

    @abc.abstractmethod
    def block(self, spec: BlockSpec) -> ReparamBlock:
        """A block of its own with these numbers, in eval mode and in the spec's dtype.

        `spec` is `self.spec` but for fields that are free.

        Raises:
            Refusal: the numbers cannot be read any more.
        """

    def image_of(self, spec: BlockSpec) -> str:
        """Where `input` comes from, in two words: "your example"; "" where there is none."""
        del spec
        return ""

    def input(self, spec: BlockSpec) -> Tensor | None:
        """What really reached the block, (batch, in_channels, H, W); None where that is not known."""
        del spec
        return None
