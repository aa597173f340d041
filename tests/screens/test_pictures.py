"""The bench as it looks, in pictures whose every figure is the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.driver import LARGE, MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.held_study import HeldStudy
from tests.specs import COSTLY, DEPTHWISE, EXACT, ROUNDED
from tui.analysis.progress import Doing, Failed
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import InputFill
from tui.running.run_state import Idle, Waiting, Withdrawn
from tui.widgets.grid.zoom import Zoom

Size = tuple[int, int]


def name_of(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


both_sizes = pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=name_of)
in_both_sizes = pytest.mark.sizes(SMALL, MEDIUM)


@pytest.mark.sizes(SMALL, MEDIUM, LARGE)
async def test_start(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(ROUNDED, SMALL) as bench:
        await looks_as_stored(bench)


@in_both_sizes
async def test_before_the_first_result(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, held: HeldStudy
) -> None:
    async with open_bench(ROUNDED, study=held, reach=Doing) as bench:
        await bench.until(lambda: bench.app.run_state == Doing("holding still"))
        await looks_as_stored(bench)


BLOCKS = {
    "batch norm": EXACT.with_branches(batch_norm=True),
    "depthwise": DEPTHWISE,
    "5x4": replace(EXACT, kernel_size=(5, 4)),
    "stride 2": replace(EXACT, stride=(2, 2), branches=EXACT.branches[:2], input=InputFill.ONES),
    "one branch": replace(EXACT, branches=EXACT.branches[:1]),
    "64 channels": replace(EXACT, in_channels=64, out_channels=64),
}


@in_both_sizes
@pytest.mark.parametrize("block", BLOCKS)
async def test_block(open_bench: OpenBench, looks_as_stored: LooksAsStored, block: str) -> None:
    async with open_bench(BLOCKS[block]) as bench:
        await looks_as_stored(bench)


@in_both_sizes
async def test_invalid_field(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(ROUNDED) as bench:
        await bench.enter("groups", "3")
        await bench.reach(Withdrawn)
        await looks_as_stored(bench)


@in_both_sizes
@pytest.mark.parametrize("memory", [None, 10**9], ids=["waiting", "too large"])
async def test_costly(
    open_bench: OpenBench,
    looks_as_stored: LooksAsStored,
    monkeypatch: pytest.MonkeyPatch,
    memory: int | None,
) -> None:
    monkeypatch.setattr("tui.running.studying.memory_of_this_machine", lambda: memory)
    async with open_bench(ROUNDED) as bench:
        bench.app.bench.show_spec(COSTLY)
        await bench.reach(Waiting)
        await looks_as_stored(bench)


@in_both_sizes
async def test_failed_run(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    def study(subject: Subject) -> Iterator[Doing]:
        yield Doing("breaking")
        raise RuntimeError("not enough memory: you tried to allocate [/] bytes [bold]in vain")

    async with open_bench(ROUNDED, study=study, reach=Failed) as bench:
        await looks_as_stored(bench)


@in_both_sizes
async def test_light(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(ROUNDED) as bench:
        await bench.press("t")
        await looks_as_stored(bench)


@in_both_sizes
async def test_without_colours(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_bench(ROUNDED) as bench:
        await looks_as_stored(bench)


async def test_zoom(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(replace(EXACT, in_channels=6, out_channels=6), MEDIUM) as bench:
        for zoom in Zoom:
            bench.kernels.zoom = zoom
            await looks_as_stored(bench, zoom.name.lower())


@in_both_sizes
async def test_one_grid(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(replace(EXACT, in_channels=6, out_channels=6)) as bench:
        await bench.press("m")
        await looks_as_stored(bench)


async def test_form_on_a_small_screen(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(ROUNDED, SMALL) as bench:
        await bench.press("f")
        await looks_as_stored(bench)


@in_both_sizes
@pytest.mark.parametrize("key", ["question_mark", "p"], ids=["help", "presets"])
@pytest.mark.painted  # a list of options knows how long it is when it is painted
async def test_dialog(open_bench: OpenBench, looks_as_stored: LooksAsStored, key: str) -> None:
    async with open_bench(ROUNDED) as bench:
        await bench.press(key)
        await looks_as_stored(bench)


@in_both_sizes
async def test_numbers_that_are_none(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, odd_weights: None
) -> None:
    async with open_bench(EXACT) as bench:
        await looks_as_stored(bench)


@in_both_sizes
@pytest.mark.painted  # a grid that is given another room on its way scrolls back when it is painted
@pytest.mark.parametrize("view", ["1", "3"], ids=["kernels", "outputs"])
async def test_dimmed(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, held: HeldStudy, view: str
) -> None:
    """While the next block runs, its kernels are there already, and what is of the one before is dimmed."""
    async with open_bench(ROUNDED, study=held, reach=Doing) as bench:
        held.runs[0].let_go.set()
        await bench.reach(Idle)
        await bench.press(view)
        bench.app.bench.show_spec(replace(ROUNDED, branches=ROUNDED.branches[:2]))
        await bench.until(lambda: len(held.runs) == 2)
        held.runs[1].stop_before = "running the branches"
        held.runs[1].let_go.set()
        await bench.until(lambda: "S stops it" in bench.text("#difference"), "what is running")
        await looks_as_stored(bench)
