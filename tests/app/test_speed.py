"""The speed view in the program: when it measures, what stops it, and that what it shows is the form's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.driver import MEDIUM, SMALL, Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import EXACT
from tests.speed_reports import FINISHED, HALF_DONE, NOTHING_YET, HeldMeasure
from tui.analysis.estimate import Estimate
from tui.analysis.numerics.ran_on import RanOn
from tui.analysis.progress import Doing
from tui.analysis.speed.conditions import Conditions, MemoryFormat
from tui.analysis.speed.measurement import BrokenOff, Done
from tui.analysis.study import Piece, Study, run_study
from tui.analysis.subject import Subject
from tui.running.run_state import Idle, Withdrawn
from tui.views.speed.condition_rows import Choices, ConditionLine, ConditionRows
from tui.views.speed.view import SpeedView
from tui.widgets.foot import Foot
from tui.widgets.plot.without_plots import WithoutPlots


@pytest.fixture(autouse=True)
def choices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same machine everywhere, and every report shown."""
    monkeypatch.setattr("tui.views.speed.view.choices_here", lambda: Choices((None, 1, 2), ("cpu", "cuda")))
    monkeypatch.setattr("tui.running.measuring.SHOWN_EVERY", 0.0)


@pytest.fixture
def measure() -> Iterator[HeldMeasure]:
    """Seven rounds, and then it waits."""
    held = HeldMeasure((NOTHING_YET, HALF_DONE), waits=True)
    yield held
    held.let_go.set()


def gain(bench: Bench) -> list[str]:
    """The first lines of the view."""
    return bench.text("#speed-gain").split("\n")


def rows(bench: Bench) -> list[str]:
    return [" ".join(str(line.content).split()) for line in bench.app.bench.query(ConditionLine)]


def is_dim(bench: Bench) -> bool:
    return bench.app.bench.query_one(SpeedView).has_class("-unsettled")


async def waits(bench: Bench) -> None:
    await bench.until(lambda: gain(bench)[-1].startswith("measuring, round 8 of 31"), "round 8")


async def is_done(bench: Bench) -> None:
    await bench.until(lambda: bench.app.speed is not None and bench.app.speed.state == Done(), "the end")


async def test_it_measures_by_itself_when_somebody_looks_and_once(
    open_bench: OpenBench, measure: HeldMeasure
) -> None:
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("5")
        assert not measure.measured
        await bench.press("7")
        await waits(bench)
        assert measure.measured == [(bench.app.study, Conditions())]
        assert gain(bench)[0].startswith("2.00 × as fast fused")
        assert is_dim(bench)
        measure.let_go.set()
        await is_done(bench)
        assert not is_dim(bench)
        await bench.press("1", "7")
        assert len(measure.measured) == 1


async def test_who_leaves_stops_it_and_it_begins_anew(open_bench: OpenBench, measure: HeldMeasure) -> None:
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("7")
        await waits(bench)
        await bench.press("1")
        assert bench.app.speed is None
        measure.let_go.set()
        await bench.until(lambda: measure.ended == 1)
        assert bench.app.speed is None
        await bench.press("7")
        await is_done(bench)
        assert len(measure.measured) == 2


async def test_another_block_is_measured_and_the_old_one_never_shows(
    open_bench: OpenBench, measure: HeldMeasure
) -> None:
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("7")
        await waits(bench)
        await bench.enter("seed", "1")
        await bench.reach(Idle)
        await bench.until(lambda: bench.app.speed is not None)
        assert bench.app.study is not None
        assert bench.app.speed is not None
        assert bench.app.speed.subject is bench.app.study.subject
        assert bench.app.speed.report is None, "it waits till the old one's step has ended"
        measure.let_go.set()
        await is_done(bench)
        assert [study.spec.seed for study, _ in measure.measured] == [0, 1]
        assert bench.app.speed.subject.spec.seed == 1


async def test_nothing_is_measured_while_the_form_holds_another_block(
    open_bench: OpenBench, measure: HeldMeasure, held: HeldStudy
) -> None:
    async with open_bench(EXACT, measure=measure, study=held, reach=Doing) as bench:
        held.let_all_go()
        await bench.reach(Idle)
        await bench.enter("seed", "1")
        await bench.until(lambda: len(held.runs) == 2)
        await bench.press("escape", "7", "enter")
        assert not measure.measured
        held.let_all_go()
        await bench.reach(Idle)
        await waits(bench)
        assert [study.spec.seed for study, _ in measure.measured] == [1]


