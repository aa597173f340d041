"""A block from elsewhere on the bench: what it is stays, how it is run is chosen, a preset leaves it."""

from __future__ import annotations

from textual.widgets import Input

from tests.driver import Bench, OpenBench
from tests.given_block import GivenBlock
from tests.specs import EXACT
from tui.analysis.alterations.alterations import Edit
from tui.analysis.subject import Subject
from tui.fusion.presets import PRESETS
from tui.widgets.form.branch_list import BranchList
from tui.widgets.form.origin_pane import OriginPane
from tui.widgets.top_bar import TopBar


async def result_of(bench: Bench) -> None:
    """Wait for the result of what is in the form."""
    screen = bench.app.bench
    await bench.until(lambda: bench.app.study is not None and bench.app.study.subject == screen.subject)


async def test_its_structure_cannot_be_edited_and_its_run_can(open_bench: OpenBench) -> None:
    given = GivenBlock()
    async with open_bench(EXACT) as bench:
        screen = bench.app.bench
        screen.show_subject(Subject(given.spec, origin=given))
        await result_of(bench)
        assert bench.app.study is not None
        assert bench.app.study.origin is given
        assert "stage1.0" in str(screen.query_one(OriginPane).render())
        assert screen.query_one(TopBar).title == "stage1.0"
        assert screen.query_one("#in_channels", Input).disabled
        assert screen.query_one(BranchList).disabled
        await bench.enter("input_shape", "6")
        await result_of(bench)
        assert bench.app.study.origin is given
        assert bench.app.study.spec.input_shape == (6, 6)


async def test_edits_and_undo_keep_it_and_a_preset_leaves_it(open_bench: OpenBench) -> None:
    given = GivenBlock()
    async with open_bench(EXACT) as bench:
        screen = bench.app.bench
        screen.show_subject(Subject(given.spec, origin=given))
        await result_of(bench)
        screen._set((Edit("rbr_dense.weight", (0, 0, 0, 0), 100.0),))
        await result_of(bench)
        assert bench.app.study is not None
        assert bench.app.study.origin is given
        assert bench.app.study.fused_kernel.kernel.weight[0, 0, 0, 0] == 200
        screen.show_spec(PRESETS["pointwise"].spec)
        await result_of(bench)
        assert bench.app.study.origin is None
        assert not screen.query_one("#in_channels", Input).disabled
        assert screen.query_one(TopBar).title == ""
        await bench.press("u")
        await result_of(bench)
        assert bench.app.study.origin is given
        assert screen.query_one("#in_channels", Input).disabled
        await bench.press("f")
        assert screen.focused is screen.query_one("#input_shape")


async def test_a_branch_cannot_be_added_and_it_is_said(open_bench: OpenBench) -> None:
    given = GivenBlock()
    async with open_bench(EXACT) as bench:
        bench.app.bench.show_subject(Subject(given.spec, origin=given))
        await result_of(bench)
        await bench.press("a")
        assert len(bench.app.screen_stack) == 1
        assert any("branches are what was read" in each.message for each in bench.app._notifications)
