"""Each preset as it looks, in few channels and with exact numbers."""

from __future__ import annotations

import pytest

from tests.driver import MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.specs import exact_preset
from tui.fusion.presets import PRESETS


@pytest.mark.parametrize("preset", PRESETS)
async def test_preset(open_bench: OpenBench, looks_as_stored: LooksAsStored, preset: str) -> None:
    async with open_bench(exact_preset(preset), MEDIUM) as bench:
        assert bench.app.study is not None
        assert bench.app.study.comparison.max_abs_diff == 0, "its figures differ between machines"
        await looks_as_stored(bench)


@pytest.mark.parametrize("preset", ["dbb", "unireplknet"])
async def test_preset_on_a_small_screen(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, preset: str
) -> None:
    async with open_bench(exact_preset(preset), SMALL) as bench:
        await looks_as_stored(bench)


@pytest.mark.sizes(SMALL, MEDIUM)
async def test_adding_a_branch(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(exact_preset("residual")) as bench:
        await bench.press("f")
        bench.form.query_one("#branch-0-name").focus()
        await bench.press("a", *"5x5+nrom")
        await looks_as_stored(bench)
