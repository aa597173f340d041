"""Panels beside each other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.driver import SMALL, OpenBench
from tests.specs import EXACT, ROUNDED
from tui.views.kernels.view import KernelsView
from tui.views.shared.colour_scale import ColourScale


async def test_grids_scroll_with_the_one_under_the_mouse(open_bench: OpenBench) -> None:
    async with open_bench(replace(EXACT, in_channels=64, out_channels=64)) as bench:
        await bench.pilot.hover(bench.grids[0], offset=(12, 4))
        bench.grids[0].scroll_to(7, 3, animate=False)
        await bench.until(lambda: all(grid.scroll_offset == (7, 3) for grid in bench.grids))


async def test_grids_of_unequal_height_show_one_level(open_bench: OpenBench) -> None:
    async with open_bench(replace(EXACT, in_channels=3, out_channels=3), SMALL) as bench:
        for height in range(16, 40):
            await bench.pilot.resize_terminal(80, height)
            await bench.until(
                lambda: len({grid.zoom_in_effect for grid in bench.grids}) == 1,
                f"one level at height {height}",
            )


async def test_each_colour_scale_is_told_in_full_on_a_small_screen(open_bench: OpenBench) -> None:
    async with open_bench(ROUNDED, SMALL) as bench:
        for scale in ColourScale:
            bench.kernels.colour_scale = scale
            told = f"({scale.value})"
            await bench.until(partial(lambda told: bench.text("#legend").endswith(told), told))
            assert len(bench.text("#legend")) <= bench.app.bench.query_one("#legend").content_size.width


async def test_no_panel_in_sight_for_a_moment_ends_nothing(open_bench: OpenBench) -> None:
    """As between two blocks where one grid alone is shown: that of the old block's branch is gone."""
    async with open_bench(EXACT, (40, 12)) as bench:
        kernels = bench.app.bench.query_one(KernelsView)
        assert kernels.has_class("-single")
        for panel in kernels.panels:
            panel.display = False
        kernels._agree_on_zoom()
        assert bench.app.is_running
