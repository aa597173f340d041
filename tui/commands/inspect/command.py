"""inspect(asked): print the blocks of a checkpoint, and what else it holds."""

from __future__ import annotations

import json

from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.command_line.checkpoint_options import InspectRequest


def inspect(asked: InspectRequest) -> int:
    """Print the report; returns the exit status, 0.

    Raises:
        Refusal: the file cannot be read, or there is no such family.
        OSError: the report could not be written.
    """
    with open_checkpoint(asked.source) as source:
        reading = asked.reading
        found = recognise(source.entries, family=reading.family, conv_bn=reading.conv_bn)
        if asked.as_json:
            from tui.checkpoints.reports.inspecting import contents_as_data

            print(json.dumps(contents_as_data(source, found, reading.eps), allow_nan=False))
        else:
            from tui.commands.inspect.table import print_table

            print_table(source, found, reading.eps)
    return 0
