"""The view of the outputs: its keys, and what is lit in which map."""

from __future__ import annotations

from dataclasses import replace

from textual.widgets import Static

from tests.driver import SMALL, Bench, OpenBench
from tests.specs import EXACT, ROUNDED
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.numerics.pixel import Pixel
from tui.fusion.tap import Tap
from tui.views.outputs.view import OutputsView
from tui.widgets.grid.lit import Lit
from tui.widgets.grid.zoom import Zoom


async def opened(bench: Bench) -> OutputsView:
    await bench.press("3")
    await bench.until(lambda: any(view.has_focus_within for view in bench.app.bench.query(OutputsView)))
    return bench.app.bench.query_one(OutputsView)


def lines(bench: Bench) -> str:
    return str(bench.app.bench.query_one("#output-lines", Static).content)


async def goes_to(bench: Bench, pixel: Pixel, *keys: str) -> None:
    """Press keys and wait for the element that they lead to."""
    await bench.press(*keys)
    await bench.until(lambda: bench.views.pixel == pixel, f"{pixel}, but {bench.views.pixel}")


async def test_a_walk_through_the_maps(open_bench: OpenBench) -> None:
    async with open_bench(ROUNDED) as bench:
        view = await opened(bench)
        source, outputs = view.maps.source, view.maps.outputs
        assert bench.app.study is not None
        worst, relative = bench.app.study.comparison.worst, bench.app.study.verdict.worst.index
        assert bench.views.pixel == worst
        assert lines(bench).startswith(f"out {worst[1]} ({worst[2]},{worst[3]}): unfused ")
        # In the corner: what it reads is lit in the input, and the padding is counted.
        await goes_to(bench, Pixel(0, worst[1], 0, 0), "home")
        assert source.lit == Lit(range(2), range(2))
        assert {grid.cursor for grid in (source, *outputs)} == {Tap(0, 0, 0, 0)}
        assert "5 of 9 taps in the padding" in lines(bench)
        # One tap: what it reads over all outputs, its input under the cursor.
        await goes_to(bench, Pixel(0, worst[1], 0, 1), "right")
        await goes_to(bench, Pixel(0, worst[1], 1, 1), "down")
        await bench.press("space", "shift+up")
        assert view.tap == (0, 1)
        assert source.lit == Lit(range(8), range(9))
        assert source.cursor == Tap(0, 0, 0, 1)
        assert "tap (0,1) " in lines(bench)
        await bench.press("space")
        assert view.tap is None
        assert source.lit == Lit(range(3), range(3))
        # In the input: the outputs that read the element are lit, and it can be edited.
        source.focus()
        await bench.press("end")
        await bench.until(lambda: outputs[0].lit == Lit(range(7, 9), range(7, 9)))
        assert source.lit is None
        assert bench.views.pixel == Pixel(0, worst[1], 1, 1)
        assert "is read by 4 outputs" in lines(bench)
        assert view.weight_under_cursor().words == "input[0,0,8,8]"
        # Another channel keeps the place, the worst element leads back.
        await goes_to(bench, Pixel(0, 1 - worst[1], 1, 1), "left_square_bracket")
        await goes_to(bench, Pixel(*worst), "w")
        await goes_to(bench, Pixel(*relative), "w")


async def test_channels_scales_and_zoom(open_bench: OpenBench) -> None:
    spec = replace(EXACT, in_channels=4, out_channels=4, groups=2, batch_size=2, input_shape=(40, 40))
    async with open_bench(spec, SMALL) as bench:
        view = await opened(bench)
        source, difference = view.maps.panels[0], view.maps.panels[-1]
        assert str(difference.border_subtitle) == "no difference"
        await bench.press("full_stop")
        assert view.in_channel == 1
        await goes_to(bench, Pixel(0, 3, 0, 0), "left_square_bracket")
        await goes_to(bench, Pixel(1, 3, 0, 0), "greater_than_sign")
        assert view.in_channel == 3
        assert str(source.border_title) == "input 1 in 3"
        await bench.press("c")
        assert str(difference.border_subtitle) == "±1 is the budget"
        # All maps show the same part, also at another level; the farthest is that of half blocks.
        await goes_to(bench, Pixel(1, 3, 39, 39), "minus", "end")
        assert difference.grid.zoom_in_effect is Zoom.HALF
        assert len({panel.grid.scroll_offset for panel in view.maps.panels}) == 1
        assert difference.grid.scroll_offset.y > 0
        source.grid.scroll_to(2, 1, animate=False)
        await bench.until(lambda: all(panel.grid.scroll_offset == (2, 1) for panel in view.maps.panels))
        await bench.press("plus")
        assert {panel.grid.zoom_in_effect for panel in view.maps.panels} == {Zoom.PAIR}
        await bench.press("m")
        assert [panel.display for panel in view.maps.panels] == [False, False, False, True]
        # A number that is set by hand shows.
        bench.app.bench.alter(Alterations(edits=(Edit("input", (1, 3, 0, 0), 64.0),)))
        await bench.until(lambda: "±64" in str(source.border_subtitle))
