"""compare(asked): judge what another tool made of a checkpoint; the exit status says whether all is right."""

from __future__ import annotations

import json

from tui.checkpoint_options import CompareRequest
from tui.checkpoints.errors import CheckpointError, named
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.commands.progress import progress

RIGHT = 0
WRONG = 1


def compare(asked: CompareRequest) -> int:
    """Print the report; returns RIGHT or WRONG.

    Raises:
        Refusal: a file cannot be read, or the first has no block that could be judged.
        OSError: the report could not be written.
    """
    reading = asked.reading
    with open_checkpoint(asked.source) as source, open_checkpoint(asked.given) as given:
        found = recognise(source.entries, family=reading.family, conv_bn=reading.conv_bn)
        if not found.blocks:
            why = "no re-parameterizable block was found"
            if any(each.already_fused for each in found.left_alone):
                why = "it is fused already: give the file with the branches first"
            raise CheckpointError(f"{named(asked.source)}: {why}")
        from tui.checkpoints.compared import ComparedBlock, ComparedCheckpoint, ComparingBlock
        from tui.checkpoints.comparing import compare
        from tui.checkpoints.fusing import Wishes

        compared: ComparedCheckpoint | None = None
        with progress("comparing") as tell:
            for step in compare(source, found, given, Wishes(eps=reading.eps)):
                match step:
                    case ComparingBlock():
                        words = f"block {step.number} of {step.count}: {step.found.prefix}"
                        tell((step.number - 1) / step.count, words)
                    case ComparedCheckpoint():
                        compared = step
                    case ComparedBlock():
                        pass
    assert compared is not None  # it comes last
    if asked.as_json:
        from tui.checkpoints.reports.comparing import compared_as_data

        print(json.dumps(compared_as_data(compared), allow_nan=False))
    else:
        from tui.commands.compare.table import print_table

        print_table(compared)
    return RIGHT if compared.agrees else WRONG
