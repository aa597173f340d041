"""judge_of(listing, eps_of): judges what another tool made of a checkpoint, by the eps that are chosen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.listing import Listing

if TYPE_CHECKING:
    from tui.checkpoints.comparison.comparing import Step
    from tui.screens.comparing.comparison import Judge


def judge_of(listing: Listing, eps_of: dict[str, float]) -> Judge:
    """What judges another tool's work; `eps_of`: by prefix, where it is not the family's."""
    return partial(_judged, listing, eps_of)


def _judged(listing: Listing, eps_of: dict[str, float], given: Checkpoint) -> Iterator[Step]:
    from tui.checkpoints.comparison.comparing import compare  # stands on torch, as folding does
    from tui.checkpoints.conversion.fusing import Wishes

    assert listing.recognition is not None
    yield from compare(listing.checkpoint, listing.recognition, given, Wishes(eps_of=eps_of))
