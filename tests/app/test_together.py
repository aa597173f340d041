"""Kernels and outputs stand together where the whole of both can be read."""

from __future__ import annotations

from dataclasses import replace

from tests.driver import LARGE, MEDIUM, Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import EXACT
from tui.analysis.progress import Doing
from tui.running.run_state import Idle
from tui.screens.bench.views import VIEWS
from tui.views.outputs.view import OutputsView
from tui.widgets.form.parameter_form import ParameterForm
from tui.widgets.view_tabs import ViewTabs


def seen(bench: Bench) -> list[str]:
    """The views on the screen, from top to bottom."""
    views = [view for view in bench.views.query_children() if view.display]
    return [view.id or "" for view in sorted(views, key=lambda view: view.region.y)]


def tab(bench: Bench) -> str:
    return VIEWS[bench.app.bench.query_one(ViewTabs).current].title


async def test_where_both_have_room_the_kernels_stand_over_the_outputs(open_bench: OpenBench) -> None:
    """The focus goes from one to the other, the tab with it; asked for by its key, one has all the room."""
    async with open_bench(EXACT, LARGE) as bench:
        assert seen(bench) == ["kernels", "outputs"]
        assert bench.kernels.region.bottom <= bench.views.query_one(OutputsView).region.y
        assert tab(bench) == "Kernels"
        await bench.resize(MEDIUM)
        assert seen(bench) == ["kernels"]
        await bench.resize(LARGE)
        assert seen(bench) == ["kernels", "outputs"]
        await bench.go_to_fused()
        await bench.press("tab")
        assert (tab(bench), seen(bench)) == ("Outputs", ["kernels", "outputs"])
        await bench.press("m")
        assert seen(bench) == ["outputs"]
        assert not bench.app.bench.query_one(ParameterForm).display
        await bench.press("m", "shift+tab")
        assert (tab(bench), seen(bench)) == ("Kernels", ["kernels", "outputs"])
        await bench.press("3")
        assert seen(bench) == ["outputs"]
        await bench.press("1")
        assert seen(bench) == ["kernels", "outputs"]
        await bench.press("5")
        assert seen(bench) == ["rounding"]


async def test_the_outputs_come_with_the_study_and_find_their_place_free(
    open_bench: OpenBench, held: HeldStudy
) -> None:
    async with open_bench(EXACT, LARGE, study=held, reach=Doing) as bench:
        await bench.picture()
        before = bench.kernels.region
        assert seen(bench) == ["kernels"]
        held.let_all_go()
        await bench.reach(Idle)
        await bench.picture()
        assert seen(bench) == ["kernels", "outputs"]
        assert bench.kernels.region == before


async def test_outputs_of_an_older_block_are_dimmed_below_newer_kernels(
    open_bench: OpenBench, held: HeldStudy
) -> None:
    async with open_bench(EXACT, LARGE, study=held, reach=Doing) as bench:
        held.runs[0].let_go.set()
        await bench.reach(Idle)
        bench.app.bench.show_spec(replace(EXACT, seed=1))
        await bench.until(lambda: len(held.runs) == 2)
        held.runs[1].stop_before = "running the branches"
        held.runs[1].let_go.set()
        await bench.until(lambda: bench.app.kernels and bench.app.kernels.spec.seed == 1)
        outputs = bench.views.query_one(OutputsView)
        await bench.until(lambda: bench.kernels.styles.opacity == 1.0)
        assert outputs.styles.opacity < 1.0
        held.let_all_go()
        await bench.reach(Idle)
        await bench.until(lambda: outputs.styles.opacity == 1.0)


async def test_in_one_grid_tab_shows_the_next(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("m", "tab")
        assert [panel.summand.name for panel in bench.kernels.panels if panel.display] == ["1x1"]
        await bench.press("shift+tab", "shift+tab", "shift+tab")
        assert [panel.summand.name for panel in bench.kernels.panels if panel.display] == ["identity"]
        await bench.press("m")
        assert all(panel.display for panel in bench.kernels.panels)


async def test_on_a_very_small_screen_one_grid_shows_its_numbers_and_b_swaps_the_lines(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT, (40, 12)) as bench:
        shown = [panel for panel in bench.kernels.panels if panel.display]
        assert [panel.summand.name for panel in shown] == ["kxk"]
        assert shown[0].grid.zoom_in_effect.has_numbers
        await bench.press("tab")
        assert [panel.summand.name for panel in bench.kernels.panels if panel.display] == ["1x1"]
        assert "max |d|" in bench.text("#difference")
        lines = [bench.kernels.query_one(f"#{name}-line") for name in ("weight", "bias")]
        for shown_now in ([True, False], [False, True], [True, False]):
            assert [line.display for line in lines] == shown_now
            await bench.press("b")
