"""What 256 and 16 colours cost, against a terminal that has all of them; run by hand.

    python -m tests.bench.bench_few_colours

Milliseconds of processor time at 120 x 36 of a frame with nothing kept, and of two steps of the cursor: the
median of rounds that take turns, and the ratio to all colours. With 16 each cell holds a glyph, which costs
more than the mapping. To hold: a step within 1.2.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import process_time

from textual.widget import Widget

from tests.driver import MEDIUM, Bench, opener
from tests.settle import settle
from tests.specs import EXACT
from tui.terminal.colour_depth import ColourDepth

ROUNDS = 30


async def frame(bench: Bench) -> None:
    """Paint everything anew, as after a resize."""
    for widget in bench.app.bench.walk_children(Widget, with_self=True):
        widget._styles_cache.clear()
        widget.refresh()
    bench.app.refresh()
    await settle(bench.pilot)


async def step(bench: Bench) -> None:
    """One tap to the right, and back again."""
    await bench.press("right")
    await bench.press("left")


async def main() -> None:
    """Print the milliseconds and the ratios."""
    works: list[Callable[[Bench], Awaitable[None]]] = [frame, step]
    times: dict[tuple[str, ColourDepth], list[float]] = {}
    block = replace(EXACT, in_channels=64, out_channels=64)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(3):
            for depth in ColourDepth:
                async with AsyncExitStack() as stack:
                    bench = await stack.enter_async_context(
                        opener(Path(folder) / "settings.json")(block, MEDIUM, depth=depth)
                    )
                    for work in works:
                        for _ in range(ROUNDS // 3):
                            began = process_time()
                            await work(bench)
                            times.setdefault((work.__name__, depth), []).append(process_time() - began)
    for work in works:
        base = median(times[work.__name__, ColourDepth.FULL])
        for depth in ColourDepth:
            taken = median(times[work.__name__, depth])
            print(f"{work.__name__:6}{depth.value:>10} colours{1000 * taken:8.1f} ms   {taken / base:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
