"""What keeps a checkpoint from being read or written."""

from __future__ import annotations

from pathlib import Path

from tui.fusion.quoting import printable, quoted
from tui.fusion.refusal import Refusal


class CheckpointError(Refusal, ValueError):
    """A file cannot be read or written so; the message names it, says why, and what to do, for the user."""


class FolderError(CheckpointError):
    """A folder was given where a file is expected.

    Attributes:
        files: the checkpoints that lie in it, by their names, sorted.
    """

    def __init__(self, message: str, files: tuple[Path, ...]) -> None:
        super().__init__(message)
        self.files = files


class ExistsError(CheckpointError):
    """A file of the output's name is there already, and nobody said that it may be replaced."""


def about(path: Path, message: str) -> CheckpointError:
    """The error of a file, by its name without the folder."""
    return CheckpointError(f"{named(path)} {message}")


def about_path(path: Path, message: str) -> CheckpointError:
    """The error of what a path leads to, where it is the path that is in question: it is told as given."""
    return CheckpointError(f"'{printable(str(path))}' {message}")


def named(path: Path) -> str:
    """The file's name in quotes, fit for a terminal."""
    return quoted(path.name or str(path))


def reason_of(error: BaseException) -> str:
    """The system's words for what it did not do, fit for a terminal."""
    words = getattr(error, "strerror", None) or next(iter(str(error).splitlines()), type(error).__name__)
    return printable(str(words)).lower()
