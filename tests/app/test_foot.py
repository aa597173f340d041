"""The line at the foot of the screen: the keys of the place in focus, and the first start's welcome."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.driver import MEDIUM, SMALL, Bench, OpenBench
from tests.settle import settle
from tests.specs import EXACT
from tui.app import RepFuseApp
from tui.running.run_state import Idle
from tui.screens.bench.views import VIEWS
from tui.views.kernels.view import KernelsView
from tui.views.outputs.view import OutputsView
from tui.widgets.foot import Foot


def line(bench: Bench) -> str:
    """The foot as a person reads it."""
    return str(bench.app.bench.query_one(Foot).render())


async def test_the_foot_shows_the_keys_of_the_view(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await bench.press("3")
        told = line(bench)
        assert told.startswith("w worst  [ ] channel  space one tap  c budget  m one grid")
        assert told.endswith("? keys  q quit")
        assert len(told) == 78


@pytest.mark.parametrize("size", [(40, 12), SMALL, MEDIUM])
async def test_every_view_has_its_keys_and_they_fit(open_bench: OpenBench, size: tuple[int, int]) -> None:
    async with open_bench(EXACT, size) as bench:
        foot = bench.app.bench.query_one(Foot)
        for place, view in enumerate(VIEWS):
            kind = view.load()
            await bench.press(str(place + 1))
            await bench.until(lambda kind=kind: isinstance(bench.app.bench.view, kind))  # type: ignore[misc]
            all_of_them = [key.words for key in kind.FOOT_KEYS]
            shown = [key.words for key in foot.here]
            assert shown, view.id
            assert shown == [words for words in all_of_them if words in shown], view.id
            assert len(line(bench)) <= foot.content_size.width, view.id
            assert line(bench).endswith("? keys  q quit"), view.id


async def test_the_form_has_keys_of_its_own_and_a_field_takes_what_is_typed(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("f")
        assert "← → value" in line(bench)
        await bench.press("down")  # the number of input channels, which is typed
        assert "q quit" not in line(bench)
        assert "add a branch" not in line(bench)
        assert "esc to the view" in line(bench)
        await bench.press("escape")
        assert "q quit" in line(bench)


async def test_a_click_on_a_key_presses_it(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("3")
        before = bench.app.bench.view.pixel
        assert before is not None
        told = line(bench)
        padding = 1
        await bench.pilot.click(Foot, offset=(told.index("[ ]") + padding, 0))
        there = (before.channel - 1) % EXACT.out_channels
        await bench.until(lambda: (p := bench.app.bench.view.pixel) and p.channel == there)
        await bench.pilot.click(Foot, offset=(told.index("channel") + padding, 0))
        await bench.until(lambda: bench.app.bench.view.pixel == before)


async def test_all_keys_of_the_foot_are_told_in_the_help(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("question_mark")
        assert "IN KERNELS" in str(bench.app.screen.query(".heading").first().render())
        await bench.press("escape", "4", "question_mark")
        assert "IN OUTPUTS AND PROBE" in str(bench.app.screen.query(".heading").first().render())
        await bench.press("escape", "f", "question_mark")
        assert "IN THE FORM" in str(bench.app.screen.query(".heading").first().render())


async def test_the_first_start_says_where_to_begin_and_the_next_does_not(tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    for start, welcome in enumerate((True, True, False)):
        app = RepFuseApp(EXACT, settings_path=settings)
        async with app.run_test(size=SMALL) as pilot:
            bench = Bench(app, pilot)
            await bench.reach(Idle)
            told = "2 walks through it step by step · 6 breaks it on purpose · ? all keys"
            assert line(bench).startswith(told) == welcome
            assert len(line(bench)) <= 78
            await bench.press("down")
            assert line(bench).startswith(told) == welcome
            if start == 1:
                await bench.press("3")
                assert isinstance(app.bench.view, OutputsView)
                assert line(bench).startswith("w worst")
        assert settings.exists() == (start > 0)
    assert json.loads(settings.read_text(encoding="utf-8")) == {"theme": None}


async def test_a_settings_file_that_cannot_be_written_is_no_fault_of_the_first_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    app = RepFuseApp(EXACT, settings_path=tmp_path / "file" / "settings.json")
    async with app.run_test(size=SMALL) as pilot:
        bench = Bench(app, pilot)
        await bench.reach(Idle)
        await bench.press("question_mark", "escape")
        await settle(pilot)
        assert line(bench).startswith("enter set number")
        assert isinstance(app.bench.view, KernelsView)


async def test_the_focus_starts_on_the_first_branch(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        assert bench.grids[0].has_focus
        await bench.press("tab", "3", "1")
        assert bench.grids[1].has_focus, "where it was before"
        await bench.press("f")
        assert bench.kernels.panel_in_focus is bench.kernels.panels[1]
