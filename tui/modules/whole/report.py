"""ModelReport: what became of a model's blocks when it was fused, in words and numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from tui.analysis.quantities import two_digits
from tui.analysis.verdict.stored import StoredVerdict
from tui.analysis.verdict.stored_judging import judge_stored
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel
from tui.modules.found import LeftAlone


@dataclass(frozen=True, eq=False)
class FusedBlock:
    """One block that was fused.

    Attributes:
        title: where it was: "stage1.0".
        shape: "64 -> 64, 3x3, groups 4".
        branches: the names of its branches and layers: "conv1: conv, bn; identity".
        replaced: what the convolution stands in the place of, in words.
        block: what it was, in float64.
        conv: what it is now.
    """

    title: str
    shape: str
    branches: str
    replaced: str
    block: ReparamBlock
    conv: nn.Conv2d
    _dtype: torch.dtype

    @cached_property
    def kernel(self) -> Kernel:
        """What it comes to, rounded once: the numbers of `conv`, as they were put there."""
        return self.block.kernel().to(self._dtype)

    @cached_property
    def verdict(self) -> StoredVerdict:
        """Its numbers held against what the block comes to."""
        return judge_stored(self.block, self.kernel)

    @property
    def sentence(self) -> str:
        """In a line: where it was, its size, its branches."""
        return f"{self.title or 'the module'}: {self.shape} of {self.branches}"


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What became of a model.

    Attributes:
        fused: each block that is a convolution now, in the order in which they run.
        left_alone: what looks like one and is none, or could not be replaced, and why.
        apart: max |fused - given| over the outputs on the example, in the model's dtype; NaN where that
            cannot be told.
        largest: max |given|.
    """

    fused: tuple[FusedBlock, ...]
    left_alone: tuple[LeftAlone, ...]
    apart: float
    largest: float

    def __str__(self) -> str:
        """A line for each."""
        lines = [f"{len(self.fused)} fused, {len(self.left_alone)} left alone"]
        lines += [f"  {each.sentence}" for each in self.fused]
        lines += [f"  left alone: {each.sentence}" for each in self.left_alone]
        return "\n".join([*lines, self.difference])

    @property
    def difference(self) -> str:
        """How far the whole models lie apart, in a line."""
        if math.isnan(self.apart):
            return (
                "the outputs cannot be compared: NaN or infinite numbers are in them, or they are no tensors"
            )
        return f"max |fused - unfused| of the whole: {two_digits(self.apart)}, of {two_digits(self.largest)}"
