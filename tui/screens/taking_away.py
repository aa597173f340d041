"""What follows the key that exports the numbers of a screen: the dialog, then the file or the download."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from textual.screen import Screen

from tui.analysis.failure import sentence_of
from tui.export.saving import in_home, save
from tui.fusion.quoting import printable
from tui.running.background import iterate_in_thread
from tui.screens.dialogs.output_file import Output, OutputScreen
from tui.screens.downloading import download


async def take_text_away(
    screen: Screen[None], words: str, path: Path, formats: Mapping[str, str], content_in: Callable[[str], str]
) -> None:
    """Ask for a file and a format, and write what `content_in` that format there; where it fails, ask again.

    In a browser it is a download, and nothing is written on this machine. It must run in a worker.
    """
    in_browser = screen.app.is_web
    problem, chosen = "", next(iter(formats))
    while True:
        dialog = OutputScreen(
            "Export", words, path, formats=formats, format=chosen, problem=problem, download=in_browser
        )
        output = await screen.app.push_screen_wait(dialog)
        if output is None:
            return
        try:
            content = ""
            async for made in iterate_in_thread(partial(_made, content_in, output, not in_browser)):
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


def _made(content_in: Callable[[str], str], output: Output, to_disk: bool) -> Iterator[str]:
    """Make the content, and save it if it goes to a file of this machine; yields it."""
    content = content_in(output.format)
    if to_disk:
        save(output.path, content, replace=output.replace)
    yield content
