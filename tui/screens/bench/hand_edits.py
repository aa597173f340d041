"""What stands between a key and an edit by hand: the number that is meant, and kernels chosen by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from textual.screen import Screen

from tui.analysis.alterations.alterations import Edit, shapes_of
from tui.analysis.alterations.places import EditablePlace, NotEditableError, kernel_edits
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import BlockSpec

if TYPE_CHECKING:
    from tui.analysis.study import Study


Wanted = TypeVar("Wanted")


def place_or_reason(screen: Screen[Any], wanted: Callable[[], Wanted]) -> Wanted | None:
    """The number or numbers that are meant; where there is none, None, and the user is told why."""
    try:
        return wanted()
    except NotEditableError as refusal:
        screen.notify(str(refusal), timeout=6, markup=False)
        return None


async def chosen_number(
    screen: Screen[Any], study: Study, places: tuple[EditablePlace, ...]
) -> EditablePlace | None:
    """Let the user choose one of these numbers; None where none is chosen. It must run in a worker."""
    from tui.export.code.literals import shortest_numbers  # a study is there, and with it torch
    from tui.screens.dialogs.numbers import NumbersScreen  # not before the first paint

    values = [shortest_numbers(study.number_at(each.name, each.index).reshape(1))[0] for each in places]
    return await screen.app.push_screen_wait(NumbersScreen(tuple(zip(places, values, strict=True))))


def changing(edits: tuple[Edit, ...], study: Study | None, subject: Subject) -> tuple[Edit, ...]:
    """The edits; none where each sets the number that is there.

    What is there is known of the study of that subject, not of an older one while a newer is run.
    """
    if study is None or study.subject != subject:
        return edits
    from tui.analysis.alterations.applying import sets_another  # a study is there, and with it torch

    numbers = ((edit.value, study.number_at(edit.place, edit.index)) for edit in edits)
    return edits if any(sets_another(value, number) for value, number in numbers) else ()


async def chosen_kernel(screen: Screen[Any], spec: BlockSpec, place: EditablePlace) -> tuple[Edit, ...]:
    """Let the user choose a kernel by its name for the weight of that place; returns the edits, perhaps none.

    It must run in a worker.
    """
    shape = shapes_of(spec).get(place.name)
    if shape is None or not place.name.endswith(".weight"):
        return ()
    branch = place.name.removesuffix(".weight")
    from tui.screens.dialogs.named_kernels import NamedKernelScreen  # not before the first paint

    chosen = await screen.app.push_screen_wait(NamedKernelScreen(branch, (shape[2], shape[3])))
    if chosen is None:
        return ()
    pair = None if chosen.everywhere else (place.index[0], place.index[1])
    try:
        return kernel_edits(place.name, shape, chosen.name, pair)
    except NotEditableError as refusal:
        screen.notify(str(refusal), timeout=6, markup=False)
        return ()
