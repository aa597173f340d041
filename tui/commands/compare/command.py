"""compare(asked): judge what another tool made of a checkpoint; the exit status says whether all is right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import CheckpointError, named
from tui.checkpoints.found import Recognition
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.command_line.checkpoint_options import CompareRequest
from tui.commands.progress import progress

if TYPE_CHECKING:
    from tui.checkpoints.comparison.compared import ComparedCheckpoint
    from tui.checkpoints.comparison.comparing import Step

RIGHT = 0
WRONG = 1


def compare(asked: CompareRequest, opened: Callable[[], Checkpoint]) -> int:
    """Print the report on what `opened` gives; returns RIGHT or WRONG.

    Raises:
        Refusal: a file cannot be read, or the first has no block that could be judged.
        OSError: the report could not be written.
    """
    reading = asked.reading
    with open_checkpoint(asked.source) as source, opened() as given:
        found = recognise(source.entries, family=reading.family, conv_bn=reading.conv_bn)
        _refuse_none(source, found)
        compared = _compared(source, found, given, reading.eps)
    return report(compared, as_json=asked.as_json)


def report(compared: ComparedCheckpoint, *, as_json: bool) -> int:
    """Print it; returns RIGHT or WRONG.

    Raises:
        OSError: it could not be written.
    """
    if as_json:
        from tui.checkpoints.reports.comparing import compared_as_data

        print(json.dumps(compared_as_data(compared), allow_nan=False))
    else:
        from tui.commands.compare.table import print_table

        print_table(compared)
    return RIGHT if compared.agrees else WRONG


def _refuse_none(source: Checkpoint, found: Recognition) -> None:
    """Stop where there is nothing to judge.

    Raises:
        CheckpointError: there is not.
    """
    if found.blocks:
        return
    why = "no re-parameterizable block was found"
    if any(each.already_fused for each in found.left_alone):
        why = "it is fused already: give the file with the branches first"
    raise CheckpointError(f"{named(source.path)}: {why}")


def _compared(
    source: Checkpoint, found: Recognition, given: Checkpoint, eps: float | None
) -> ComparedCheckpoint:
    from tui.checkpoints.comparison.comparing import compare
    from tui.checkpoints.conversion.fusing import Wishes

    return with_progress(compare(source, found, given, Wishes(eps=eps)))


def with_progress(steps: Iterable[Step]) -> ComparedCheckpoint:
    """Every block judged, and how far that is told meanwhile."""
    from tui.checkpoints.comparison.compared import ComparedBlock, ComparedCheckpoint

    with progress("comparing") as tell:
        for step in steps:
            if isinstance(step, ComparedCheckpoint):
                return step
            if not isinstance(step, ComparedBlock):
                tell(step.share, step.words)
    raise RuntimeError("the comparison ended without a result")
