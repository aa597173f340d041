"""A fused checkpoint, as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table

from tui.analysis.quantities import two_digits
from tui.analysis.verdict.in_words import percent
from tui.checkpoints.conversion.fused import FusedBlock, FusedCheckpoint
from tui.commands.plain_console import plain_console
from tui.commands.tables import WIDTH, change, doubts, left_alone, plain, row, ruled, size, table


def print_table(fused: FusedCheckpoint, output: Path | None) -> None:
    """Print it on stdout; `output`: where it was written; None where it was not."""
    plain_console(WIDTH).print_report(Group(*_parts(fused, output)))


def _parts(fused: FusedCheckpoint, output: Path | None) -> Iterator[RenderableType]:
    if fused.blocks:
        yield _blocks(fused.blocks)
        yield from _remarks(fused.blocks)
        yield from doubts((block.found, block.eps) for block in fused.blocks)
        yield ""
    if fused.left_alone:
        yield left_alone(fused.left_alone)
        yield ""
    yield _sizes(fused)
    right = len(fused.blocks) - len(fused.wrong)
    words = f"{right} of {len(fused.blocks)} blocks fused and verified, {len(fused.left_alone)} left alone"
    if fused.damaged:
        words += f" ({len(fused.damaged)} damaged)"
    where = "nothing was written" if output is None else f"written to {output} as {fused.format}"
    yield ""
    if output is not None:
        yield from map(plain, fused.beside_in_words)
    yield plain(f"{words}; {where}")


def _blocks(blocks: tuple[FusedBlock, ...]) -> Table:
    made = table("block", "family", "channels, kernel", "eps", "verdict", "of one rounding", "max in float64")
    for block in blocks:
        row(
            made,
            block.found.prefix or "(all of it)",
            block.found.family,
            block.found.shape_text,
            "-" if block.eps is None else f"{block.eps:g}",
            ruled(block.ruling),
            _finite(block.weight_share, percent),
            _finite(block.max_abs_diff_float64, two_digits),
        )
    return made


def _finite(value: float | None, words: Callable[[float], str]) -> str:
    if value is None:
        return "-"
    return words(value) if math.isfinite(value) else "not finite"


def _remarks(blocks: tuple[FusedBlock, ...]) -> Iterator[RenderableType]:
    """Why a block is wrong, the numbers that it should not have, and what the file had in its place."""
    for block in blocks:
        name = block.found.prefix or "(all of it)"
        if not block.agrees:
            yield plain(f"{name}: {block.sentence}")
        for problem in block.problems:
            if problem.words not in block.sentence:
                yield plain(problem.words)
        if block.fused and block.found.placeholders:
            yield plain(f"{', '.join(block.found.placeholders)}: placeholder written over")


def _sizes(fused: FusedCheckpoint) -> Table:
    made = table("", "before -> after")
    before, after = fused.before, fused.after
    row(made, "tensors", change(before.tensors, after.tensors))
    row(made, "parameters", change(before.params, after.params))
    row(made, "size", f"{size(before.bytes)} -> {size(after.bytes)}")
    return made
