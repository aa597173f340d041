"""What follows the key that exports a sweep: the dialog, and the file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from textual.screen import Screen

from tui.analysis.failure import sentence_of
from tui.analysis.sweep.quantities import Quantity
from tui.background import iterate_in_thread
from tui.export.saving import in_home, save
from tui.export.sweep_data import sweep_csv, sweep_json
from tui.export.sweep_figure.figure import sweep_svg
from tui.fusion.quoting import printable
from tui.screens.dialogs.output_file import Output, OutputScreen
from tui.screens.downloading import download
from tui.sweep_state import SweepState

FORMATS = {"CSV": ".csv", "JSON": ".json", "SVG": ".svg"}


async def take_sweep_away(screen: Screen[None], state: SweepState, quantity: Quantity) -> None:
    """Ask for a file and a format, and write the points that are there; where that fails, ask again.

    It must run in a worker.
    """
    words = (
        f"{len(state.points)} of {state.plan.count} points: all their numbers as CSV or JSON, "
        f"or {quantity} as a figure of its own in SVG."
    )
    problem, path, chosen = "", Path("sweep.csv"), "CSV"
    in_browser = screen.app.is_web
    while True:
        dialog = OutputScreen(
            "Export", words, path, formats=FORMATS, format=chosen, problem=problem, download=in_browser
        )
        output = await screen.app.push_screen_wait(dialog)
        if output is None:
            return
        try:
            content = ""
            async for made in iterate_in_thread(partial(_made, output, state, quantity, not in_browser)):
                content = made
        except Exception as error:
            problem, path, chosen = sentence_of(error), output.path, output.format
        else:
            if in_browser:
                told = download(screen.app, output.path.name, content.encode("utf-8"))
            else:
                folder = printable(in_home(output.path.absolute().parent))
                told = f"Saved {printable(output.path.name)} in {folder}."
            screen.notify(told, timeout=6, markup=False)
            return


def _made(output: Output, state: SweepState, quantity: Quantity, to_disk: bool) -> Iterator[str]:
    """Make the content, and save it if it goes to a file of this machine; yields it."""
    if output.format == "SVG":
        content = sweep_svg(state.plan, state.points, quantity)
    elif output.format == "JSON":
        content = sweep_json(state.plan, state.points) + "\n"
    else:
        content = sweep_csv(state.plan, state.points)
    if to_disk:
        save(output.path, content, replace=output.replace)
    yield content
