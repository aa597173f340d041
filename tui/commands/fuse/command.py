"""fuse(asked): fuse every block of a checkpoint into another file; the exit status says how it went."""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from tui.checkpoints.contents import Checkpoint, Format
from tui.checkpoints.errors import CheckpointError, ExistsError, named, reason_of
from tui.checkpoints.found import Recognition
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.checkpoints.writing import check_target, format_for
from tui.command_line.checkpoint_options import FuseRequest
from tui.commands.in_thread import ctrl_c_as_exception
from tui.commands.progress import progress
from tui.fusion.quoting import printable

if TYPE_CHECKING:
    from pathlib import Path

    from tui.checkpoints.conversion.fused import FusedCheckpoint
    from tui.checkpoints.conversion.fused_file import FusedFile

USUAL_JOBS = 2
"""Blocks at the same time: each takes memory of its own, and while one is written the other is folded."""
FUSED = 0
WRONG = 1


def fuse(asked: FuseRequest) -> int:
    """Fuse, verify, write, and print the report; returns the exit status.

    FUSED where every block that was found is, and all is written; also where all was fused already, and
    nothing is written. WRONG where a block is wrong, could not be verified, or is damaged and stays
    as it is.

    Raises:
        Refusal: the input cannot be read or has no block, or the output cannot be written.
        OSError: the report could not be written.
    """
    with open_checkpoint(asked.source) as source:
        try:
            check_target(source, asked.target, replace=asked.force)
        except ExistsError:
            raise CheckpointError(f"{named(asked.target)} is there already; --force replaces it") from None
        _format(asked)  # a name that asks for none is refused before the work
        reading = asked.reading
        found = recognise(source.entries, family=reading.family, conv_bn=reading.conv_bn)
        _refuse_none(source, found)
        _load_torch()
        with ctrl_c_as_exception(), _output(asked, source, found) as output:
            fused = _fused(asked, source, found, output)
            if fused.already_fused and not fused.damaged:
                _say("already fused: nothing was written")
                _report(asked, fused, written=False)
                return FUSED
            refusal = _written(asked, source, fused, output)
        _report(asked, fused, written=not refusal)
        if refusal:
            _say(f"{refusal}; --force writes it all the same")
    return WRONG if fused.wrong or fused.damaged else FUSED


def _load_torch() -> None:
    """Import it while Ctrl+C still ends the process: what an import runs may swallow an exception."""
    from tui.checkpoints.conversion import fused_file, fusing  # noqa: F401


def _refuse_none(source: Checkpoint, found: Recognition) -> None:
    """Stop where there is nothing to fuse, and nothing that is fused.

    Raises:
        CheckpointError: there is not.
    """
    if found.blocks or any(each.already_fused for each in found.left_alone):
        return
    why = "no re-parameterizable block was found; repfuse-tui inspect lists what it holds"
    if found.left_alone:
        first = found.left_alone[0]
        more = f", and {len(found.left_alone) - 1} more" if len(found.left_alone) > 1 else ""
        why = f"no block can be fused: {printable(first.prefix)}: {printable(first.reason)}{more}"
    raise CheckpointError(f"{named(source.path)}: {why}")


def _output(
    asked: FuseRequest, source: Checkpoint, found: Recognition
) -> AbstractContextManager[FusedFile | None]:
    """What fused tensors are written into as they come; a file of torch is built as a whole."""
    from tui.checkpoints.conversion.fused_file import FusedFile

    if _format(asked) is Format.TORCH or not found.blocks:
        return nullcontext()
    return FusedFile(source, found, asked.target, replace=asked.force)


def _fused(
    asked: FuseRequest, source: Checkpoint, found: Recognition, output: FusedFile | None
) -> FusedCheckpoint:
    """Every block fused, with progress."""
    from tui.checkpoints.conversion.fused import FusedCheckpoint, FusingBlock
    from tui.checkpoints.conversion.fusing import Wishes, fuse

    with progress("fusing") as tell:
        wishes = Wishes(eps=asked.reading.eps, jobs=asked.jobs or USUAL_JOBS, format=_format(asked))
        for step in fuse(source, found, wishes, output):
            if isinstance(step, FusedCheckpoint):
                return step
            if isinstance(step, FusingBlock):
                done = step.done_bytes / max(step.all_bytes, 1)
                tell(done, f"block {step.number} of {step.count}: {step.found.prefix}")
    raise RuntimeError("the fusion ended without a result")


def _written(asked: FuseRequest, source: Checkpoint, fused: FusedCheckpoint, output: FusedFile | None) -> str:
    """Write the output, with progress; why it was not written, where a block is wrong."""
    from tui.checkpoints.conversion.fused_writing import WrongBlockError, write_fused

    try:
        with progress("writing") as tell:
            write_fused(
                source,
                fused,
                asked.target,
                replace=asked.force,
                wrong_too=asked.force,
                progress=lambda done, of: tell(done / max(of, 1), f"{of:,} bytes"),
                output=output,
            )
    except WrongBlockError as error:
        return str(error)
    return ""


def _format(asked: FuseRequest) -> Format:
    return asked.format or format_for(asked.target)


def _report(asked: FuseRequest, fused: FusedCheckpoint, *, written: bool) -> None:
    """Print the report.

    Raises:
        OSError: it could not be printed; the message says so where the output is there all the same.
    """
    try:
        _print_report(asked, fused, asked.target if written else None)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where it is known what was written
    except BrokenPipeError:
        raise
    except OSError as error:
        if not written:
            raise
        lost = f"only the report is lost, {named(asked.target)} was written"
        raise OSError(error.errno, f"{reason_of(error)}: {lost}") from None


def _print_report(asked: FuseRequest, fused: FusedCheckpoint, output: Path | None) -> None:
    if asked.as_json:
        from tui.checkpoints.reports.fusing import fused_as_data

        print(json.dumps(fused_as_data(fused, output), allow_nan=False))
    else:
        from tui.commands.fuse.table import print_table

        print_table(fused, output)


def _say(words: str) -> None:
    """Tell it on stderr."""
    if sys.stderr is not None:
        print(f"repfuse-tui: {words}", file=sys.stderr)
