"""What follows the key that asks for the weight ranges: block after block is read, and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from tui.analysis.failure import sentence_of
from tui.checkpoints.listing import Listing
from tui.running.background import iterate_in_thread
from tui.views.checkpoint.ranges_view import RangesView

if TYPE_CHECKING:
    from tui.checkpoints.inspection.block_ranges import BlockRanges, RangingBlock


async def show_ranges(listing: Listing, eps_of: Mapping[str, float], view: RangesView) -> None:
    """Read every block, and show its ranges as soon as they are known."""
    view.begin()
    try:
        async for step in iterate_in_thread(partial(_steps, listing, eps_of)):
            from tui.checkpoints.inspection.block_ranges import (
                BlockRanges,  # torch is there when the first step is
            )

            if isinstance(step, BlockRanges):
                view.add(step)
            else:
                place = f"block {step.number} of {step.count}: {step.found.prefix}"
                view.tell("reading the blocks", (step.number - 1) / step.count, place)
    except Exception as error:
        words = sentence_of(error)
        view.say(Content.styled(f"{words[:1].upper()}{words[1:]}", "bold $text-error"))
    else:
        view.end()


def _steps(listing: Listing, eps_of: Mapping[str, float]) -> Iterator[RangingBlock | BlockRanges]:
    from tui.checkpoints.inspection.block_ranges import ranges_of

    assert listing.recognition is not None
    yield from ranges_of(listing.checkpoint, listing.recognition, eps_of)
