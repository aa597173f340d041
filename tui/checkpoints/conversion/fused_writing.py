"""Write a fused checkpoint, unless a block in it is wrong, or damaged and left as it is."""

from __future__ import annotations

from pathlib import Path

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.conversion.fused import FusedCheckpoint
from tui.checkpoints.conversion.fused_file import FusedFile
from tui.checkpoints.errors import CheckpointError, named
from tui.checkpoints.writing import Progress, write_checkpoint
from tui.fusion.quoting import quoted


class WrongBlockError(CheckpointError):
    """A block is wrong or damaged, and the output was not written."""


def write_fused(
    source: Checkpoint,
    fused: FusedCheckpoint,
    target: Path,
    *,
    replace: bool = False,
    wrong_too: bool = False,
    progress: Progress | None = None,
    output: FusedFile | None = None,
) -> None:
    """Write it in its format: every tensor that no block reads bit for bit, in the file's order.

    `wrong_too`: whether it is written although a block is wrong or damaged; `progress`: see `Progress`;
    `output`: what has the fused tensors already, made for that target.

    Raises:
        WrongBlockError: a block is wrong or damaged, and nothing was written.
        CheckpointError: as `write_checkpoint`.
    """
    if (fused.wrong or fused.damaged) and not wrong_too:
        raise WrongBlockError(f"{named(target)} was not written, as these blocks are {_amiss(fused)}")
    if output is not None and output.is_as_planned(fused.plan):
        output.finish(progress)
        return
    write_checkpoint(source, fused.plan, target, format=fused.format, replace=replace, progress=progress)


def _amiss(fused: FusedCheckpoint) -> str:
    """ "wrong: 'a', 'b' and 3 more; damaged: 'c'"."""
    of: dict[str, list[str]] = {}
    for block in fused.wrong:
        of.setdefault(block.ruling.value, []).append(block.found.prefix)
    if fused.damaged:
        of["damaged"] = [each.prefix for each in fused.damaged]
    return "; ".join(f"{word}: {_first_three(names)}" for word, names in of.items())


def _first_three(names: list[str]) -> str:
    shown = ", ".join(map(quoted, names[:3]))
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
