"""The weight ranges of a checkpoint's blocks: of each branch, its norms folded, and of the fused kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tui.analysis.ranges import KernelRange, range_of
from tui.checkpoints.building import block_of
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.found import FoundBlock, Recognition
from tui.fusion.kernel import FusionError

FUSED = "fused"


@dataclass(frozen=True, slots=True)
class BlockRanges:
    """One block.

    Attributes:
        found: where it stands.
        fused: of its fused kernel, in float64.
        branches: of its branches, each folded.
    """

    found: FoundBlock
    fused: KernelRange
    branches: tuple[KernelRange, ...]


@dataclass(frozen=True, slots=True)
class RangingBlock:
    """The block that is read next: its place, counted from 1, and how many there are."""

    number: int
    count: int
    found: FoundBlock


def ranges_of(
    checkpoint: Checkpoint, recognition: Recognition, eps_of: Mapping[str, float]
) -> Iterator[RangingBlock | BlockRanges]:
    """Yield a RangingBlock before each block, and its BlockRanges after it; none where it cannot be folded.

    `eps_of`: of the batch norms of blocks, by prefix, where it is not their family's. One block is in memory.

    Raises:
        CheckpointError: the file has changed or is gone.
    """
    for place, found in enumerate(recognition.blocks):
        yield RangingBlock(place + 1, len(recognition.blocks), found)
        try:
            folded = block_of(found, checkpoint.tensor, eps=eps_of.get(found.prefix)).folded()
        except FusionError:
            continue
        branches = [(name, folds[-1].kernel) for name, folds in folded.summands[: len(found.branches)]]
        yield BlockRanges(
            found,
            range_of(FUSED, folded.kernel.weight),
            tuple(range_of(name, kernel.weight) for name, kernel in branches),
        )
