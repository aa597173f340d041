"""What a person may choose in a folder: the folder above, those below, and the checkpoints in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tui.checkpoints.choosing.folder import checkpoints_in

ABOVE = ".."


@dataclass(frozen=True, slots=True)
class Choice:
    """A file or a folder.

    Attributes:
        path: absolute.
        name: as it is shown.
        size: of a file, in bytes; None of a folder.
    """

    path: Path
    name: str
    size: int | None = None


def choices_in(folder: Path) -> tuple[Choice, ...]:
    """The folder above, then the folders in it, then its checkpoints, each sorted; no hidden folder.

    Raises:
        CheckpointError: the folder cannot be read.
    """
    folder = folder.absolute()
    files = checkpoints_in(folder)
    folders = sorted(each for each in folder.iterdir() if not each.name.startswith(".") and _is_folder(each))
    above = [Choice(folder.parent, ABOVE)] if folder.parent != folder else []
    below = [Choice(each, each.name) for each in folders]
    return (*above, *below, *(Choice(each, each.name, _size(each)) for each in files))


def _is_folder(path: Path) -> bool:
    with suppress(OSError):
        return path.is_dir()
    return False


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
