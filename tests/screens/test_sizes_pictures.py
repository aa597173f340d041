"""Kernels, Outputs and Probe from the smallest terminal to the largest, dark and light."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.driver import LARGE, MEDIUM, LooksAsStored, OpenBench
from tests.specs import EXACT, ROUNDED, exact_preset
from tui.fusion.grammar.fields import spec_from

Size = tuple[int, int]

TINY = (40, 12)
LITTLE = (60, 20)
HUGE = (300, 80)
VIEWS = {"kernels": "1", "outputs": "3", "probe": "4", "rounding": "5", "mistakes": "6"}


def name_of(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


async def test_small(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    for size in (TINY, LITTLE):
        async with open_bench(EXACT, size) as bench:
            for view, key in VIEWS.items():
                await bench.press(key)
                if view == "rounding":
                    await bench.until(lambda: bool(bench.text("#ulp-bars")), "all four dtypes")
                await looks_as_stored(bench, f"{view}-{name_of(size)}")


async def test_large(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT, LARGE) as bench:
        for view in ("outputs", "probe"):
            await bench.press(VIEWS[view])
            await looks_as_stored(bench, view)


async def test_large_and_light(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(ROUNDED, LARGE) as bench:
        await bench.press("t")
        await looks_as_stored(bench)


async def test_huge(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(ROUNDED, HUGE) as bench:
        await looks_as_stored(bench)


@pytest.mark.parametrize("view", ["kernels", "outputs"])
async def test_one_grid(open_bench: OpenBench, looks_as_stored: LooksAsStored, view: str) -> None:
    async with open_bench(EXACT, LARGE) as bench:
        await bench.press(VIEWS[view], "m")
        await looks_as_stored(bench)


@pytest.mark.parametrize("preset", ["replknet", "mobileone", "dbb"])
async def test_preset(open_bench: OpenBench, looks_as_stored: LooksAsStored, preset: str) -> None:
    async with open_bench(exact_preset(preset), LARGE) as bench:
        await looks_as_stored(bench)


BLOCKS = {
    "a fourth branch": spec_from({"branches": "kxk,1x1,identity,1xk"}, EXACT),
    "3x5": replace(EXACT, kernel_size=(3, 5)),
    "post norm": replace(EXACT, post_norm=True),
}


@pytest.mark.parametrize("block", BLOCKS)
async def test_its_numbers_stay(open_bench: OpenBench, looks_as_stored: LooksAsStored, block: str) -> None:
    async with open_bench(BLOCKS[block], MEDIUM) as bench:
        assert all(grid.zoom_in_effect.has_numbers for grid in bench.grids)
        await looks_as_stored(bench)
