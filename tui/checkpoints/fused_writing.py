"""Write a fused checkpoint, unless a block in it is wrong."""

from __future__ import annotations

from pathlib import Path

from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.errors import CheckpointError, named
from tui.checkpoints.fused import FusedCheckpoint
from tui.checkpoints.output import without_wrapper
from tui.checkpoints.writing import Progress, write_checkpoint
from tui.fusion.quoting import quoted


class WrongBlockError(CheckpointError):
    """A block is wrong, and the output was not written."""


def write_fused(
    source: Checkpoint,
    fused: FusedCheckpoint,
    target: Path,
    *,
    format: Format = Format.SAFETENSORS,
    replace: bool = False,
    wrong_too: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write the fused checkpoint: every tensor that no block reads bit for bit, in the file's order.

    `wrong_too`: whether it is written although a block is wrong; `progress`: see `Progress`.

    Raises:
        WrongBlockError: a block is wrong, and nothing was written.
        CheckpointError: as `write_checkpoint`.
    """
    if fused.wrong and not wrong_too:
        names = ", ".join(quoted(block.found.prefix) for block in fused.wrong[:3])
        more = f" and {len(fused.wrong) - 3} more" if len(fused.wrong) > 3 else ""
        raise WrongBlockError(f"{named(target)} was not written, as these blocks are wrong: {names}{more}")
    plan = fused.plan
    if format is Format.SAFETENSORS and source.format is Format.TORCH:
        plan = without_wrapper(plan)
    write_checkpoint(source, plan, target, format=format, replace=replace, progress=progress)
