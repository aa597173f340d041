"""What follows the export dialog: the content is made in a thread, then copied or saved, and told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.screen import Screen

from tui.analysis.failure import sentence_of
from tui.analysis.subject import Subject
from tui.export.items import ITEMS, Item
from tui.export.saving import in_home, save
from tui.fusion.quoting import printable
from tui.running.background import iterate_in_thread
from tui.screens.downloading import download

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.analysis.study import Study
    from tui.screens.dialogs.export import ExportRequest

MOST_COPIED = 74_994
"""Bytes that xterm and others take by OSC 52: 100,000 in base64, less the frame around them."""

_BY_FILE = "your terminal does not allow it: save to a file"


@dataclass(frozen=True, eq=False)
class Takeable:
    """What can be taken away.

    Attributes:
        study: the result at hand.
        grid: the name of the kernel that "the grid" means.
        compared: the block that the study is compared with, if any.
    """

    study: Study
    grid: str
    compared: Subject | None = None


async def take_away(screen: Screen[None], takeable: Takeable, item: Item = Item.SNIPPET) -> None:
    """Ask what to take and where to, and do it; where that fails, ask again and say why.

    It must run in a worker.
    """
    grid = takeable.grid
    from tui.screens.dialogs.export import ExportScreen  # not before the first paint

    dialog = ExportScreen(item, grid)
    while (request := await screen.app.push_screen_wait(dialog)) is not None:
        try:
            told = await _fulfilled(screen, takeable, request)
        except Exception as error:
            name = None if request.path is None else str(request.path)
            dialog = ExportScreen(request.item, grid, file_name=name, problem=sentence_of(error))
        else:
            screen.notify(told, timeout=6, markup=False)
            return


async def _fulfilled(screen: Screen[None], takeable: Takeable, request: ExportRequest) -> str:
    """Copy or save it; returns what to tell the user.

    Raises:
        ExportError, SavingError: it cannot be done; the message says why.
    """
    picture = await _picture(screen) if request.item is Item.SVG else None
    in_browser = screen.app.is_web
    make = partial(_made, request, takeable, picture, to_disk=not in_browser)
    content = b""
    async for made in iterate_in_thread(make):
        content = made
    size = len(content)
    if request.path is None:
        screen.app.copy_to_clipboard(content.decode("utf-8"))
        by_file = "your browser does not allow it: download it" if in_browser else _BY_FILE
        return (
            f"Copied: {ITEMS[request.item].title}, {_size(size)}. If nothing can be pasted, {by_file} (x, f)."
        )
    if in_browser:
        return download(screen.app, request.path.name, content)
    folder = printable(in_home(request.path.absolute().parent))
    return f"Saved {printable(request.path.name)} in {folder}, {_size(size)}."


def _made(
    request: ExportRequest, takeable: Takeable, picture: str | None, *, to_disk: bool
) -> Iterator[bytes]:
    """Make the content, and save it if it goes to a file of this machine; yields it."""
    from tui.export.content import content_of  # stands on torch, as the study does
    from tui.export.errors import ExportError

    content: str | bytes
    if picture is not None:
        content = picture
    else:
        content = content_of(request.item, takeable.study, takeable.grid, takeable.compared)
    data = content.encode("utf-8") if isinstance(content, str) else content
    if request.path is not None and to_disk:
        save(request.path, data, replace=request.replace)
    elif request.path is None and len(data) > MOST_COPIED:
        raise ExportError(f"{_size(len(data))} are too many for a terminal's clipboard: f saves it to a file")
    yield data


async def _picture(screen: Screen[None]) -> str:
    """The screen as an SVG, once the dialog has gone."""
    painted = asyncio.Event()
    screen.call_after_refresh(painted.set)
    await painted.wait()
    return screen.app.export_screenshot()


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e3:.1f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def export_commands(export: Callable[[str], object]) -> Iterator[SystemCommand]:
    """An entry of the palette for each thing to take away; `export` opens the dialog at it."""
    for item, description in ITEMS.items():
        summary = description.summary.format(grid="the grid in focus")
        yield SystemCommand(
            f"Export: {description.title}", f"{summary[0].upper()}{summary[1:]}", partial(export, item)
        )
