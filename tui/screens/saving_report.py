"""What follows the key that asks for a report: the dialog, and the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from textual.screen import Screen

from tui.analysis.failure import sentence_of
from tui.export.saving import in_home, save
from tui.fusion.quoting import printable
from tui.running.background import iterate_in_thread
from tui.screens.dialogs.output_file import Output, OutputScreen

ReportData = Callable[[], dict[str, Any]]
"""Makes a report, in a thread."""


async def save_report(screen: Screen[None], suggested: Path, data: ReportData) -> None:
    """Ask for a file, and write what `data` makes into it as JSON; where that fails, ask again.

    It must run in a worker.
    """
    words, problem, path = "What is on the screen, as one JSON object.", "", suggested
    while True:
        dialog = OutputScreen("Report", words, path, problem=problem)
        output = await screen.app.push_screen_wait(dialog)
        if output is None:
            return
        try:
            async for _ in iterate_in_thread(partial(_saved, output, data)):
                pass
        except Exception as error:
            problem, path = sentence_of(error), output.path
        else:
            folder = printable(in_home(output.path.absolute().parent))
            screen.notify(f"Saved {printable(output.path.name)} in {folder}.", timeout=6, markup=False)
            return


def _saved(output: Output, data: ReportData) -> Iterator[None]:
    save(output.path, json.dumps(data(), allow_nan=False, indent=1) + "\n", replace=output.replace)
    yield None
