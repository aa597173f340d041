"""What a checkpoint to be written holds: each tensor's name, shape and dtype, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.checkpoints.contents import Entry

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """A tensor of the input, taken over bit for bit.

    Attributes:
        entry: what it is in the output: the input's shape and dtype, and perhaps another name.
        name: what it is called in the input.
    """

    entry: Entry
    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new tensor.

    Attributes:
        entry: its name, shape and dtype, known before it is made.
        make: makes it; called once, when it is its turn, so that not all are in memory at once.
    """

    entry: Entry
    make: Callable[[], torch.Tensor]


Planned = CarriedOver | Made


def carried(entry: Entry) -> CarriedOver:
    """The tensor as it is in the input, under its own name."""
    return CarriedOver(entry, entry.name)
