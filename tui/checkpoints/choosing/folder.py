"""The checkpoints that lie in a folder, for a person to choose from."""

from __future__ import annotations

from pathlib import Path

from tui.checkpoints.errors import FolderError, about, reason_of
from tui.fusion.quoting import printable, quoted

MOST_PARTS = 2
"""Of a folder's path that is told whole, as it was typed; of a longer one the name tells enough."""
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".safetensors.index.json")
"""What the names of checkpoints end in; they are opened by what they hold, whatever the name."""
MOST_NAMED = 6


def checkpoints_in(folder: Path) -> tuple[Path, ...]:
    """The files in the folder that are checkpoints by their names, sorted; no shard whose index is there.

    Raises:
        CheckpointError: the folder cannot be read.
    """
    try:
        files = sorted(
            each for each in folder.iterdir() if each.name.lower().endswith(SUFFIXES) and each.is_file()
        )
    except OSError as error:
        raise about(folder, f"cannot be read: {reason_of(error)}") from None
    indices = [each.name.removesuffix(".index.json") for each in files if each.name.endswith(".index.json")]
    stems = tuple(index.removesuffix(".safetensors") + "-" for index in indices)
    return tuple(
        each for each in files if not (stems and _is_shard(each.name) and each.name.startswith(stems))
    )


def _is_shard(name: str) -> bool:
    return name.endswith(".safetensors") and "-of-" in name


def folder_error(folder: Path) -> FolderError:
    """The refusal of a folder, with what lies in it.

    Raises:
        CheckpointError: the folder cannot be read.
    """
    files = checkpoints_in(folder)
    short = len(folder.parts) <= MOST_PARTS
    given = f"'{printable(str(folder) if short else folder.name)}'"  # '/tmp' is not 'tmp'
    if not files:
        return FolderError(f"{given} is a folder, and no checkpoint lies in it", files)
    names = ", ".join(quoted(each.name) for each in files[:MOST_NAMED])
    more = f" and {len(files) - MOST_NAMED} more" if len(files) > MOST_NAMED else ""
    return FolderError(f"{given} is a folder: name a file in it, such as {names}{more}", files)
