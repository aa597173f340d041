"""The theme: a key switches it, the settings file keeps it, and a broken file is told and ignored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.driver import OpenBench
from tests.specs import EXACT
from tui.themes import DARK, LIGHT


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The file that `open_bench` uses."""
    return tmp_path / "settings.json"


async def test_the_theme_is_remembered(open_bench: OpenBench, settings: Path) -> None:
    async with open_bench(EXACT) as bench:
        assert bench.app.theme == DARK.name
        assert all(grid.dark for grid in bench.grids)
        await bench.press("t")
        assert bench.app.theme == LIGHT.name
        assert not any(grid.dark for grid in bench.grids)
    assert json.loads(settings.read_text()) == {"theme": LIGHT.name}
    async with open_bench(EXACT) as bench:
        assert bench.app.theme == LIGHT.name
        await bench.press("t")
        assert bench.app.theme == DARK.name


async def test_a_theme_that_is_not_there_is_ignored(open_bench: OpenBench, settings: Path) -> None:
    settings.write_text('{"theme": "[/] no such theme"}')
    async with open_bench(EXACT) as bench:
        assert bench.app.theme == DARK.name


async def test_a_broken_file_is_told_and_left_alone(open_bench: OpenBench, settings: Path) -> None:
    settings.write_text("[/] {")
    async with open_bench(EXACT) as bench:
        notes = [note.message for note in bench.app._notifications]
        assert len(notes) == 1
        assert str(settings) in notes[0]
        assert "ignored" in notes[0]
        await bench.press("t")
        assert bench.app.theme == LIGHT.name
        assert any("not saved" in note.message for note in bench.app._notifications)
    assert settings.read_text() == "[/] {"


async def test_nothing_is_written_without_a_choice(open_bench: OpenBench, settings: Path) -> None:
    async with open_bench(EXACT):
        pass
    assert settings.read_text() == "{}"
