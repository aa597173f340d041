"""From the form to a result: what runs, what is superseded, what fails, and what waits for a key."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.driver import OpenBench
from tests.held_study import HeldStudy
from tests.settle import until
from tests.specs import COSTLY, EXACT
from tui.analysis.progress import Doing, Failed
from tui.analysis.study import Piece, run_study
from tui.analysis.subject import Subject
from tui.running.run_state import Idle, Stopped, Waiting, Withdrawn
from tui.screens.bench.number_editor import NumberEditor
from tui.views.shared.result import ResultView
from tui.widgets.notice import Notice


async def test_the_block_runs_once_at_the_start(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        held.let_all_go()
        await bench.reach(Idle)
        await bench.press("down")
        assert [run.subject.spec for run in held.runs] == [EXACT]


async def test_typing_gives_a_new_result_without_a_key(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.enter("out_channels", "3")
        await bench.press("tab")
        await bench.enter("in_channels", "3")
        await bench.reach(Idle)
        assert bench.app.study is not None
        assert bench.app.study.spec == replace(EXACT, in_channels=3, out_channels=3)
        assert bench.grids[-1].source is not None
        assert bench.grids[-1].source.shape == (3, 3, 3, 3)
        assert bench.text("#counts").startswith("parameters 96 → 84 ")


async def test_a_padding_is_typed_and_what_does_not_fit_is_said_at_the_field(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.enter("padding", "0")
        await bench.reach(Idle)
        assert bench.app.study is not None
        assert bench.app.study.spec == replace(EXACT, padding=(0, 0))
        assert bench.app.study.outputs.fused.shape == (1, 2, 7, 7)
        await bench.enter("input_shape", "2")
        assert "pad by 1 or more" in bench.text("#complaint-padding")
        assert bench.app.study.spec.input_shape == (9, 9)
        await bench.enter("padding", "1")
        await bench.reach(Idle)
        assert bench.text("#complaint-padding") == ""
        assert bench.app.study.outputs.fused.shape == (1, 2, 2, 2)


async def test_the_last_good_result_stays_meanwhile(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        held.let_all_go()
        await bench.reach(Idle)
        first, line = bench.app.study, bench.text("#weight-line")
        await bench.enter("seed", "1")
        await bench.until(lambda: len(held.runs) == 2)
        assert bench.app.study is first
        assert bench.text("#weight-line") == line
        held.let_all_go()
        await bench.reach(Idle)
        assert bench.text("#weight-line") != line


async def test_an_invalid_field_says_why_and_the_result_stays(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        first = bench.app.study
        await bench.enter("groups", "3")
        await bench.reach(Withdrawn)
        assert "groups must divide in and out channels" in bench.text("#complaint-groups")
        assert bench.app.study is first
        await bench.enter("groups", "1")
        await bench.reach(Idle)
        assert bench.text("#complaint-groups") == ""


async def test_a_run_for_an_invalid_form_is_stopped(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.enter("groups", "3")
        await bench.reach(Withdrawn)
        held.let_all_go()
        await until(held.runs[0].ended.is_set)
        await bench.picture()
        assert held.runs[0].steps == 1
        assert bench.app.study is None


async def test_a_superseded_run_never_overwrites_a_newer_one(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.enter("seed", "1")
        await bench.until(lambda: len(held.runs) == 2)
        old, new = held.runs
        new.let_go.set()
        await bench.reach(Idle)
        old.let_go.set()
        await until(old.ended.is_set)
        await bench.picture()
        assert bench.app.study is not None
        assert bench.app.study.spec.seed == 1
        assert old.steps == 1, "it was stopped at its next step"


async def test_news_of_an_older_request_is_dropped(open_bench: OpenBench, held: HeldStudy) -> None:
    """What an older run says after the newer one went out never reaches the screen."""
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.enter("seed", "1")
        await bench.until(lambda: len(held.runs) == 2)
        old, new = held.runs
        shown = bench.app.run_state
        old.let_go.set()
        await until(old.ended.is_set)
        await bench.picture()
        assert bench.app.run_state is shown
        assert (bench.app.study, bench.app.kernels) == (None, None)
        new.let_go.set()
        await bench.reach(Idle)
        assert bench.app.study is not None
        assert bench.app.study.spec.seed == 1


async def test_a_failure_is_told_in_words_and_the_next_edit_recovers(open_bench: OpenBench) -> None:
    def study_of(subject: Subject) -> Iterator[Piece]:
        if subject.spec.seed == 1:
            raise RuntimeError("[/] is no size [bold]at all[/bold]\nC++ stack")
        return run_study(subject)

    async with open_bench(EXACT, study=study_of) as bench:
        shown = bench.app.study
        await bench.enter("seed", "1")
        await bench.reach(Failed)
        notice = bench.app.bench.query_one(Notice)
        assert notice.text == "The run failed: [/] is no size [bold]at all[/bold]"
        assert "[/] is no size [bold]at all[/bold]" in str(notice.render())
        assert notice.display
        assert bench.app.study is shown
        await bench.enter("seed", "2")
        await bench.reach(Idle)
        assert not notice.display


async def test_what_is_no_longer_shown_is_let_go(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        assert bench.app.study is not None
        first = weakref.ref(bench.app.study)
        await bench.enter("seed", "1")
        await bench.reach(Idle)
        gc.collect()
        assert first() is None
        assert not [thread for thread in threading.enumerate() if thread.name == "study"]


@pytest.fixture
def ample_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.running.studying.memory_of_this_machine", lambda: None)


@pytest.mark.usefixtures("ample_memory")
async def test_a_costly_run_waits_for_r(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(COSTLY, study=held, reach=Waiting) as bench:
        assert held.runs == []
        assert "Press r to run it" in bench.app.bench.query_one(Notice).text
        await bench.press("r")
        await bench.reach(Doing)
        assert [run.subject.spec for run in held.runs] == [COSTLY]
        await bench.enter("seed", "7")
        await bench.reach(Waiting)
        assert len(held.runs) == 1, "the word was given for the other spec"


async def test_a_run_too_large_for_the_machine_is_refused(
    open_bench: OpenBench, held: HeldStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.running.studying.memory_of_this_machine", lambda: 10**9)
    async with open_bench(COSTLY, study=held, reach=Waiting) as bench:
        await bench.press("r")
        assert held.runs == []
        assert "more than this machine has" in bench.app.bench.query_one(Notice).text
        bench.app.bench.show_spec(EXACT)
        await bench.until(lambda: held.runs)
        assert not bench.app.bench.query_one(Notice).text


@pytest.mark.usefixtures("odd_weights")
async def test_nan_and_infinite_weights_are_shown(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("home")
        assert "kxk nan" in bench.text("#weight-line")
        await bench.press("right")
        assert "kxk +inf" in bench.text("#weight-line")
        assert "NaN or infinite" in bench.text("#remark")
        for key in "ccc-----+++++mzt":
            await bench.press({"-": "minus", "+": "plus"}.get(key, key))


async def test_what_is_not_the_forms_is_dimmed_at_once_and_only_that(
    open_bench: OpenBench, held: HeldStudy
) -> None:
    """The new kernels are there before the runs; the verdict of the old block is not shown as if it held."""
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        held.runs[0].let_go.set()
        await bench.reach(Idle)
        result = bench.app.bench.query_one(ResultView)
        assert (bench.views.has_class("-stale"), result.has_class("-stale")) == (False, False)
        verdict = bench.text("#difference")
        await bench.enter("seed", "1")
        assert (bench.views.has_class("-stale"), result.has_class("-stale")) == (True, True)
        await bench.until(lambda: len(held.runs) == 2)
        held.runs[1].stop_before = "running the branches"
        held.runs[1].let_go.set()
        await bench.until(lambda: bench.app.kernels is not None and bench.app.kernels.spec.seed == 1)
        assert (bench.views.has_class("-stale"), result.has_class("-stale")) == (False, True)
        await bench.until(lambda: "S stops it" in bench.text("#difference"), "what is running")
        assert bench.text("#difference").startswith("running the branches, 3 of 8 …")
        await bench.press("escape", "3")
        assert bench.views.has_class("-stale"), "the outputs are still those of seed 0"
        held.runs[1].go_on.set()
        await bench.reach(Idle)
        assert (bench.views.has_class("-stale"), result.has_class("-stale")) == (False, False)
        assert bench.text("#difference") == verdict


async def test_a_number_of_kernels_whose_study_is_not_there_yet_is_not_edited(
    open_bench: OpenBench, held: HeldStudy
) -> None:
    """The last tap of the 5x5 kernels in sight is none of the study's, which are the old block's."""
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        held.runs[0].let_go.set()
        await bench.reach(Idle)
        await bench.enter("kernel_size", "5")
        await bench.until(lambda: held.has_run(replace(EXACT, kernel_size=(5, 5))))
        held.runs[-1].stop_before = "running the branches"
        held.runs[-1].let_go.set()
        await bench.until(lambda: bench.app.kernels is not bench.app.study, "the new kernels")
        await bench.press("escape", "ctrl+end", "end", "down", "down", "down", "down", "enter")
        assert not bench.app.bench.query_one(NumberEditor).has_class("-editing")
        (note,) = bench.app._notifications
        assert "still being run" in note.message
        held.let_all_go()
        await bench.reach(Idle)
        await bench.press("enter")
        assert bench.app.bench.query_one(NumberEditor).has_class("-editing")


async def test_a_run_can_be_stopped(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.press("S")
        await bench.reach(Stopped)
        held.let_all_go()
        await until(held.runs[0].ended.is_set)
        await bench.picture()
        assert (bench.app.study, held.runs[0].steps) == (None, 1)
        assert "stopped: r runs it" in bench.text("#status")
        await bench.press("r")
        await bench.until(lambda: len(held.runs) == 2)


async def test_an_invalid_form_dims_what_it_no_longer_asks_for(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.enter("groups", "3")
        await bench.reach(Withdrawn)
        assert bench.views.has_class("-stale")
        assert bench.app.bench.query_one(ResultView).has_class("-stale")
        await bench.enter("groups", "1")
        await bench.reach(Idle)
        assert not bench.views.has_class("-stale")
