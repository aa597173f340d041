"""What the program remembers from one start to the next, in one small JSON file that people may edit."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tui.atomic_file import write_whole
from tui.fusion.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's choices; None where there is none yet.

    Attributes:
        theme: the name of a textual theme; whether there is such a theme is for the app to say.
    """

    theme: str | None = None

    @classmethod
    def load(cls, path: Path | None = None) -> tuple[Settings, str | None]:
        """The settings in the file (None: the user's own), and a message where it had to be ignored.

        A missing file is no fault: nothing has been chosen yet.
        """
        path = path or settings_path()
        try:
            theme = _read(path).get("theme")
        except (OSError, _BrokenFileError) as error:
            return cls(), f"{path} is ignored: {_words(error)}"
        if theme is not None and not isinstance(theme, str):
            return cls(), f'{path} is ignored: "theme" must be a text such as "nord"'
        return cls(theme), None

    def save(self, path: Path | None = None) -> str | None:
        """Write the settings to the file (None: the user's own); returns a message where that failed.

        Keys of the file that are not known here, a later version's for instance, stay in it. A file that
        cannot be read is left as it is: somebody wrote it by hand and may want to mend it.
        """
        path = path or settings_path()
        try:
            values = _read(path) | asdict(self)
            path = path.resolve()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, (json.dumps(values, indent=2) + "\n").encode(), replace=True)
        except (OSError, _BrokenFileError) as error:
            return f"settings are not saved to {path}: {_words(error)}"
        return None


def settings_path() -> Path:
    """Where this user's settings are on this system."""
    from platformdirs import user_config_path  # slow to import, and a test has no need of it

    return user_config_path("repfuse-tui", appauthor=False) / "settings.json"


def is_first_start(path: Path | None = None) -> bool:
    """Whether there is no settings file yet (None: the user's own)."""
    return not (path or settings_path()).exists()


class _BrokenFileError(Refusal, ValueError):
    """A file that holds no settings; the message says why."""


def _read(path: Path) -> dict[str, Any]:
    """The file's object, empty where there is no file.

    Raises:
        OSError: the file cannot be read.
        _BrokenFileError: it holds no JSON object.
    """
    if not path.is_file() and path.exists():  # reading a pipe or a device might never end
        raise _BrokenFileError("it is not an ordinary file")
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))  # some editors put a mark in front
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise _BrokenFileError("it is not UTF-8") from None
    except ValueError as error:
        raise _BrokenFileError(f"it is not JSON: {error}") from None
    except RecursionError:
        raise _BrokenFileError("it is nested too deeply") from None
    if not isinstance(values, dict):
        raise _BrokenFileError('it must be an object such as {"theme": "nord"}')
    return values


def _words(error: OSError | _BrokenFileError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
