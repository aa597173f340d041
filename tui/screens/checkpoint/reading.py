"""Reading what is under the cursor: a block, a tensor, or nothing where that would be too much."""

from __future__ import annotations

from collections.abc import Iterator

from tui.analysis.progress import Failed
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.inspection.inspecting import ReadBlock, ReadTensor, is_too_large, read_block, read_tensor
from tui.views.checkpoint.detail_words import Read
from tui.views.checkpoint.outline_rows import Line, size_in_words


def read_of(checkpoint: Checkpoint, line: Line) -> Iterator[Read]:
    """What becomes of reading what the line is about; nothing for a group.

    Raises:
        CheckpointError: the file has changed or is gone.
    """
    block, entry = line.only_block, line.node.entry
    names = block.reads if block is not None else (entry.name,) if entry is not None else ()
    if not names:
        return
    if is_too_large(checkpoint, names):
        size = sum(checkpoint.entries[name].bytes for name in names)
        yield Failed(f"{size_in_words(size)} are not read merely to be looked at")
    elif block is not None:
        yield read_block(checkpoint, block)
    elif entry is not None:
        yield read_tensor(checkpoint, entry)


def is_readable(line: Line) -> bool:
    """Whether the line is about numbers, and not only about names."""
    return line.only_block is not None or line.node.entry is not None


def problems_in(read: Read) -> str:
    """What is amiss with numbers that were read, in a word or two."""
    if not isinstance(read, ReadBlock | ReadTensor):
        return ""
    kinds = dict.fromkeys(problem.what for problem in read.problems)
    return ", ".join(kinds)
