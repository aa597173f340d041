"""One cursor in all grids, by key and by mouse, and the line that adds up what is under it."""

from __future__ import annotations

import re
from fractions import Fraction

from textual.geometry import Offset

from tests.driver import Bench, OpenBench
from tests.specs import EXACT
from tui.fusion.tap import Tap
from tui.views.shared.colour_scale import ColourScale
from tui.widgets.grid.geometry import HEADER
from tui.widgets.grid.zoom import Zoom

NORMED = EXACT.with_branches(batch_norm=True)

STEPS = {
    "left": Tap(0, 0, 1, 0),
    "h": Tap(0, 0, 1, 0),
    "right": Tap(0, 0, 1, 2),
    "l": Tap(0, 0, 1, 2),
    "up": Tap(0, 0, 0, 1),
    "k": Tap(0, 0, 0, 1),
    "down": Tap(0, 0, 2, 1),
    "j": Tap(0, 0, 2, 1),
    "pagedown": Tap(1, 0, 1, 1),
    "end": Tap(1, 1, 2, 2),
    "home": Tap(0, 0, 0, 0),
}


async def test_keys_move_the_cursor_of_all_grids_and_zoom_down_the_ladder_and_back(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT) as bench:
        start = bench.kernels.cursor
        for key, tap in STEPS.items():
            assert [grid.cursor for grid in bench.grids] == [Tap(0, 0, 1, 1)] * 4
            await bench.press(key)
            assert [grid.cursor for grid in bench.grids] == [tap] * 4, key
            bench.kernels.cursor = start
        fits = bench.grids[-1].zoom_in_effect
        seen = [fits]
        for _ in range(len(Zoom)):
            await bench.press("minus")
            assert len({grid.zoom_in_effect for grid in bench.grids}) == 1
            seen.append(bench.grids[-1].zoom_in_effect)
        assert seen[-2:] == [Zoom.NORM, Zoom.NORM]
        assert list(dict.fromkeys(seen)) == list(Zoom)[list(Zoom).index(fits) :]
        for _ in range(len(Zoom)):
            await bench.press("plus")
        assert bench.grids[-1].zoom_in_effect is Zoom.NUMBER_16
        await bench.press("z")
        assert bench.grids[-1].zoom_in_effect is fits


def numbers(line: str) -> dict[str, Fraction]:
    """The name and the number of each summand, and of the sum."""
    names = re.findall(r"(kxk|1x1|identity|fused) (\S+)", line)
    return {name: Fraction(0 if number == "none" else number) for name, number in names}


async def test_the_lines_add_up_everywhere_and_name_the_place_and_the_scale(open_bench: OpenBench) -> None:
    async with open_bench(NORMED) as bench:
        await bench.press("home")
        seen = set()
        for key in (["right"] * 5 + ["home", "down"]) * 6:
            await bench.press(key)
            for line in (bench.text("#weight-line"), bench.text("#bias-line")):
                *summands, fused = numbers(line).values()
                assert len(summands) == 3, line
                assert sum(summands) == fused, line
                seen.add(fused)
        assert len(seen) > 5, "not all the same"
        await bench.press("end", "left")
        study = bench.app.study
        assert study is not None
        assert bench.text("#weight-line").startswith("out 1 in 1 tap (2,1): ")
        assert bench.text("#bias-line").startswith("out 1 bias: ")
        kernel = study.fused_kernel.kernel
        assert numbers(bench.text("#weight-line"))["fused"] == Fraction(float(kernel.weight[1, 1, 2, 1]))
        assert kernel.bias is not None
        assert numbers(bench.text("#bias-line"))["fused"] == Fraction(float(kernel.bias[1]))
        scales = []
        for _ in ColourScale:
            assert bench.kernels.colour_scale.value in bench.text("#legend")
            scales.append(tuple(grid.scale for grid in bench.grids))
            await bench.press("c")
        assert bench.kernels.colour_scale is ColourScale.SHARED
        assert len(set(scales)) == len(ColourScale)
        assert len(set(scales[0])) == 1
        assert len(set(scales[1])) > 1


def place_of(bench: Bench, tap: Tap) -> Offset:
    """Where the last cell of a tap is within the last grid."""
    grid = bench.grids[-1]
    assert grid._geometry is not None
    cells = grid._geometry.region(tap)
    return Offset(cells.right - 1 + grid._geometry.gutter, cells.y + HEADER) - grid.scroll_offset


async def test_hover_reads_and_click_moves(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        tap = Tap(1, 0, 2, 0)
        start = bench.kernels.cursor
        await bench.pilot.hover(bench.grids[-1], place_of(bench, tap))
        await bench.picture()
        assert [grid.hover for grid in bench.grids] == [tap] * 4
        assert bench.text("#weight-line").startswith("out 1 in 0 tap (2,0)")
        assert bench.kernels.cursor == start
        await bench.pilot.hover("#difference")
        await bench.picture()
        assert bench.text("#weight-line").startswith("out 0 in 0 tap (1,1)")
        await bench.pilot.click(bench.grids[-1], place_of(bench, tap))
        await bench.picture()
        assert [grid.cursor for grid in bench.grids] == [tap] * 4


async def test_the_cursor_stays_within_a_smaller_block(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("end")
        await bench.enter("kernel_size", "1")
        await bench.until(lambda: bench.app.study and bench.app.study.frame == (1, 1))
        assert bench.kernels.cursor == Tap(1, 1, 0, 0)
        *summands, fused = numbers(bench.text("#weight-line")).values()
        assert sum(summands) == fused
