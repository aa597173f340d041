"""What follows the key that asks for the report: the dialog, and the file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from tui.analysis.failure import sentence_of
from tui.export.saving import in_home, save
from tui.fusion.quoting import printable
from tui.running.background import iterate_in_thread
from tui.screens.dialogs.output_file import Output, OutputScreen
from tui.views.checkpoint.compared_view import ComparedView
from tui.views.checkpoint.fused_view import FusedView

if TYPE_CHECKING:
    from tui.checkpoints.comparison.compared import ComparedCheckpoint
    from tui.checkpoints.conversion.fused import FusedCheckpoint


def report_of(compared: ComparedView | None, fused: FusedView | None) -> Callable[[], dict[str, Any]] | None:
    """What makes the report of a comparison, else of a fusion; None where there is neither."""
    if compared is not None and compared.compared is not None:
        return partial(_compared_as_data, compared.compared)
    if fused is not None and fused.fused is not None:
        return partial(_fused_as_data, fused.fused, fused.written)
    return None


def _fused_as_data(fused: FusedCheckpoint, output: Path | None) -> dict[str, Any]:
    from tui.checkpoints.reports.fusing import fused_as_data  # stands on torch, as what it tells of does

    return fused_as_data(fused, output)


def _compared_as_data(compared: ComparedCheckpoint) -> dict[str, Any]:
    from tui.checkpoints.reports.comparing import compared_as_data  # stands on torch, as what it tells of

    return compared_as_data(compared)


async def save_report(screen: Screen[None], suggested: Path, data: Callable[[], dict[str, Any]]) -> None:
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


def _saved(output: Output, data: Callable[[], dict[str, Any]]) -> Iterator[None]:
    save(output.path, json.dumps(data(), allow_nan=False, indent=1) + "\n", replace=output.replace)
    yield None
