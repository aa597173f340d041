"""A checkpoint beside what another tool made of it, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.comparison.compared import Carried, CarriedAs, ComparedBlock, ComparedCheckpoint
from tui.commands.plain_console import plain_console
from tui.commands.tables import RULINGS, WIDTH, doubts, left_alone, plain, row, ruled, table

MOST_NAMED = 20
"""Tensors of one kind that are listed."""


def print_table(compared: ComparedCheckpoint) -> None:
    """Print it on stdout."""
    plain_console(WIDTH).print_report(Group(*_parts(compared)))


def _parts(compared: ComparedCheckpoint) -> Iterator[RenderableType]:
    yield _blocks(compared.blocks)
    for block in compared.blocks:
        if not block.agrees:
            yield plain(f"{block.found.prefix or '(all of it)'}: {block.sentence}{_looks_like(block)}")
    yield from doubts((block.found, block.eps) for block in compared.blocks)
    yield ""
    if compared.left_alone:
        yield left_alone(compared.left_alone)
        yield ""
    before, after = compared.renamed
    if before or after:
        yield plain(f"names: {before or 'nothing'} before, {after or 'nothing'} in the other file")
    if compared.choice:
        yield plain(compared.choice)
    yield from _carried(compared.carried)
    if compared.left_over:
        yield from _named("left over in the other file", [plain(name) for name in compared.left_over])
    yield ""
    yield _summary(compared)


def _blocks(blocks: tuple[ComparedBlock, ...]) -> Table:
    made = table("block", "family", "channels, kernel", "eps", "verdict", "by its weights")
    for block in blocks:
        row(
            made,
            block.found.prefix or "(all of it)",
            block.found.family,
            block.found.shape_text,
            "-" if block.eps is None else f"{block.eps:g}",
            ruled(block.ruling),
            "-" if block.verdict is None else block.verdict.summary,
        )
    return made


def _looks_like(block: ComparedBlock) -> str:
    words = "" if block.likenesses is None else block.likenesses.words
    return f"; looks like: {words}" if words else ""


def _carried(carried: tuple[Carried, ...]) -> Iterator[RenderableType]:
    counts = Counter(each.what for each in carried)
    words = ", ".join(f"{counts[what]} {what}" for what in CarriedAs if counts[what])
    yield f"other tensors: {words or 'none'}"
    for what in (CarriedAs.CAST, CarriedAs.CHANGED, CarriedAs.MISSING):
        those = [each for each in carried if each.what is what]
        if those:
            yield from _named(what.value, [plain(f"{each.name} {each.words}") for each in those])


def _named(title: str, lines: list[Text]) -> Iterator[RenderableType]:
    yield f"{title}:"
    for line in lines[:MOST_NAMED]:
        yield Text("  ").append_text(line)
    if len(lines) > MOST_NAMED:
        yield f"  and {len(lines) - MOST_NAMED} more"


def _summary(compared: ComparedCheckpoint) -> Text:
    blocks = compared.number_right + ("" if compared.fits else ": another model?")
    if compared.agrees:
        return Text(f"{blocks}, and all else was carried over", RULINGS[Ruling.EXACT])
    words = [blocks]
    if compared.not_carried:
        many = len(compared.not_carried)
        words.append(f"{many} tensors were not carried over" if many > 1 else "1 tensor was not carried over")
    if compared.left_over:
        many = len(compared.left_over)
        words.append(f"{many} names are left over" if many > 1 else "1 name is left over")
    return Text(", ".join(words), RULINGS[Ruling.WRONG])
