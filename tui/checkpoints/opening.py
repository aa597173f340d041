"""Opening a checkpoint, whatever its format: told by what the file holds, and not by its name."""

from __future__ import annotations

from pathlib import Path

from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import about, reason_of
from tui.checkpoints.folder import folder_error
from tui.checkpoints.formats.opened_file import OpenedFile
from tui.checkpoints.formats.safetensors_file import SafetensorsCheckpoint


def open_checkpoint(path: Path) -> Checkpoint:
    """The checkpoint in a file: safetensors, the index of a sharded one, or what torch.save wrote.

    No tensor is read, no code of the file is ever run, and the file is never written to.

    Raises:
        FolderError: it is a folder.
        CheckpointError: there is no such file, it cannot be read, or it is no checkpoint, damaged or cut.
    """
    try:
        if path.is_dir():
            raise folder_error(path)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            raise about(path, f"cannot be read: {reason_of(error)}") from None
        raise
    return SafetensorsCheckpoint(OpenedFile(path))
