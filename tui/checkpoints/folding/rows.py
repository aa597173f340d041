"""Rows: a weight that is looked at a few output channels at a time, held in memory or still in its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.checkpoints.contents import Checkpoint


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """A weight, (out_channels, in_channels / groups, kH, kW).

    Attributes:
        shape: its sizes.
        dtype: of its numbers.
        read: fills memory with as many rows as it has, from that one on; None where all is in `held`.
        held: the weight itself, where it is in memory.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    read: Callable[[int, Tensor], object] | None
    held: Tensor | None

    @classmethod
    def of(cls, tensor: Tensor) -> Rows:
        """Of one in memory."""
        return cls(tuple(tensor.shape), tensor.dtype, None, tensor)

    @classmethod
    def in_file(cls, source: Checkpoint, name: str) -> Rows:
        """Of one that is read strip by strip: a large one is then never in memory as a whole."""
        entry = source.entries[name]

        def read(start: int, target: Tensor) -> None:
            source.read_rows(name, start, target)

        return cls(entry.shape, getattr(torch, entry.dtype), read, None)

    def strip(self, rows: slice, memory: Tensor) -> Tensor:
        """Some rows, each flat; in `memory`, which has as many of them, unless they are held.

        Raises:
            CheckpointError: the file has changed or is gone.
        """
        if self.held is not None:
            return self.held[rows].reshape(memory.shape)
        assert self.read is not None  # it is either held or read
        self.read(rows.start, memory)
        return memory
