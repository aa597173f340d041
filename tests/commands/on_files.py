"""Running a command on files, and what it said."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest

from tui.cli import main


class Ran(NamedTuple):
    """What came of it."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The one JSON object that was printed."""
        made: dict[str, Any] = json.loads(self.out, parse_constant=_no_such)
        return made

    @property
    def words(self) -> str:
        """All of both streams in one line."""
        return " ".join((self.out + " " + self.err).split())


def _no_such(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def ran(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    """Run it as where nobody has said how wide a report is: pytest-xdist sets COLUMNS."""
    capsys.readouterr()
    with patch.dict(os.environ):
        os.environ.pop("COLUMNS", None)
        status = main([str(each) for each in arguments])
    return Ran(status, *capsys.readouterr())
