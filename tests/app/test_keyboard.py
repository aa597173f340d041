"""Everything is reachable by keyboard; presets, dialogs, the palette, and the way out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from textual.command import CommandPalette
from textual.widget import Widget
from textual.widgets import Checkbox

from tests.driver import SMALL, Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import EXACT
from tui.analysis.progress import Doing
from tui.fusion.grammar.fields import FIELDS
from tui.fusion.presets import PRESETS
from tui.running.run_state import Idle
from tui.screens.dialogs.help import HelpScreen
from tui.screens.dialogs.presets import KEYS


def fields_of(bench: Bench) -> set[str | None]:
    """The ids of all controls of the form, from its table of fields and its toggles."""
    toggles = [box.id for box in bench.form.query(Checkbox) if box.visible]
    assert len(toggles) == 8
    return {"preset", *FIELDS, *toggles} - {"branches"}


async def test_down_walks_through_the_form(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await bench.press("f")
        walked: list[str | None] = []
        while bench.app.focused is not None and bench.form in bench.app.focused.ancestors:
            assert bench.app.focused.id not in walked
            walked.append(bench.app.focused.id)
            await bench.press("down")
        assert set(walked) == fields_of(bench)


async def test_tab_walks_through_form_and_grids_f_goes_to_the_form_and_escape_back(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT) as bench:
        assert bench.app.focused is bench.grids[0]
        await bench.press("f")
        assert bench.app.focused is bench.form.query_one("#preset")
        await bench.press("escape")
        assert bench.app.focused is bench.grids[0]
        walked: list[Widget | None] = []
        while bench.app.focused not in walked:
            walked.append(bench.app.focused)
            await bench.press("tab")
        assert set(bench.grids) < set(walked)
        assert fields_of(bench) < {widget.id for widget in walked if widget is not None}


async def test_a_toggle_of_the_form_changes_the_block(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("f")
        bench.form.query_one("#branch-2-name").focus()
        await bench.press("space")
        await bench.reach(Idle)
        assert bench.app.study is not None
        assert bench.app.study.spec == replace(EXACT, branches=EXACT.branches[:2])
        assert len(bench.grids) == 3


async def test_keys_choose_presets(open_bench: OpenBench, held: HeldStudy) -> None:
    assert len(KEYS) >= len(PRESETS)
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        for key, preset in zip(KEYS, PRESETS.values(), strict=False):
            await bench.press("p", key)
            await bench.until(partial(held.has_run, preset.spec))
            assert bench.form.spec == preset.spec


async def test_enter_chooses_a_preset_and_escape_none(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("p", "escape")
        assert bench.form.spec == EXACT
        await bench.press("p", "down", "down", "up", "up", "enter")
        await bench.until(lambda: bench.form.spec == PRESETS["residual"].spec)
        await bench.reach(Idle)


async def test_the_palette_offers_presets_by_name(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.press("ctrl+p")
        assert isinstance(bench.app.screen, CommandPalette)
        await bench.press(*"pointwise")
        await bench.until(lambda: bench.app.screen.query("OptionList").first().display)
        await bench.press("enter")
        await bench.until(lambda: len(held.runs) == 2)
        assert held.runs[1].subject.spec == PRESETS["pointwise"].spec


async def test_help_opens_and_closes_and_every_command_of_the_palette_has_a_help(
    open_bench: OpenBench,
) -> None:
    async with open_bench(EXACT) as bench:
        for close in ("escape", "question_mark", "q"):
            await bench.press("question_mark")
            assert isinstance(bench.app.screen, HelpScreen)
            await bench.press(close)
            assert bench.app.screen_stack == [bench.app.bench]
        commands = list(bench.app.get_system_commands(bench.app.screen))
        titles = [command.title for command in commands]
        assert len(titles) == len(set(titles))
        assert {f"Preset {name}" for name in PRESETS} < set(titles)
        assert all(command.help for command in commands)


@pytest.mark.parametrize("field", ["dtype", "branch-0-name"])
async def test_q_quits_from_within_the_form_but_for_a_field(open_bench: OpenBench, field: str) -> None:
    async with open_bench(EXACT) as bench:
        await bench.enter("in_channels", "q")
        assert bench.app.is_running
        await bench.enter("in_channels", "2")
        bench.form.query_one(f"#{field}").focus()
        await bench.quit()


async def test_q_quits_during_a_run(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.until(held.runs[0].stands_still.is_set)
        await bench.quit()
        assert not held.runs[0].ended.is_set(), "nothing waited for it"
