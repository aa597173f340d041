"""Fuse every block of an open checkpoint: each folded in float64, cast once, and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.found import FoundBlock, Recognition
from tui.checkpoints.fused import FusedBlock, FusedCheckpoint, FusingBlock
from tui.checkpoints.writing import Progress


@dataclass(frozen=True, slots=True)
class Wishes:
    """How it shall be done.

    Attributes:
        eps: of all batch norms, for the families'.
        eps_of: of the batch norms of single blocks, by prefix: comes before `eps`.
        on_input: whether each is also run on a random input.
        jobs: how many blocks are fused at the same time.
    """

    eps: float | None = None
    eps_of: Mapping[str, float] = field(default_factory=dict)
    on_input: bool = True
    jobs: int = 1

    def eps_for(self, found: FoundBlock) -> float | None:
        """The eps of that block's batch norms; None for its family's."""
        return self.eps_of.get(found.prefix, self.eps)


class WrongBlockError(CheckpointError):
    """A block is wrong, and the output was not written."""


def fuse(
    source: Checkpoint, recognition: Recognition, wishes: Wishes | None = None
) -> Iterator[FusingBlock | FusedBlock | FusedCheckpoint]:
    """Yield a FusingBlock before each block, the FusedBlock after it, and the FusedCheckpoint last.

    Closing the generator between them ends the work. The fused tensors are in memory, the file's others not.

    Raises:
        CheckpointError: the file has changed or is gone.
    """
    raise NotImplementedError


def write_fused(
    source: Checkpoint,
    fused: FusedCheckpoint,
    target: Path,
    *,
    format: Format = Format.SAFETENSORS,
    replace: bool = False,
    wrong_too: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write the fused checkpoint: every tensor that no block reads bit for bit, in the file's order.

    `wrong_too`: whether it is written although a block is wrong; `progress`: see `Progress`.

    Raises:
        WrongBlockError: a block is wrong, and nothing was written.
        CheckpointError: as `write_checkpoint`.
    """
    raise NotImplementedError
