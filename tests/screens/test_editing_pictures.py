"""Numbers edited in place, in pictures."""

from __future__ import annotations

from tests.driver import LooksAsStored, OpenBench
from tests.screens.test_pictures import in_both_sizes
from tests.specs import EXACT


@in_both_sizes
async def test_an_edit_in_progress(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT.with_branches(batch_norm=True)) as bench:
        bench.grids[0].focus()
        await bench.press("enter", "ctrl+u", "1", "slash", "8")
        await looks_as_stored(bench)


@in_both_sizes
async def test_after_an_edit(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        bench.grids[0].focus()
        await bench.press("enter", "ctrl+u", "minus", "9", "enter")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.alterations)
        await looks_as_stored(bench)


@in_both_sizes
async def test_an_edited_fusion(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        await bench.go_to_fused()
        await bench.press("enter", "ctrl+u", "9", "enter")
        await bench.until(lambda: bench.app.study is not None and bench.app.study.alterations)
        await looks_as_stored(bench)


@in_both_sizes
async def test_kernels_by_name(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        bench.grids[0].focus()
        await bench.press("n")
        await looks_as_stored(bench)
