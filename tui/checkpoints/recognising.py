"""The re-parameterizable blocks in a checkpoint, by the names and shapes of its tensors alone."""

from __future__ import annotations

from collections.abc import Mapping

from tui.checkpoints.contents import Entry
from tui.checkpoints.families import FAMILIES, Family
from tui.checkpoints.found import FoundBlock, LeftAlone, Recognition
from tui.checkpoints.recognition.candidates import Candidate, candidates_in
from tui.checkpoints.recognition.choosing import Chooser
from tui.checkpoints.recognition.eps_beside import with_eps_beside
from tui.checkpoints.recognition.neighbours import with_neighbours
from tui.collecting import without_collecting
from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import quoted
from tui.fusion.refusal import Refusal


class UnknownFamilyError(Refusal, ValueError):
    """There is no family of that name."""


def family_named(name: str) -> Family:
    """The family of that name, small and capital letters alike.

    Raises:
        UnknownFamilyError: there is none; the message names those that there are.
    """
    by_name = {family.name.lower(): family for family in FAMILIES}
    if name.lower() not in by_name:
        names = [family.name for family in FAMILIES]
        near = did_you_mean(name, names)
        raise UnknownFamilyError(f"{quoted(name)} is not a known family{near}; there are {', '.join(names)}")
    return by_name[name.lower()]


@without_collecting()
def recognise(
    entries: Mapping[str, Entry], *, family: str | None = None, conv_bn: bool = False
) -> Recognition:
    """The blocks among these tensors, under any prefix; what looks like one and is skipped; the rest.

    No tensor is read, and the time is linear in their number. A block inside of another one is part of it.

    Args:
        entries: every tensor of the checkpoint, by name, in the file's order.
        family: decides where several families fit, or one that the file does not show by other names.
        conv_bn: take plain pairs of a convolution and a batch norm too.

    Raises:
        UnknownFamilyError: `family` is none.
    """
    wanted = None if family is None else family_named(family)
    asked = tuple(each for each in FAMILIES if conv_bn or not each.on_wish or each is wanted)
    candidates = candidates_in(entries, asked)
    chooser = Chooser("\n".join(entries), wanted)
    for candidate in sorted(candidates, key=lambda each: each.depth):
        chooser.look_at(candidate)
    order = {name: place for place, name in enumerate(entries)}
    blocks = sorted(chooser.blocks, key=lambda block: order[block.reads[0]])
    placed = tuple(with_neighbours(blocks, {each.prefix: each for each in candidates}))
    return Recognition(
        tuple(with_eps_beside(placed, {each.name for each in FAMILIES if each.on_wish})),
        _in_order(chooser.left_alone, candidates),
        _rest(entries, blocks),
    )


def _in_order(left_alone: list[LeftAlone], candidates: list[Candidate]) -> tuple[LeftAlone, ...]:
    order = {candidate.prefix: place for place, candidate in enumerate(candidates)}
    return tuple(sorted(left_alone, key=lambda each: order[each.prefix]))


def _rest(entries: Mapping[str, Entry], blocks: list[FoundBlock]) -> tuple[str, ...]:
    gone = {name for block in blocks for name in block.written_over}
    return tuple(name for name in entries if name not in gone)
