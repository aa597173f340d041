"""How much work a frame and a key press of HeatGrid are, for small and for large weights; run by hand.

    python tests/bench/bench_heat_grid.py

Milliseconds of processor time at 120 x 36: the mean, the 95th percentile, and the ratio of the mean to the
smallest weight's, which fills only part of the screen. From the second weight on the ratios should stay the
same, because a frame touches what is visible and nothing else.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from statistics import mean, quantiles
from time import process_time

import torch
from textual.app import App, ComposeResult
from textual.geometry import Region

from tui.widgets.grid.heat_grid import HeatGrid
from tui.widgets.grid.weight_source import WeightSource
from tui.widgets.grid.zoom import Zoom

SHAPES = [(2, 2, 3, 3), (64, 64, 3, 3), (256, 256, 5, 5), (512, 512, 7, 7)]
FRAMES, KEYS = 40, 20


class GridApp(App[None]):
    """One grid that fills the screen and follows its own cursor."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.grid = HeatGrid()
        self.grid.source = WeightSource.of(weight)

    def compose(self) -> ComposeResult:
        """The grid."""
        yield self.grid

    def on_heat_grid_cursor_moved(self, event: HeatGrid.CursorMoved) -> None:
        """Move the cursor, as an owner would."""
        self.grid.cursor = event.tap


async def milliseconds(times: int, act: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """The mean and the 95th percentile of doing something so many times, after three times to warm up.

    It is processor time, because a key press of the test driver waits for a fixed time too.
    """
    taken = []
    for turn in range(times + 3):
        start = process_time()
        await act()
        if turn >= 3:
            taken.append(1000 * (process_time() - start))
    return mean(taken), quantiles(taken, n=20)[-1]


async def measure(shape: tuple[int, ...], zoom: Zoom) -> dict[str, tuple[float, float]]:
    """The times of a full repaint, of a step of the cursor, and of a step that scrolls."""
    app = GridApp(torch.randn(shape))
    app.grid.zoom = zoom
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()

        async def repaint() -> None:
            app.grid._styles_cache.clear()
            app.grid.render_lines(Region(0, 0, *app.grid.size))

        async def press(key: str) -> None:
            await pilot.press(key)

        frame = await milliseconds(FRAMES, repaint)
        step = await milliseconds(KEYS, lambda: press("right"))
        await pilot.press("end")
        scroll = await milliseconds(KEYS, lambda: press("pageup"))
    return {"full repaint": frame, "right": step, "pageup": scroll}


async def main() -> None:
    """Print a table for every zoom level."""
    torch.manual_seed(0)
    # Collecting what the imports have left behind takes 80 ms now and then, which is no work of the grid.
    gc.freeze()
    for zoom in Zoom:
        print(f"\n{zoom.label:18} {'':14} {'mean ms':>8} {'p95 ms':>8} {'ratio':>6}")
        smallest: dict[str, tuple[float, float]] = {}
        for shape in SHAPES:
            for what, (average, slowest) in (await measure(shape, zoom)).items():
                ratio = average / smallest.setdefault(what, (average, slowest))[0]
                print(f"{'x'.join(map(str, shape)):18} {what:14} {average:8.2f} {slowest:8.2f} {ratio:6.2f}")


if __name__ == "__main__":
    asyncio.run(main())
