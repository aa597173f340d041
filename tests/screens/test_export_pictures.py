"""The dialogs of taking a study away, as they look."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.specs import EXACT


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder in which the program runs."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.mark.sizes(SMALL, MEDIUM)
async def test_export(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("x")
        await looks_as_stored(bench)


async def test_replacing(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    Path("fused.csv").touch()
    async with open_bench(EXACT, SMALL) as bench:
        await bench.go_to_fused()
        await bench.press("x", "3", "f", "enter")
        await looks_as_stored(bench)
