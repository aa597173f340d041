"""Unfused: blocks with their branches, of a file or of a module, for what another tool made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tui.checkpoints.building import block_of
from tui.checkpoints.comparison.counterparts import names_of
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.conversion.fusing import Wishes
from tui.checkpoints.dense_tensor import dense_tensor
from tui.checkpoints.found import FoundBlock, Recognition
from tui.fusion.block import ReparamBlock

Names = tuple[tuple[str, str], ...]
"""Of a weight and its bias, the likeliest first."""


@dataclass(frozen=True, eq=False)
class Unfused:
    """What is compared.

    Attributes:
        source: the tensors of all of it.
        recognition: the blocks in it.
        block: a block as a module of its own, with its numbers.
        names: what a fused convolution of a block may be called, by the names of the source.
        roots: where it may be under any name.
        asked: how many of `names` tell what the names of all begin with.
    """

    source: Checkpoint
    recognition: Recognition
    block: Callable[[FoundBlock], ReparamBlock]
    names: Callable[[FoundBlock], Names] = names_of
    roots: Callable[[FoundBlock], tuple[str, ...]] = lambda found: (found.prefix,)
    asked: int = 1

    def expected(self) -> list[str]:
        """Names that the other file may have: one kind after the other, as of a long list some are asked."""
        names = [self.names(found)[: self.asked] for found in self.recognition.blocks]
        longest = max(map(len, names), default=0)
        return [
            name
            for kind in range(longest)
            for of_block in names
            if kind < len(of_block)
            for name in of_block[kind]
        ] + [*self.recognition.rest]

    def places(self) -> list[str]:
        """What the names in each block begin with, up to its dot: what is there may have any name."""
        return [f"{found.prefix}." for found in self.recognition.blocks if found.prefix]


def unfused_in(source: Checkpoint, recognition: Recognition, wishes: Wishes) -> Unfused:
    """What was found in a file; of the wishes only eps counts."""

    def block(found: FoundBlock) -> ReparamBlock:
        return block_of(found, partial(dense_tensor, source), eps=wishes.eps_for(found))

    return Unfused(source, recognition, block)
