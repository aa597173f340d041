"""Writing a file so that none is lost: whole or not at all, and over another one only when told to."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from tui.fusion.refusal import Refusal


class SavingError(Refusal, OSError):
    """The file can not be written; the message says why, for the user."""


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
            raise SavingError("that is a folder; it needs a file's name behind it")
        if not path.parent.is_dir():
            raise SavingError("there is no such folder")
    except (OSError, ValueError) as error:
        raise error if isinstance(error, SavingError) else _in_words(error) from error
    return path


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
        target = path.resolve() if replace else path
        permissions = _permissions_to_keep(target)
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.part")
        try:
            _write(temporary, data)
            if permissions is not None:
                temporary.chmod(permissions)
            _put_in_place(temporary, target, replace=replace)
        finally:
            temporary.unlink(missing_ok=True)
    except SavingError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise _in_words(error) from error


def _permissions_to_keep(target: Path) -> int | None:
    """Those of the file that is to be replaced; None where there is none.

    Raises:
        SavingError: what is there is no ordinary file: a device or a pipe is not to be replaced by one.
    """
    if not target.exists():
        return None
    mode = target.stat().st_mode
    if not stat.S_ISREG(mode):
        raise SavingError("what is there is no ordinary file")
    return stat.S_IMODE(mode)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # or a crash of the machine could leave an empty file under the final name


def _put_in_place(temporary: Path, target: Path, *, replace: bool) -> None:
    """Give the finished file its name. Without `replace`, by a link, which never displaces another file.

    Raises:
        TakenError: another program has made a file of that name meanwhile.
    """
    if not replace:
        try:
            target.hardlink_to(temporary)
        except FileExistsError:
            raise TakenError("a file of that name is there already") from None
        except (OSError, NotImplementedError):  # no hard links on this file system
            if is_taken(target):
                raise TakenError("a file of that name is there already") from None
        else:
            return
    temporary.replace(target)


def _in_words(error: Exception) -> SavingError:
    with contextlib.suppress(AttributeError):
        if error.strerror:  # type: ignore[attr-defined]
            return SavingError(str(error.strerror).lower())  # type: ignore[attr-defined]
    return SavingError(str(error))
