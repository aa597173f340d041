"""Writing a file so that none is lost: whole or not at all, and over another one only when told to."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tui.atomic_file import write_whole
from tui.fusion.refusal import Refusal


class SavingError(Refusal, OSError):
    """The file cannot be written; the message says why, for the user."""


class TakenError(SavingError, FileExistsError):
    """A file of that name is there already; nothing was written."""


def path_from(text: str) -> Path:
    """The file that a user names; "~" is their home.

    Raises:
        SavingError: that names no file in a folder that is there.
    """
    text = text.strip()
    if not text:
        raise SavingError("the file needs a name")
    if "\0" in text:
        raise SavingError("a file's name can hold no zero byte")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise SavingError("there is no such user as after the ~") from None
    try:
        if path.is_dir() or text.endswith(("/", os.sep)):
            raise SavingError("that is a folder; it needs a file's name after it")
        if not path.parent.is_dir():
            raise SavingError("there is no such folder")
    except (OSError, ValueError) as error:
        raise error if isinstance(error, SavingError) else _in_words(error) from error
    return path


def download_name(text: str) -> str:
    """The name that a user gives a download: a browser puts it into a folder of its own.

    Raises:
        SavingError: it is no name of a file.
    """
    text = text.strip()
    if not text:
        raise SavingError("the file needs a name")
    if not text.isprintable():
        raise SavingError("a file's name holds no control characters")
    if "/" in text or "\\" in text or text in (".", ".."):
        raise SavingError("a browser saves it where it saves downloads; it takes a name without a folder")
    return text


def in_home(path: Path) -> str:
    """The path as people write it: with "~" for their home."""
    with contextlib.suppress(ValueError, RuntimeError):
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)


def is_taken(path: Path) -> bool:
    """Whether there is something of that name already, a broken link too."""
    return os.path.lexists(path)


def save(path: Path, content: str | bytes, *, replace: bool = False) -> None:
    """Write the whole file or none of it; text as UTF-8 with "\\n" at the ends of lines.

    A reader never meets a half-written one, and a failure leaves nothing behind. Replacing a file keeps its
    permissions, and follows a link to it.

    Raises:
        TakenError: there is a file of that name, and `replace` was not said.
        SavingError: it could not be written.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    try:
        write_whole(path, data, replace=replace)
    except FileExistsError:
        raise TakenError("a file of that name is there already") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise _in_words(error) from error


def _in_words(error: Exception) -> SavingError:
    with contextlib.suppress(AttributeError):
        if error.strerror:  # type: ignore[attr-defined]
            return SavingError(str(error.strerror).lower())  # type: ignore[attr-defined]
    return SavingError(str(error))
