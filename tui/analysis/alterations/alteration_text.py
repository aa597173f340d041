"""Alterations as text, "kxk.weight[0,0,1,1]=0.5": as the command line takes and the export writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tui.analysis.alterations.alterations import (
    NOTHING_ALTERED,
    Alterations,
    Edit,
    refusal_of,
    shapes_of,
)
from tui.analysis.alterations.editable import Shape
from tui.analysis.alterations.gallery import MISTAKES, obstacle
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.grammar.number_text import number_in
from tui.fusion.grammar.text_error import TextError
from tui.fusion.quoting import quoted
from tui.fusion.specs.block_spec import BlockSpec

_LARGEST_INDEX = 9
"""Digits of an index; no tensor of a block is as long."""
_EDIT = re.compile(
    rf"\s*(?P<place>[^\[\]=]+?)\s*\[\s*(?P<index>\d{{1,{_LARGEST_INDEX}}}(?:\s*,\s*\d{{1,{_LARGEST_INDEX}}})*)\s*\]"
    r"\s*=\s*(?P<value>[^=]+)",
    re.ASCII,
)


def show_edit(edit: Edit) -> str:
    """The edit as `edits_in` reads it: "kxk.weight[0,0,1,1]=0.5", "input[0,1,3,3]=nan"."""
    return f"{edit.place}{_show_index(edit.index)}={edit.value!r}"


def edits_in(texts: Iterable[str], spec: BlockSpec) -> tuple[Edit, ...]:
    """The edits of this block that the texts say, each as `show_edit` writes it; of one number the last.

    Raises:
        TextError: a text is no such edit, or the block has no such number; it says what there is.
    """
    shapes = shapes_of(spec)
    return NOTHING_ALTERED.edited(*(_edit_in(text, shapes) for text in texts)).edits


def _edit_in(text: str, shapes: Mapping[str, Shape]) -> Edit:
    match = _EDIT.fullmatch(text)
    if match is None:
        raise TextError(f"must be a place, index and number, as kxk.weight[0,0,1,1]=0.5, not {quoted(text)}")
    value = number_in(match["value"].strip())
    if value is None:
        raise TextError(f"{quoted(match['value'])} in {quoted(text)} is not a number, or too large a one")
    return checked_edit(match["place"], tuple(map(int, match["index"].split(","))), value, shapes)


def checked_edit(place: str, index: tuple[int, ...], value: float, shapes: Mapping[str, Shape]) -> Edit:
    """The edit, of a tensor that is there and of a number that is in it. `shapes`: as `shapes_of` has them.

    Raises:
        TextError: it is not; the message says what there is.
    """
    if place not in shapes:
        near = did_you_mean(place, shapes)
        raise TextError(f"{quoted(place)} is not a tensor of this block, which has {', '.join(shapes)}{near}")
    shape = shapes[place]
    inside = len(index) == len(shape) and all(
        0 <= number < size for number, size in zip(index, shape, strict=True)
    )
    if not inside:
        first, last = (_show_index(numbers) for numbers in ((0,) * len(shape), tuple(n - 1 for n in shape)))
        raise TextError(
            f"{place} is {' x '.join(map(str, shape))}: its indices go from {first} to {last}, "
            f"and {_show_index(index)} is not one"
        )
    refusal = refusal_of(place, value)
    if refusal is not None:
        raise TextError(f"{refusal}, not {value!r}")
    return Edit(place, index, value)


def _show_index(index: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, index[:8]))}{',...' if len(index) > 8 else ''}]"


def checked_mistake(name: str, spec: BlockSpec) -> str:
    """The mistake's name, if there is one of that name and it can be made on this block.

    Raises:
        TextError: there is none, or it cannot; the message says why.
    """
    if name not in MISTAKES:
        near = did_you_mean(name, MISTAKES)
        raise TextError(f"must be one of {', '.join(MISTAKES)}, not {quoted(name)}{near}")
    hindrance = obstacle(name, spec)
    if hindrance is not None:
        raise TextError(f"{name} cannot be made on this block: {hindrance}")
    return name


def alterations_in(edits: Iterable[str], mistake: str, spec: BlockSpec) -> Alterations:
    """What texts say of edits, and a mistake's name or "" for none.

    Raises:
        TextError: as `edits_in` and `checked_mistake`.
    """
    return Alterations(edits_in(edits, spec), checked_mistake(mistake, spec) if mistake else "")
