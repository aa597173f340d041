"""The bytes of a file that a person names: all of them, or a refusal before anything large is read."""

from __future__ import annotations

import stat
from pathlib import Path

from tui.fusion.grammar.nearest_name import did_you_mean
from tui.fusion.quoting import printable
from tui.importing.errors import ImportingError

MOST_BYTES = 256 * 2**20
"""A weight of 512 x 512 x 7 x 7 in float64 has 98 MiB; a study with the most edits and numbers 60."""
MOST_NEIGHBOURS = 2_000
"""Names in a folder among which one is looked for that may have been meant."""


def bytes_of(text: str, kinds: tuple[str, ...]) -> bytes:
    """The whole file that the text names; "~" is the user's home.

    `kinds`: how the names end of the files that may have been meant where there is none of that name.

    Raises:
        ImportingError: there is no such file, it is none that can be read, or it is too large.
    """
    path = _path_of(text)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImportingError("that is a folder, and a file is expected")
        if not stat.S_ISREG(status.st_mode):
            raise ImportingError("that is not an ordinary file")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ImportingError(f"there is no such file{_near(path, kinds)}") from None
    except OSError as error:
        raise ImportingError(
            f"it cannot be read: {printable(str(error.strerror or error)).lower()}"
        ) from None
    if len(data) > MOST_BYTES:
        raise ImportingError(f"it is larger than {MOST_BYTES // 2**20} MiB, the most that is read")
    if not data:
        raise ImportingError("it is empty")
    return data


def _path_of(text: str) -> Path:
    text = text.strip()
    if not text:
        raise ImportingError("the file needs a name")
    if "\0" in text:
        raise ImportingError("a file's name can hold no zero byte")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ImportingError("there is no such user as after the ~") from None


def _near(path: Path, kinds: tuple[str, ...]) -> str:
    """The name in its folder that may have been meant, in words."""
    try:
        names = [each.name for each, _ in zip(path.parent.iterdir(), range(MOST_NEIGHBOURS), strict=False)]
    except OSError:
        return ""
    return printable(did_you_mean(path.name, [name for name in names if name.lower().endswith(kinds)]))
