"""A tensor that is to be calculated with: one whose numbers all lie in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import about
from tui.fusion.quoting import quoted

if TYPE_CHECKING:
    import torch


def dense_tensor(checkpoint: Checkpoint, name: str) -> torch.Tensor:
    """Read a tensor.

    Raises:
        CheckpointError: as `Checkpoint.tensor`; or it is sparse.
    """
    tensor = checkpoint.tensor(name)
    if "strided" not in str(tensor.layout):
        raise about(checkpoint.path, f"has {quoted(name)} as a sparse tensor: make it dense first (to_dense)")
    return tensor
