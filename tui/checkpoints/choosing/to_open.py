"""ToOpen: which checkpoint is wanted, and how it is to be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui.checkpoints.contents import Checkpoint


@dataclass(frozen=True, slots=True)
class ToOpen:
    """What is to be opened, and how it is to be read.

    Attributes:
        path: the checkpoint.
        given: what another tool made of it, to be compared with it: a file, or what is open already.
        family: decides where several fit; see `recognise`.
        eps: of all batch norms, for the families'.
        conv_bn: whether plain pairs of a convolution and a batch norm are blocks too.
    """

    path: Path
    given: Path | Checkpoint | None = None
    family: str | None = None
    eps: float | None = None
    conv_bn: bool = False