async def test_no_heading_stands_over_nothing_before_the_first_result(
    open_bench: OpenBench, measure: HeldMeasure, held: HeldStudy
) -> None:
    async with open_bench(EXACT, measure=measure, study=held, reach=Doing) as bench:
        await bench.press("7")
        conditions = bench.app.bench.query_one(ConditionRows)
        assert not conditions.visible
        held.let_all_go()
        await bench.reach(Idle)
        await waits(bench)
        assert conditions.visible


async def test_a_form_that_is_not_valid_stops_it(open_bench: OpenBench, measure: HeldMeasure) -> None:
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("7")
        await waits(bench)
        await bench.enter("seed", "x")
        await bench.reach(Withdrawn)
        assert bench.app.speed is not None
        assert bench.app.speed.state == BrokenOff()


async def test_escape_stops_it_and_enter_begins_anew(open_bench: OpenBench, measure: HeldMeasure) -> None:
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("7")
        await waits(bench)
        foot = bench.app.bench.query_one(Foot)
        assert [key.words for key in foot.here][:2] == ["stop", "measure"]
        await bench.press("escape")
        assert gain(bench)[-1] == "stopped after round 7 of 31; enter measures again"
        assert [key.words for key in foot.here][:1] == ["measure"]
        measure.let_go.set()
        await bench.until(lambda: measure.ended == 1)
        assert len(measure.measured) == 1
        await bench.press("enter")
        await is_done(bench)
        assert len(measure.measured) == 2


async def test_the_conditions_are_turned_and_measured_with_enter(open_bench: OpenBench) -> None:
    measure = HeldMeasure()
    async with open_bench(EXACT, SMALL, measure=measure) as bench:
        await bench.press("7")
        await is_done(bench)
        await bench.until(lambda: bench.app.bench.query_one(SpeedView).devices == ("cpu", "cuda"))
        await bench.press("right", "right", "j", "l", "down", "right", "down", "left", "up", "k", "h", "h")
        assert rows(bench) == [
            "threads 2",
            "▸ memory format ‹ channels_last ›",
            "torch.compile on",
            "device cuda",
        ]
        assert len(measure.measured) == 1
        assert is_dim(bench)
        assert gain(bench)[-1].startswith("under other conditions than chosen")
        await bench.press("enter")
        await is_done(bench)
        chosen = Conditions("cuda", 2, MemoryFormat.CHANNELS_LAST, compiled=True)
        assert measure.measured[-1][1] == chosen
        assert not is_dim(bench)


async def test_it_begins_on_the_device_of_the_study_and_so_does_a_sweep(open_bench: OpenBench) -> None:
    def there(subject: Subject) -> Iterator[Piece]:
        for piece in run_study(subject):
            yield replace(piece, ran_on=RanOn("cuda:1")) if isinstance(piece, Study) else piece

    measure = HeldMeasure()
    async with open_bench(EXACT, measure=measure, study=there) as bench:
        await bench.press("v")
        await bench.until(lambda: bench.app._sweep_screen is not None)
        assert bench.app._sweep_screen is not None
        assert bench.app._sweep_screen._conditions == Conditions("cuda:1")
        await bench.press("escape", "7")
        await is_done(bench)
        assert measure.measured[-1][1] == Conditions("cuda:1")
        await bench.press("up", "up", "up", "down", "down", "down", "left", "enter")
        await is_done(bench)
        assert measure.measured[-1][1] == Conditions()
        await bench.enter("seed", "1")
        await bench.press("escape")
        await bench.until(lambda: len(measure.measured) == 3)
        assert measure.measured[-1][1] == Conditions(), "what was chosen stays"


async def test_a_click_goes_to_a_condition_and_another_turns_it(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, MEDIUM) as bench:
        await bench.press("7")
        await is_done(bench)
        line = list(bench.app.bench.query(ConditionLine))[2]
        await bench.pilot.click(line)
        assert rows(bench)[2] == "▸ torch.compile ‹ off ›"
        await bench.pilot.click(line)
        assert rows(bench)[2] == "▸ torch.compile ‹ on ›"


