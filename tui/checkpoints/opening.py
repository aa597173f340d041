"""Opening a checkpoint, whatever its format: told by what the file holds, and not by its name."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from tui.checkpoints.choosing.folder import folder_error
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import about
from tui.checkpoints.formats.kinds import HEAD, ForeignError, Kind, kind_of
from tui.checkpoints.formats.opened_file import OpenedFile
from tui.checkpoints.formats.safetensors_file import SafetensorsCheckpoint
from tui.checkpoints.formats.shards import ShardedCheckpoint
from tui.checkpoints.formats.torch_file import TorchCheckpoint

_OPENED: dict[Kind, Callable[[OpenedFile], Checkpoint]] = {
    Kind.SAFETENSORS: SafetensorsCheckpoint,
    Kind.INDEX: ShardedCheckpoint,
    Kind.TORCH: TorchCheckpoint,
}


def open_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a file: safetensors, the index of a sharded one, or what torch.save wrote.

    No tensor is read, no code of the file is ever run, and the file is never written to. Torch is imported
    only for a file that torch.save wrote.

    Raises:
        FolderError: it is a folder.
        CheckpointError: there is no such file, it cannot be read, or it is no checkpoint, damaged or cut.
    """
    if _is_folder(path):
        raise folder_error(path)
    file = OpenedFile(path)
    try:
        kind = kind_of(file.head(HEAD), file.size)
    except BaseException as error:
        file.close()
        if isinstance(error, ForeignError):
            raise about(path, str(error)) from None
        raise
    return _OPENED[kind](file)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):  # told in words when it is opened
        return False
