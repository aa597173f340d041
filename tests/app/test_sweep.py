"""The sweep's screen: its fields, its points as they come, the block of a point on the bench, files."""

from __future__ import annotations

import csv
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from textual.widgets import Input, Static
from textual_plot import PlotWidget

from tests.analysis.sweep.fake_speed import points_of
from tests.driver import LARGE, MEDIUM, SMALL, Bench, OpenBench
from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions, MemoryFormat
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.quantities import Quantity
from tui.running.sweep_state import SweepStage
from tui.screens.dialogs.help import HelpScreen
from tui.screens.dialogs.output_file import OutputScreen
from tui.screens.dialogs.replace import ReplaceScreen
from tui.screens.sweep.screen import SweepScreen
from tui.views.speed.view import SpeedView
from tui.views.sweep.plot_pane import PlotPane
from tui.widgets.foot import Foot
from tui.widgets.form.choice import Choice
from tui.widgets.heat_map import HeatMap
from tui.widgets.notice import Notice
from tui.widgets.plot.without_plots import WithoutPlots
from tui.widgets.rows.row_list import RowList


def injected(plan: Plan) -> Iterator[Doing | Point]:
    yield Doing("beginning", 0, plan.count)
    yield from points_of(plan, [2.0, 0.0, 1.5, 1.25, 1.0] * 8)


def screen_of(bench: Bench) -> SweepScreen:
    screen = bench.app.screen
    assert isinstance(screen, SweepScreen)
    return screen


def at_the_bench(bench: Bench) -> bool:
    return bench.app.screen is bench.app.bench


def words(bench: Bench, selector: str) -> str:
    return str(bench.app._sweep_screen.query_one(selector, Static).content) if bench.app._sweep_screen else ""


async def run(bench: Bench, values: str) -> SweepScreen:
    """Open it, type the values of the first axis, and run it to its end."""
    await bench.press("v", "ctrl+u", *values, "enter")
    await bench.until(lambda: bench.app.sweep and not bench.app.sweep.is_running, "the end of the sweep")
    return screen_of(bench)


async def test_it_runs_and_says_what_was_left_out(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, sweep=injected) as bench:
        screen = await run(bench, "2,4,8,0")
        assert screen.sweep is not None
        assert screen.sweep.stage is SweepStage.DONE
        assert words(bench, "#sweep-progress") == "4 of 4 points   1 skipped: 0   1 refused: 4"
        assert isinstance(bench.app.focused, PlotPane)
        assert "in channels 2   2.00 × as fast (1.88 to 2.12)" in words(bench, "#sweep-point")
        await bench.press("right")
        assert "refused: needs about 64.0 GB of memory" in words(bench, "#sweep-point")
        await bench.press("right", "right")
        assert words(bench, "#sweep-point").startswith("in channels 8 ")


async def test_what_is_skipped_is_found_in_the_table(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, SMALL, sweep=injected) as bench:
        await run(bench, "0,2,4")
        await bench.press("d")
        assert isinstance(bench.app.focused, RowList)
        await bench.press("home")
        assert (
            words(bench, "#sweep-point")
            == "in channels 0   skipped: in channels must be from 1 to 65536, not 0"
        )
        await bench.press("enter")
        assert bench.app.screen is screen_of(bench)
        await bench.press("d")
        assert isinstance(bench.app.focused, PlotPane)
        await bench.press("right")
        assert words(bench, "#sweep-point").startswith("in channels 2 ")


