"""File names that a path may go on to: folders, and files that may hold something to bring back."""

from __future__ import annotations

import os
from pathlib import Path

SUFFIXES = (".json", ".npy", ".npz", ".csv", ".txt")
MOST_SEEN = 5_000
"""Entries of a folder that are looked at."""
MOST_NAMES = 50


def paths_from(text: str) -> list[str]:
    """The paths that begin as the text does, in its own words; a folder ends with "/". Nothing is raised.

    Hidden ones are left out unless the text asks for them.
    """
    head, _, begun = text.strip().rpartition("/")
    before = text.strip()[: len(text.strip()) - len(begun)]
    try:
        folder = Path(before or ".").expanduser() if head or not before else Path("/")
        with os.scandir(folder) as entries:
            seen = [entry for entry, _ in zip(entries, range(MOST_SEEN), strict=False)]
        names = sorted(filter(None, (_name(entry, begun) for entry in seen)), key=_order)
    except (OSError, RuntimeError, ValueError):
        return []
    return [before + name for name in names[:MOST_NAMES]]


def _name(entry: os.DirEntry[str], begun: str) -> str:
    """The entry's name as it is to be shown, "" where it is not."""
    name = entry.name
    if not name.lower().startswith(begun.lower()) or (name.startswith(".") and not begun.startswith(".")):
        return ""
    if entry.is_dir():
        return f"{name}/"
    return name if name.lower().endswith(SUFFIXES) else ""


def _order(name: str) -> tuple[bool, str]:
    """Files before folders."""
    return name.endswith("/"), name.lower()