async def test_what_is_costly_waits_for_enter_and_says_why(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = HeldMeasure()
    monkeypatch.setattr("tui.running.measuring.estimate_of", lambda _: Estimate(1, 2.4))
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("7")
        words = "Timing this block may take about 24 s. Press enter to do it."
        await bench.until(lambda: gain(bench) == [words])
        assert not measure.measured
        await bench.press("enter")
        await is_done(bench)


async def test_a_failure_is_told_and_what_is_known_stays(open_bench: OpenBench) -> None:
    measure = HeldMeasure((NOTHING_YET,), raises=RuntimeError("[/] no memory [bold]left"))
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("7")
        await bench.until(lambda: gain(bench) == ["It was not timed: [/] no memory [bold]left"])
        assert "7 168" in bench.text("#speed-work").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.painted  # a plot draws itself when it is painted
async def test_the_plot_comes_with_the_peaks_and_follows_the_theme(open_bench: OpenBench) -> None:
    from textual_hires_canvas import Canvas

    async with open_bench(EXACT, MEDIUM, measure=HeldMeasure((FINISHED,))) as bench:
        await bench.press("7")
        await is_done(bench)
        await bench.until(lambda: "●" in _painted(bench.app.bench.query_one("#roofline #plot", Canvas)))
        roofline = bench.app.bench.query_one("#roofline #plot", Canvas)
        before = {style for line in roofline._styles for style in line}
        assert {"○", "△", "●"} < set(_painted(roofline))
        await bench.press("t")
        assert {style for line in roofline._styles for style in line} != before
        assert bench.app.focused is bench.app.bench.query_one(SpeedView)


def _painted(canvas: object) -> str:
    from textual_hires_canvas import Canvas

    assert isinstance(canvas, Canvas)
    return "".join(canvas.render_line(line).text for line in range(canvas.size.height))


async def test_who_leaves_has_the_answer_of_another_view_at_once_and_may_quit(
    open_bench: OpenBench, measure: HeldMeasure
) -> None:
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("7")
        await waits(bench)
        await bench.press("5")
        await bench.until(lambda: bench.text("#ulp-bars"), "all four dtypes")
        assert measure.ended == 0, "the step that was being timed still runs"
        await bench.quit()
        assert measure.ended == 0, "nothing waited for it"


async def test_who_goes_to_the_sweep_stops_it(open_bench: OpenBench, measure: HeldMeasure) -> None:
    async with open_bench(EXACT, measure=measure) as bench:
        await bench.press("7")
        await waits(bench)
        await bench.press("v")
        assert bench.app.speed is not None
        assert bench.app.speed.state == BrokenOff()
        measure.let_go.set()
        await bench.until(lambda: measure.ended == 1)
        assert bench.app.speed.state == BrokenOff()


async def test_where_no_plot_can_be_drawn_it_says_so_and_all_else_is_there(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "textual_plot", None)
    monkeypatch.delitem(sys.modules, "tui.views.speed.roofline", raising=False)
    monkeypatch.delitem(sys.modules, "tui.widgets.plot.still_plot", raising=False)
    async with open_bench(EXACT, measure=HeldMeasure((FINISHED,))) as bench:
        await bench.press("7")
        await is_done(bench)
        view = bench.app.bench.query_one(SpeedView)
        assert "pip install textual-plot" in str(view.query_one(WithoutPlots).content)
        assert gain(bench)[0].startswith("2.00 × as fast fused")


async def test_times_of_the_block_before_a_form_that_is_not_valid_are_dimmed_and_said_to_be(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("7")
        await is_done(bench)
        await bench.enter("seed", "x")
        await bench.press("escape")
        assert is_dim(bench)
        assert gain(bench)[-1] == "of the block before: the form is not valid, f goes to it"
        await bench.press("enter")
        assert [each.message for each in bench.app._notifications][-1].startswith("The form is not valid")
        await bench.enter("seed", "0")
        await bench.reach(Idle)
        assert not is_dim(bench)
