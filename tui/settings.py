"""What the program remembers from one start to the next, in one small JSON file that people may edit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui.atomic_file import write_whole
from tui.fusion.quoting import printable
from tui.fusion.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's choices; None where there is none yet.

    Attributes:
        theme: the name of a textual theme; whether there is such a theme is for the app to say.
        keymap: keys, apart by commas, by the id of the binding that they are for; whether there is such a
            binding is for the app to say.
        reduced_motion: whether nothing moves by itself.
    """

    theme: str | None = None
    keymap: Mapping[str, str] = field(default_factory=dict)
    reduced_motion: bool = False

    @classmethod
    def load(cls, path: Path | None = None) -> tuple[Settings, str | None]:
        """The settings in the file (None: the user's own), and a message where some of it had to be ignored.

        A missing file is no fault: nothing has been chosen yet.
        """
        path = path or settings_path()
        try:
            values = _read(path)
        except (OSError, _BrokenFileError) as error:
            return cls(), f"{path} is ignored: {_words(error)}"
        theme, moves = values.get("theme"), values.get("reduced_motion", False)
        keymap = values.get("keymap", {})
        faults = {
            '"theme" must be a text such as "nord"': theme is None or isinstance(theme, str),
            '"reduced_motion" must be true or false': isinstance(moves, bool),
            '"keymap" must be an object such as {"bench.run": "f5"}': _is_keymap(keymap),
        }
        wrong = "; ".join(words for words, right in faults.items() if not right)
        settings = cls(
            theme if isinstance(theme, str) else None,
            keymap if _is_keymap(keymap) else {},
            moves is True,
        )
        return settings, f"{path} is ignored in part: {wrong}" if wrong else None

    def save(self, path: Path | None = None) -> str | None:
        """Write the theme to the file (None: the user's own); returns a message where that failed.

        All else in the file, written by hand or by a later version, stays in it. A file that
        cannot be read is left as it is: somebody wrote it by hand and may want to mend it.
        """
        path = path or settings_path()
        try:
            values = _read(path) | {"theme": self.theme}
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


def settings_in_words(path: Path | None = None) -> str:
    """Where the settings are (None: the user's own), and what they say: a line for each."""
    path = path or settings_path()
    settings, fault = Settings.load(path)
    rows = {
        "file": f"{printable(str(path))}{'' if path.exists() else '  (not there yet)'}",
        "theme": printable(settings.theme or "that of the program"),
        "reduced_motion": "true" if settings.reduced_motion else "false",
        **{f"keymap {printable(name)}": printable(keys) for name, keys in settings.keymap.items()},
    }
    width = max(map(len, rows))
    lines = [f"{name:{width}}  {value}" for name, value in rows.items()]
    return "\n".join([*lines, *([printable(fault)] if fault else [])]) + "\n"


def _is_keymap(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(keys, str) for keys in value.values())


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
