"""What follows the key that exports the speed of all blocks: the dialog, and the file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from textual.screen import Screen

from tui.analysis.failure import sentence_of
from tui.background import iterate_in_thread
from tui.export.saving import in_home, save
from tui.export.speed_data import speed_csv, speed_json
from tui.fusion.quoting import printable
from tui.screens.dialogs.output_file import Output, OutputScreen
from tui.speed_table_state import SpeedTableState

FORMATS = {"CSV": ".csv", "JSON": ".json"}


async def take_speeds_away(screen: Screen[None], state: SpeedTableState) -> None:
    """Ask for a file and a format, and write what was measured; where that fails, ask again.

    It must run in a worker.
    """
    words = f"{state.found.complete} of {state.found.count}, timed to the end: all that was measured of each."
    problem, path, chosen = "", Path("speed.csv"), "CSV"
    while True:
        dialog = OutputScreen("Export", words, path, formats=FORMATS, format=chosen, problem=problem)
        output = await screen.app.push_screen_wait(dialog)
        if output is None:
            return
        try:
            async for _ in iterate_in_thread(partial(_saved, output, state)):
                pass
        except Exception as error:
            problem, path, chosen = sentence_of(error), output.path, output.format
        else:
            folder = printable(in_home(output.path.absolute().parent))
            screen.notify(f"Saved {printable(output.path.name)} in {folder}.", timeout=6, markup=False)
            return


def _saved(output: Output, state: SpeedTableState) -> Iterator[None]:
    found = state.found
    timed, left_out = list(found.timed.values()), list(found.left_out)
    if output.format == "JSON":
        content = speed_json(timed, left_out, state.conditions, is_complete=found.is_complete) + "\n"
    else:
        content = speed_csv(timed, left_out)
    save(output.path, content, replace=output.replace)
    yield None
