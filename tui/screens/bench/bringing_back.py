"""What follows the key that imports: the dialog, the reading in a thread, and where what was read goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from tui.analysis.alterations.alterations import Alterations
from tui.analysis.alterations.places import NotEditableError
from tui.analysis.failure import sentence_of
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.tap import Tap
from tui.running.background import iterate_in_thread

if TYPE_CHECKING:
    from tui.analysis.study import Study
    from tui.importing.kernel_edits import Imported
    from tui.importing.saved_study import SavedStudy
    from tui.importing.target import Target
    from tui.screens.dialogs.importing import ImportRequest

NOT_YET = "a kernel is laid beside the result of this block, which is not there yet: run it first (r)"


@dataclass(frozen=True)
class Place:
    """Where what is brought in goes.

    Attributes:
        spec: the block at hand.
        summand, cursor: the grid in focus, and the tap under the cursor in its frame.
        study: gives the result of the block at hand, None while there is none.
        show: takes a saved study.
        alter: takes other alterations of the block at hand.
    """

    spec: BlockSpec
    summand: str
    cursor: Tap
    study: Callable[[], Study | None]
    show: Callable[[SavedStudy], None]
    alter: Callable[[Alterations], None]


async def bring_back(screen: Screen[None], place: Place) -> None:
    """Ask for a file or a text, and bring it in; where that fails, ask again and say why.

    It must run in a worker.
    """
    from tui.screens.dialogs.importing import ImportScreen  # its text area is not needed for the first paint

    target, words = _target(place)
    dialog = ImportScreen(words)
    while (request := await screen.app.push_screen_wait(dialog)) is not None:
        try:
            told = await _fulfilled(place, target, request)
        except Exception as error:
            dialog = ImportScreen(words, request=request, problem=sentence_of(error))
        else:
            screen.notify(told, timeout=8, markup=False)
            return


def _target(place: Place) -> tuple[Target | str, str]:
    """The weight that a kernel would go to, or why there is none; and the same in words."""
    from tui.importing.target import target_of

    try:
        target = target_of(place.spec, place.summand, place.cursor)
    except NotEditableError as refusal:
        return str(refusal), f"none here: {refusal}"
    remark = f", {target.remark}" if target.remark else ""
    return target, f"for {target.name}{remark}: {target.expected}; .npy, .npz, CSV or numbers"


async def _fulfilled(place: Place, target: Target | str, request: ImportRequest) -> str:
    """Bring it in; returns what to tell the user.

    Raises:
        ImportingError: it cannot be done; the message says why.
    """
    from tui.importing.errors import ImportingError
    from tui.importing.kernel_edits import Imported

    before = place.study()
    async for found in iterate_in_thread(partial(_read, before, target, request)):
        if not isinstance(found, Imported):
            place.show(found)
            return "Opened the saved study. u goes back to the block before it."
        if place.study() is not before:
            raise ImportingError("the block has changed while it was read: import it again")
        if before is not None and found.alterations != before.alterations:
            place.alter(found.alterations)
        return found.words
    raise RuntimeError("nothing was read")


def _read(
    study: Study | None, target: Target | str, request: ImportRequest
) -> Iterator[SavedStudy | Imported]:
    """Read it, and where it is a kernel, lay it beside the study; in a thread."""
    from tui.importing.brought_back import read_file, read_text
    from tui.importing.errors import ImportingError
    from tui.importing.saved_study import SavedStudy

    found = read_text(request.text) if request.text else read_file(request.file)
    if isinstance(found, SavedStudy):
        yield found
        return
    if isinstance(target, str):
        raise ImportingError(f"these are numbers, and there is no place for them: {target}")
    if study is None:
        raise ImportingError(NOT_YET)
    from tui.importing.kernel_edits import imported

    yield imported(study, target, found)