@pytest.mark.painted  # a plot draws itself when it is painted
async def test_a_plot_is_drawn_once_for_what_is_new_and_stays_behind_the_table(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[None] = []
    render = PlotWidget._render_plot

    def count(plot: PlotWidget) -> None:
        drawn.append(None)
        render(plot)

    async with open_bench(EXACT, sweep=injected) as bench:
        await run(bench, "2,4,8")
        await bench.pilot.pause(0.05)
        monkeypatch.setattr(PlotWidget, "_render_plot", count)
        await bench.press("right")
        assert len(drawn) == 1
        await bench.press("d", "d")
        assert isinstance(bench.app.focused, PlotPane)
        assert len(drawn) == 1


async def test_enter_opens_the_block_and_escape_comes_back_and_leaves_the_fields_and_then_the_sweep(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT, sweep=injected) as bench:
        await bench.press("v", "escape")
        assert at_the_bench(bench)
        screen = await run(bench, "2,4,8")
        await bench.press("end", "enter")
        assert at_the_bench(bench)
        await bench.until(lambda: bench.app.study and bench.app.study.spec.in_channels == 8)
        assert bench.app.study is not None
        assert bench.app.study.spec.out_channels == 8
        assert bench.app.bench.way_back == "back to the sweep"
        await bench.press("escape")
        assert bench.app.screen is screen
        assert words(bench, "#sweep-point").startswith("in channels 8 ")
        await bench.press("f")
        assert isinstance(bench.app.focused, Input)
        await bench.press("escape")
        assert isinstance(bench.app.focused, PlotPane)
        await bench.press("escape")
        assert at_the_bench(bench)


async def test_stopping_keeps_what_is_there(open_bench: OpenBench) -> None:
    released, ended = threading.Event(), threading.Event()

    def halfway(plan: Plan) -> Iterator[Doing | Point]:
        points = points_of(plan, [2.0] * 8)
        try:
            yield from points[:2]
            yield Doing("in channels 8: running the branches", 3, plan.count)
            released.wait()
            yield points[2]
        finally:
            ended.set()

    async with open_bench(EXACT, sweep=halfway) as bench:
        await bench.press("v", "ctrl+u", *"2,4,8", "enter")
        await bench.until(lambda: bench.app.sweep and "running" in bench.app.sweep.words)
        assert "in channels 8: running the branches" in words(bench, "#sweep-progress")
        await bench.press("S")
        released.set()
        await bench.until(ended.is_set, "the end of what was stopped")
        assert bench.app.sweep is not None
        assert bench.app.sweep.stage is SweepStage.STOPPED
        assert words(bench, "#sweep-progress") == "stopped: 2 of 3 points"
        await bench.press("end")
        assert words(bench, "#sweep-point") == "in channels 8   not timed"
        assert len(bench.app.sweep.points) == 2


async def test_a_sweep_that_cannot_go_on_says_why(open_bench: OpenBench) -> None:
    def failing(plan: Plan) -> Iterator[Doing | Point]:
        yield points_of(plan, [2.0] * 8)[0]
        raise RuntimeError("[/] no torch")

    async with open_bench(EXACT, sweep=failing) as bench:
        screen = await run(bench, "2,4")
        assert screen.query_one(Notice).text == "The sweep failed: [/] no torch"
        assert len(screen.results.points) == 1


async def test_a_problem_is_said_at_its_field(open_bench: OpenBench) -> None:
    problems = {
        "8:512:y2": "In channels: the step must be x and a factor",
        "": "In channels: give values, such as 8:256:x2",
        "[/]": "In channels must be a whole number such as 8, not '[/]'",
        "0": "The block allows none of these: in channels must be from 1 to 65536, not 0",
    }
    async with open_bench(EXACT, sweep=injected) as bench:
        await bench.press("v")
        for values, problem in problems.items():
            await bench.press("ctrl+u", *values, "enter")
            assert words(bench, "#sweep-problem-1").startswith(problem)
            assert bench.app.sweep is None
            await bench.press("ctrl+u", *"4,8")
            assert words(bench, "#sweep-problem-1") == ""
            assert words(bench, "#sweep-hint").startswith("2 points, ")


async def test_two_axes_make_a_map(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, sweep=injected) as bench:
        await bench.press("v", "ctrl+u", *"2,4", "tab", *["right"] * 2, "tab", "ctrl+u", *"1,3,5", "enter")
        await bench.until(lambda: bench.app.sweep and bench.app.sweep.stage is SweepStage.DONE)
        heat = bench.app.focused
        assert isinstance(heat, HeatMap)
        assert [[cell.text for cell in row] for row in heat.table.cells] == [
            ["2.00", "too large", "1.50"],
            ["1.25", "1.00", "2.00"],
        ]
        assert heat.table.cells[1][1].part == 0
        await bench.press("down", "right")
        assert words(bench, "#sweep-point").startswith("in channels 4, kernel size 3   1.00 ×")
        await bench.press("enter")
        await bench.until(lambda: bench.app.study and bench.app.study.spec.in_channels == 4)


async def test_turning_the_second_axis_passes_by_what_does_not_go_with_the_first(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT, sweep=injected) as bench:
        await bench.press("v", "tab")
        screen = screen_of(bench)
        second = screen.query_one("#sweep-axis-2", Choice)
        seen: list[str | None] = []
        while not seen or second.value != "nothing":
            await bench.press("right")
            seen.append(second.value)
            assert words(bench, "#sweep-problem-2") == ""
        assert seen[:2] == ["out channels", "kernel size"]
        assert not {"channels", "in channels"} & set(seen)
        await bench.press("right", "shift+tab", "shift+tab", "left")
        assert screen.query_one("#sweep-axis-1", Choice).value == "channels"
        assert second.value == "nothing", "out channels do not go with channels"


async def test_enter_runs_from_every_field_and_stop_is_told_meanwhile(open_bench: OpenBench) -> None:
    released = threading.Event()

    def waiting(plan: Plan) -> Iterator[Doing | Point]:
        yield Doing("loading", 0, plan.count)
        released.wait()
        yield from points_of(plan, [2.0] * 8)

    async with open_bench(EXACT, SMALL, sweep=waiting) as bench:
        await bench.press("v", "ctrl+u", *"2,4", "tab", "enter")
        await bench.until(lambda: bench.app.sweep and bench.app.sweep.words == "loading")
        for width in (SMALL[0], 40):
            await bench.pilot.resize_terminal(width, SMALL[1])
            await bench.picture()
            foot = screen_of(bench).query_one(Foot)
            told = [key.words for group in foot._fitting() for key in group]
            assert told[0] == "stop"
            assert "back" in told
        released.set()


async def test_on_a_wide_screen_the_table_stands_beside_the_plot(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, LARGE, sweep=injected) as bench:
        screen = await run(bench, "2,4,8")
        side = screen.query_one("#sweep-rows", RowList)
        assert side.region.width > 80
        await bench.press("right")
        assert side.cursor == 1
        await bench.press("tab", "down")
        assert bench.app.focused is side
        assert words(bench, "#sweep-point").startswith("in channels 8 ")
        await bench.press("d")
        assert not side.region.width
        assert screen.query_one("#sweep-table", RowList).cursor == 2


async def test_points_of_another_block_are_dimmed(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, sweep=injected) as bench:
        screen = await run(bench, "2,4,8")
        await bench.press("escape")
        bench.app.action_preset("repvgg-grouped")
        await bench.press("v")
        assert screen.results.has_class("-stale")
        assert "of the block that was swept before" in screen.query_one(Notice).text
        await bench.press("r")
        await bench.until(lambda: bench.app.sweep and bench.app.sweep.stage is SweepStage.DONE)
        assert bench.app.sweep is not None
        assert bench.app.sweep.plan.base.groups == 4
        assert not screen.results.has_class("-stale")


async def test_it_is_timed_as_the_speed_view_was_told(open_bench: OpenBench) -> None:
    conditions = Conditions(threads=1, memory_format=MemoryFormat.CHANNELS_LAST)
    async with open_bench(EXACT, sweep=injected) as bench:
        await bench.press("7")
        bench.app.bench.query_one(SpeedView).conditions = conditions
        await run(bench, "2,4")
        assert bench.app.sweep is not None
        assert bench.app.sweep.plan.conditions == conditions
        assert words(bench, "#file-sizes") == "1 thread · channels_last"


async def test_numbers_that_were_altered_are_not_swept_and_it_says_so(open_bench: OpenBench) -> None:
    altered = Alterations((Edit("kxk.weight", (0, 0, 0, 0), 3.0),))
    async with open_bench(EXACT, alterations=altered, sweep=injected) as bench:
        await bench.press("v")
        assert "its shape, with numbers drawn anew" in words(bench, "#file-name")
        await bench.press("escape")
        bench.app.action_preset("repvgg-grouped")
        await bench.press("v")
        assert "drawn anew" not in words(bench, "#file-name")


async def test_it_is_loaded_when_it_is_wanted_and_known_to_the_palette_and_the_help(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT, sweep=injected) as bench:
        assert bench.app._sweep_screen is None
        titles = [command.title for command in bench.app.get_system_commands(bench.app.screen)]
        assert any(title.startswith("Sweep") and title.endswith("v") for title in titles)
        screen = await run(bench, "2,4,8")
        titles = [command.title for command in bench.app.get_system_commands(bench.app.screen)]
        assert any(title.startswith("Export the sweep") for title in titles)
        await bench.press("question_mark")
        assert isinstance(bench.app.screen, HelpScreen)
        assert "IN A SWEEP" in [str(each.content) for each in bench.app.screen.query(Static)]
        await bench.press("escape")
        for key, quantity in zip("123456", Quantity, strict=True):
            await bench.press(key)
            assert screen.results.quantity is quantity
            assert words(bench, "#sweep-title").startswith(quantity)
        await bench.press("c")
        assert screen.results.quantity is Quantity.SPEED_UP


async def test_why_a_point_was_skipped_is_wrapped(open_bench: OpenBench) -> None:
    async with open_bench(replace(EXACT, groups=1), MEDIUM, sweep=injected) as bench:
        screen = await run(bench, "2,70000")
        await bench.press("d", "end")
        assert screen.query_one("#sweep-point").has_class("-why")
        await bench.press("home")
        assert not screen.query_one("#sweep-point").has_class("-why")


async def test_enter_writes_from_the_format_too(open_bench: OpenBench, tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    async with open_bench(EXACT, MEDIUM, sweep=injected) as bench:
        await run(bench, "2,4")
        await bench.press("x")
        await bench.until(lambda: isinstance(bench.app.screen, OutputScreen))
        bench.app.screen.query_one(Input).value = str(path)
        await bench.press("tab", "right", "left", "right", "enter")
        await bench.until(path.exists)
        await bench.until(lambda: bench.app.screen is bench.app._sweep_screen)


async def saved(bench: Bench, path: Path, turns: int) -> None:
    """Export to that file, in the format after so many turns."""
    await bench.press("x")
    await bench.until(lambda: isinstance(bench.app.screen, OutputScreen))
    dialog = bench.app.screen
    await bench.press("tab", *["right"] * turns, "shift+tab")
    dialog.query_one(Input).value = str(path)
    await bench.press("enter")


async def test_export(open_bench: OpenBench, tmp_path: Path) -> None:
    written = {}
    async with open_bench(EXACT, MEDIUM, sweep=injected) as bench:
        await run(bench, "2,4,8")
        for turns, kind in enumerate(("csv", "json", "svg")):
            path = tmp_path / f"sweep.{kind}"
            await saved(bench, path, turns)
            await bench.until(path.exists)
            await bench.until(lambda: bench.app.screen is bench.app._sweep_screen)
            written[kind] = path.read_text(encoding="utf-8")
    assert [row["in-channels"] for row in csv.DictReader(StringIO(written["csv"]))] == ["2", "4", "8"]
    assert json.loads(written["json"])["axes"] == [{"name": "in-channels", "values": ["2", "4", "8"]}]
    assert written["svg"].startswith("<svg")
    assert "speed-up: of fused over as it is" in written["svg"]


async def test_a_file_is_replaced_only_after_a_question(open_bench: OpenBench, tmp_path: Path) -> None:
    path = tmp_path / "sweep.csv"
    path.write_text("mine", encoding="utf-8")
    async with open_bench(EXACT, sweep=injected) as bench:
        await run(bench, "2,4")
        await saved(bench, path, 0)
        assert isinstance(bench.app.screen, ReplaceScreen)
        await bench.press("n")
        assert path.read_text(encoding="utf-8") == "mine"
        await bench.press("enter", "y")
        await bench.until(lambda: path.read_text(encoding="utf-8") != "mine")
        assert path.read_text(encoding="utf-8").startswith("in-channels,state")


async def test_where_no_plot_can_be_drawn_it_says_so_and_all_else_is_there(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("curve_plot", "still_plot", "ticks"):
        monkeypatch.delitem(sys.modules, f"tui.widgets.plot.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "textual_plot", None)
    monkeypatch.setitem(sys.modules, "textual_plot.axis_formatter", None)
    async with open_bench(EXACT, sweep=injected) as bench:
        screen = await run(bench, "2,4,8")
        assert "pip install textual-plot" in str(screen.query_one(WithoutPlots).content)
        await bench.press("d")
        assert isinstance(bench.app.focused, RowList)


async def test_old_points_stay_until_there_is_a_new_one(open_bench: OpenBench) -> None:
    released, runs = threading.Event(), []

    def late(plan: Plan) -> Iterator[Doing | Point]:
        runs.append(plan)
        if len(runs) > 1:
            yield Doing("loading", 0, plan.count)
            released.wait()
        yield from points_of(plan, [2.0] * 8)

    async with open_bench(EXACT, sweep=late) as bench:
        screen = await run(bench, "2,4,8")
        await bench.press("r")
        await bench.until(lambda: bench.app.sweep and bench.app.sweep.words == "loading")
        assert len(screen.results.points) == 3
        assert screen.results.has_class("-stale")
        await bench.press("S")
        assert words(bench, "#sweep-progress") == "stopped: 0 of 3 points"
        assert "of the sweep before" in screen.query_one(Notice).text
        assert words(bench, "#sweep-point").startswith("in channels 2   2.00 ×")
        released.set()
        await bench.press("r")
        await bench.until(lambda: bench.app.sweep and bench.app.sweep.stage is SweepStage.DONE)
        assert not screen.results.has_class("-stale")
