"""What a checkpoint holds, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tui.analysis.quantities import count
from tui.checkpoints.contents import Checkpoint, Entry
from tui.checkpoints.conversion.output import size_of
from tui.checkpoints.found import FoundBlock, Recognition
from tui.checkpoints.inspection.eps_change import CANDIDATES
from tui.checkpoints.reports.inspecting import eps_change_of
from tui.commands.plain_console import plain_console
from tui.commands.tables import ASIDE, WIDTH, doubts, left_alone, listed, plain, row, size, table


def print_table(source: Checkpoint, recognition: Recognition, eps: float | None) -> None:
    """Print it on stdout."""
    plain_console(WIDTH).print_report(Group(*_parts(source, recognition, eps)))


def _parts(source: Checkpoint, recognition: Recognition, eps: float | None) -> Iterator[RenderableType]:
    whole = size_of(source.entries.values())
    words = f"{source.path.name}: {source.format}, {count(whole.tensors)} tensors"
    yield plain(f"{words}, {count(whole.params)} parameters, {size(whole.bytes)}")
    if source.other_values:
        yield plain(f"beside its tensors: {listed(source.other_values, 6)}")
    yield ""
    if recognition.blocks:
        yield _blocks(source, recognition.blocks, eps)
        small, large = CANDIDATES
        why = f"how much larger the worst channel's weights are with eps {small:g} than with {large:g}"
        yield Text(f"eps matters: {why}; no file tells eps", ASIDE)
        yield from doubts((found, _eps_used(found, eps)) for found in recognition.blocks)
    else:
        yield "no re-parameterizable block was found"
    if recognition.left_alone:
        yield ""
        yield left_alone(recognition.left_alone)
    yield ""
    yield _rest([source.entries[name] for name in recognition.rest])


def _blocks(source: Checkpoint, blocks: tuple[FoundBlock, ...], eps: float | None) -> Table:
    made = table("block", "family", "branches", "channels, kernel", "dtype", "eps", "eps matters")
    for found in blocks:
        used = _eps_used(found, eps)
        change = eps_change_of(source, found)
        row(
            made,
            found.prefix or "(all of it)",
            found.family,
            _branches(found),
            found.shape_text,
            found.dtype,
            "-" if used is None else f"{used:g}",
            "-" if change is None else f"{change.factor:.4g} ×",
        )
    return made


def _eps_used(found: FoundBlock, eps: float | None) -> float | None:
    """That of its batch norms; None where it has none."""
    return None if not found.has_norm else found.eps if eps is None else eps


def _branches(found: FoundBlock) -> str:
    """ "4 × 3x3-bias+norm, identity+norm"."""
    counts = Counter(branch.text for branch in found.branches)
    return ", ".join(f"{number} × {text}" if number > 1 else text for text, number in counts.items())


def _rest(entries: list[Entry]) -> Table:
    made = table("other tensors", "shape", "dtype", "bytes")
    made.columns[3].justify = "right"
    for entry in entries:
        row(made, entry.name, "×".join(map(str, entry.shape)) or "-", entry.dtype, count(entry.bytes))
    return made
