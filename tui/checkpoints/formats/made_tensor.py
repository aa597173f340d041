"""A planned tensor, made: and held against what was planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.checkpoints.plan import Made

if TYPE_CHECKING:
    import torch


def made(planned: Made) -> torch.Tensor:
    """The tensor, on the CPU, without a gradient."""
    tensor = planned.make().detach().cpu()
    entry = planned.entry
    if tuple(tensor.shape) != entry.shape or str(tensor.dtype) != f"torch.{entry.dtype}":  # a fault of ours
        raise AssertionError(f"{entry} was made as {tuple(tensor.shape)} in {tensor.dtype}")
    return tensor
