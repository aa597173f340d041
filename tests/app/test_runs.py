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
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.progress import Progress
from tui.analysis.study import Study, run_study, study_of
from tui.fusion.spec import BlockSpec
from tui.messages import StudyFailed, StudyFinished, StudyProgressed
from tui.run_state import Failed, Idle, Running, Waiting, Withdrawn
from tui.widgets.notice import Notice


async def test_the_block_runs_once_at_the_start(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Running) as bench:
        held.let_all_go()
        await bench.reach(Idle)
        await bench.press("down")
        assert [run.spec for run in held.runs] == [EXACT]


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


async def test_the_last_good_result_stays_meanwhile(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Running) as bench:
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
    async with open_bench(EXACT, study=held, reach=Running) as bench:
        await bench.enter("groups", "3")
        await bench.reach(Withdrawn)
        held.let_all_go()
        await until(held.runs[0].ended.is_set)
        await bench.picture()
        assert held.runs[0].steps == 1
        assert bench.app.study is None


async def test_a_superseded_run_never_overwrites_a_newer_one(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Running) as bench:
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


async def test_news_of_an_older_request_is_dropped(open_bench: OpenBench) -> None:
    """Messages that were on their way when the newer request went out."""
    async with open_bench(EXACT) as bench:
        shown = bench.app.study
        older = study_of(replace(EXACT, seed=1))
        for message in (
            StudyProgressed(0, Progress("running")),
            StudyFailed(0, "broken"),
            StudyFinished(0, older),
        ):
            bench.app.post_message(message)
            await bench.picture()
            assert bench.app.study is shown
            assert bench.app.run_state == Idle()


async def test_a_failure_is_told_in_words_and_the_next_edit_recovers(open_bench: OpenBench) -> None:
    def study_of(spec: BlockSpec, alterations: Alterations) -> Iterator[Progress | Study]:
        if spec.seed == 1:
            raise RuntimeError("[/] is no size [bold]at all[/bold]\nC++ stack")
        return run_study(spec, alterations)

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
    monkeypatch.setattr("tui.app.memory_of_this_machine", lambda: None)


@pytest.mark.usefixtures("ample_memory")
async def test_a_costly_run_waits_for_r(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(COSTLY, study=held, reach=Waiting) as bench:
        assert held.runs == []
        assert "Press r to run it" in bench.app.bench.query_one(Notice).text
        await bench.press("r")
        await bench.reach(Running)
        assert [run.spec for run in held.runs] == [COSTLY]
        await bench.enter("seed", "7")
        await bench.reach(Waiting)
        assert len(held.runs) == 1, "the word was given for the other spec"


async def test_a_run_too_large_for_the_machine_is_refused(
    open_bench: OpenBench, held: HeldStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.memory_of_this_machine", lambda: 10**9)
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
