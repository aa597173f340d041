"""When pictures differ from the stored ones: a page that shows both, side by side."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

REPORT = Path(__file__).parents[1] / "snapshot_report.html"

_OUTPUT = "mismatches"
"""What a worker process calls them when it hands them over."""

_PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<title>Pictures that differ</title>
<style>
body { font-family: sans-serif; background: #222; color: #eee }
section { margin-bottom: 3em }
div { display: flex; gap: 1em }
figure { flex: 1; margin: 0; min-width: 0 }
svg { width: 100%%; height: auto }
</style>
<h1>%d pictures differ</h1>
<p>Where the new ones are right: <code>pytest --snapshot-update</code></p>
%s
"""


class Mismatch(NamedTuple):
    """A test's name, and its stored picture (empty where there is none) and its new one, as SVG."""

    name: str
    stored: str
    new: str


class SnapshotReport:
    """Gathers what differs, from all worker processes too, and writes the page at the end.

    A run without pictures leaves the page of the last one alone.
    """

    def __init__(self) -> None:
        self._mismatches: list[Mismatch] | None = None

    def add(self, mismatches: Iterable[Mismatch]) -> None:
        """Take a test's mismatches; also none, which tells that pictures were compared."""
        self._mismatches = [*(self._mismatches or []), *mismatches]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take what a worker process found. One that crashed has no output."""
        found = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if found is not None:
            self.add(Mismatch(*texts) for texts in found)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the page; a worker process hands over what it found instead."""
        if self._mismatches is None:
            return
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_OUTPUT] = [tuple(mismatch) for mismatch in self._mismatches]
        else:
            write_report(self._mismatches)


def write_report(mismatches: list[Mismatch], path: Path = REPORT) -> None:
    """Write the page, or remove an old one where nothing differs."""
    if not mismatches:
        path.unlink(missing_ok=True)
        return
    sections = [_section(number, mismatch) for number, mismatch in enumerate(mismatches)]
    path.write_text(_PAGE % (len(sections), "\n".join(sections)), encoding="utf-8")


def _section(number: int, mismatch: Mismatch) -> str:
    stored = _figure("stored", f"stored-{number}-", mismatch.stored)
    new = _figure("new", f"new-{number}-", mismatch.new)
    return f"<section><h2>{html.escape(mismatch.name)}</h2><div>{stored}{new}</div></section>"


def _figure(caption: str, prefix: str, svg: str) -> str:
    """The picture with ids of its own: within one page, equal ids would take each other's colours."""
    picture = svg.replace("terminal-", prefix) or "<p>none</p>"
    return f"<figure><figcaption>{caption}</figcaption>{picture}</figure>"
