"""Opening a checkpoint and looking for its blocks: its names are told at once, their meaning follows."""

from __future__ import annotations

from collections.abc import Iterator

from tui.analysis.progress import Doing
from tui.checkpoints.choosing.to_open import ToOpen
from tui.checkpoints.listing import Listing
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.outline import Outline
from tui.checkpoints.recognising import recognise


def look_into(wanted: ToOpen) -> Iterator[Doing | Listing]:
    """Open a checkpoint and tell what it holds: first its names, then what they were found to mean.

    No tensor is read. The checkpoint stays open.

    Raises:
        CheckpointError: as `open_checkpoint`.
        UnknownFamilyError: as `recognise`.
    """
    yield Doing("opening the file", 1, 2)
    checkpoint = open_checkpoint(wanted.path)
    yield Listing(checkpoint, Outline(checkpoint.entries))
    yield Doing("looking for blocks", 2, 2)
    recognition = recognise(checkpoint.entries, family=wanted.family, conv_bn=wanted.conv_bn)
    yield Listing(checkpoint, Outline(checkpoint.entries, recognition), recognition)
