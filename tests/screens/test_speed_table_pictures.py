"""The speed of all blocks as it looks, with figures that nobody measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.test_speed_table import said, screen_of, timed
from tests.checkpoint_files import write
from tests.driver import LARGE, MEDIUM, SMALL, LooksAsStored, OpenCheckpoint, OpenModule
from tests.modules.small_models import Net, whole_numbers
from tests.speeds_of_all import MadeUp
from tui.modules.looking import look_at
from tui.terminal.colour_depth import ColourDepth

sizes = pytest.mark.sizes(SMALL, MEDIUM, LARGE)


@sizes
async def test_file(open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path) -> None:
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, time_them=MadeUp(left_out=(1,))) as bench:
        await timed(bench)
        await bench.press("down")
        await looks_as_stored(bench)


@sizes
async def test_module(open_module: OpenModule, looks_as_stored: LooksAsStored) -> None:
    looked = look_at(whole_numbers(Net()), name="models.py:Net")
    async with open_module(looked, time_them=MadeUp()) as bench:
        await timed(bench)
        await looks_as_stored(bench)


async def test_on_the_way(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path
) -> None:
    made = MadeUp(holds_after=1)
    path = write(tmp_path / "model.safetensors")
    async with open_checkpoint(path, SMALL, time_them=made) as bench:
        bench.app._running_speed_table._clock = iter([0.0, *range(4, 400, 4)]).__next__
        await bench.press("s")
        await bench.until(lambda: "round 7" in said(bench, "#speed-progress"))
        await looks_as_stored(bench)
        made.let_go.set()


async def test_with_256_colours(
    open_checkpoint: OpenCheckpoint, looks_as_stored: LooksAsStored, tmp_path: Path
) -> None:
    path = write(tmp_path / "model.safetensors")
    made = MadeUp()
    async with open_checkpoint(path, MEDIUM, depth=ColourDepth.EIGHT_BIT, time_them=made) as bench:
        await timed(bench)
        await bench.press("f", "ctrl+u", *"28x28")
        assert screen_of(bench).form.has_focus_within
        await looks_as_stored(bench)
