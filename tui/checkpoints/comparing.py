"""Compare a checkpoint with what another tool made of it: each fused kernel judged by its weights."""

from __future__ import annotations

from collections.abc import Iterator

from tui.checkpoints.compared import ComparedBlock, ComparedCheckpoint, ComparingBlock
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.found import Recognition
from tui.checkpoints.fusing import Wishes


def compare(
    source: Checkpoint, recognition: Recognition, given: Checkpoint, wishes: Wishes | None = None
) -> Iterator[ComparingBlock | ComparedBlock | ComparedCheckpoint]:
    """Yield a ComparingBlock before each block, the ComparedBlock after it, the ComparedCheckpoint last.

    Closing the generator between them ends the work.

    Args:
        source: the checkpoint with its branches.
        recognition: what was found in it.
        given: what another tool made of it.
        wishes: only its eps count.

    Raises:
        CheckpointError: a file has changed or is gone.
    """
    raise NotImplementedError
