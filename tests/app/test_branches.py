"""The list of branches in the form: add, edit, remove, reorder, undo."""

from __future__ import annotations

import pytest
from textual.widgets import Input, OptionList, Static
from torch import nn

from tests.driver import Bench, OpenBench
from tests.settle import settle
from tests.specs import EXACT, exact_preset
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.fusion.grammar.branch_text import show_branches
from tui.fusion.presets import PRESETS
from tui.fusion.tap import Tap
from tui.running.run_state import Idle, Withdrawn
from tui.screens.dialogs.branch import BranchScreen
from tui.screens.dialogs.presets import PresetScreen
from tui.views.shared.study_view import StudyView
from tui.widgets.form.branch_list import BranchList
from tui.widgets.form.value_input import ValueInput
from tui.widgets.key_line import KeyLine


async def stand_on(bench: Bench, position: int) -> None:
    """Put the focus on the row of that position."""
    await bench.press("f")
    bench.form.query_one(f"#branch-{position}-name").focus()


def branches(bench: Bench) -> str:
    return show_branches(bench.form.spec.branches)


def titles(bench: Bench) -> list[str]:
    return [str(panel.border_title) for panel in bench.kernels.panels]


async def test_add_a_branch(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await stand_on(bench, 0)
        await bench.press("a", *"5x5+norm", "enter")
        await bench.reach(Idle)
        assert branches(bench) == "kxk,1x1,identity,5x5+norm"
        assert titles(bench)[-2:] == ["+ 5×5 conv", "= fused 5×5 conv"]
        assert bench.app.study is not None
        assert bench.app.study.verdict.ruling.agrees


async def test_the_eps_of_all_norms_is_a_field(open_bench: OpenBench) -> None:
    async with open_bench(PRESETS["repvgg"].spec.with_in_channels(4)) as bench:
        await bench.press("f")
        field = bench.form.query_one("#eps", ValueInput)
        assert field.value == "1e-5"
        field.focus()
        await bench.press("ctrl+u", *"small")
        assert "eps must be a number such as 1e-3" in str(
            bench.form.query_one("#complaint-eps", Static).content
        )
        await bench.press("ctrl+u", *"0.001", "enter")
        await bench.reach(Idle)
        assert bench.app.study is not None
        norms = [each for each in bench.app.study.block.modules() if isinstance(each, nn.BatchNorm2d)]
        assert [norm.eps for norm in norms] == [1e-3] * 3
        await bench.press("escape", "u")
        assert field.value == "1e-5"


async def test_add_a_branch_from_the_grids(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("a", *"avg", "enter")
        await bench.reach(Idle)
        assert branches(bench) == "kxk,1x1,identity,avg"


async def test_a_branch_that_is_none_is_told_and_not_taken(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await stand_on(bench, 0)
        await bench.press("a", *"5x5+nrom", "enter")
        assert isinstance(bench.app.screen, BranchScreen)
        assert "'+nrom'" in str(bench.app.screen.query_one("#branch-words", Static).content)
        await bench.press("escape")
        assert branches(bench) == "kxk,1x1,identity"


def written(bench: Bench) -> str:
    return bench.app.screen.query_one(Input).value


def marks(bench: Bench, ticks: str) -> str:
    """The marks of a list of the dialog, from top to bottom."""
    options = bench.app.screen.query_one(f"#branch-{ticks}", OptionList).options
    return "".join(str(option.prompt)[0] for option in options)


async def test_what_is_typed_is_ticked(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("a")
        assert (marks(bench, "kinds"), marks(bench, "options")) == ("○○○○○○○○○–", "□□□□□––––□")
        await bench.press(*"1x1-kxk+norm+inner-bias+gamma+x2")
        assert (marks(bench, "kinds"), marks(bench, "options")) == ("○○○○○○○●○–", "■■□■□■□■□□")
        await bench.press("ctrl+u", *"3x3d2+g")
        assert (marks(bench, "kinds"), marks(bench, "options")) == ("○○○○○●○○○–", "□□□□□––––□"), "3x3d2"
        await bench.press("ctrl+u", *"5x5+p1x2")
        assert marks(bench, "options") == "□□□□□––––■"
        await bench.press("ctrl+u", *"identity")
        assert (marks(bench, "kinds"), marks(bench, "options")) == ("○○●○○○○○○–", "□–□□–––––□")


async def test_what_is_ticked_is_written(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("a", "tab", "end", "up", "up", "space")
        assert written(bench) == "1x1-kxk"
        await bench.press("tab", "space", "down", "space", "end", "space")
        assert written(bench) == "1x1-kxk+norm-bias+p0"
        await bench.press("space", "up", "up", "space")
        assert written(bench) == "1x1-kxk+norm-bias+x2"
        await bench.press("space", "up", "up", "up", "up", "space", "up", "space")
        assert written(bench) == "1x1-kxk+norm-bias+alpha"
        await bench.press("shift+tab", "home", "down", "down", "space")
        assert written(bench) == "identity+norm+alpha"
        await bench.press("up", "space")
        assert written(bench) == "1x1+norm+alpha", "its bias comes back: the identity had none to switch off"
        await bench.press("enter")
        await bench.reach(Idle)
        assert branches(bench) == "kxk,1x1,identity,1x1+norm+alpha"


async def test_an_option_that_the_kind_cannot_have_says_so(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("a", *"avg", "tab", "tab", "down", "space")
        assert written(bench) == "avg"
        assert str(bench.app.screen.query_one("#branch-words", Static).content).endswith("no use for it.")


async def test_relu_is_not_linear(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.press("a", *"kxk+relu", "enter")
        assert "'relu' is not linear" in str(bench.app.screen.query_one("#branch-words", Static).content)
        await bench.press("tab", "end", "space")
        assert written(bench) == "kxk+relu"
        assert "relu is not linear" in str(bench.app.screen.query_one("#branch-words", Static).content)
        await bench.press("enter", "escape")
        assert branches(bench) == "kxk,1x1,identity"


async def test_edit_a_branch(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await stand_on(bench, 1)
        await bench.press("e")
        assert bench.app.screen.query_one(Input).value == "1x1"
        await bench.press("ctrl+u", *"1xk+gamma", "enter")
        await bench.reach(Idle)
        assert branches(bench) == "kxk,1xk+gamma,identity"


async def test_remove_branches_to_the_last(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await stand_on(bench, 1)
        await bench.press("d")
        await bench.reach(Idle)
        assert branches(bench) == "kxk,identity"
        await bench.press("d", "d")
        await bench.reach(Withdrawn)
        assert "at least one branch" in bench.text("#complaint-branches")


async def test_reorder_branches(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await stand_on(bench, 0)
        await bench.press("shift+down")
        await bench.reach(Idle)
        assert branches(bench) == "1x1,kxk,identity"
        assert titles(bench)[:2] == ["1×1 conv, as 3×3", "+ k×k conv"]
        await bench.press("shift+up", "shift+up")
        await bench.reach(Idle)
        assert branches(bench) == "kxk,1x1,identity"


async def test_undo_and_redo(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await stand_on(bench, 2)
        await bench.press("d")
        await bench.reach(Idle)
        await bench.enter("seed", "17")
        await bench.reach(Idle)
        await bench.press("escape", "u")
        await bench.reach(Idle)
        assert (bench.form.spec.seed, branches(bench)) == (0, "kxk,1x1")
        await bench.press("u")
        await bench.reach(Idle)
        assert bench.form.spec == EXACT
        assert len(bench.form.query_one(BranchList).rows) == 3
        await bench.press("U", "U", "U")
        await bench.reach(Idle)
        assert (bench.form.spec.seed, branches(bench)) == (17, "kxk,1x1")


async def test_undo_leaves_what_is_not_valid(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.enter("seed", "3")
        await bench.reach(Idle)
        await bench.enter("groups", "7")
        await bench.reach(Withdrawn)
        await bench.press("escape", "u")
        await bench.reach(Idle)
        assert (bench.form.spec.seed, bench.form.query_one("#groups", ValueInput).value) == (3, "1")
        assert not bench.text("#complaint-groups")


async def test_the_preset_of_the_last_valid_block_fills_the_form_again(open_bench: OpenBench) -> None:
    async with open_bench(PRESETS["residual"].spec) as bench:
        await bench.enter("groups", "7")
        await bench.reach(Withdrawn)
        bench.app.bench.show_spec(PRESETS["residual"].spec)
        await bench.reach(Idle)
        assert bench.form.query_one("#groups", ValueInput).value == "1"


async def test_channels_follow(open_bench: OpenBench) -> None:
    async with open_bench(exact_preset("repvgg-depthwise")) as bench:
        await bench.enter("in_channels", "12")
        await bench.reach(Idle)
        spec = bench.form.spec
        assert (spec.in_channels, spec.out_channels, spec.groups) == (12, 12, 12)


async def test_the_inspector_adds_up_many_branches(open_bench: OpenBench) -> None:
    async with open_bench(exact_preset("mobileone")) as bench:
        bench.kernels.cursor = Tap(3, 0, 1, 1)
        await settle(bench.pilot)
        _, _, line = bench.text("#weight-line").partition(": ")
        left, _, right = line.partition(" = fused ")
        summands = [float(part.split()[-1]) for part in left.split(" + ")]
        assert len(summands) == 6
        assert sum(summands) == pytest.approx(float(right), abs=1e-4 * 6)


async def test_the_keys_of_the_list_can_be_clicked(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        line = bench.form.query_one(KeyLine)
        await bench.pilot.click(line, offset=(1, 0))
        assert isinstance(bench.app.screen, BranchScreen)
        await bench.press("escape")
        bench.form.query_one("#branch-1-name").focus()
        await bench.pilot.click(line, offset=(len(str(line.content)) - 1, 0))
        await bench.reach(Idle)
        assert [branch.title for branch in bench.form.spec.branches] == ["kxk", "identity"]
        before = bench.form.spec
        await bench.pilot.click(line, offset=(5, 0))
        await bench.picture()
        assert bench.form.spec == before
        assert len(bench.app.screen_stack) == 1, "between two of them is nothing"


async def test_a_click_on_the_presets_name_opens_the_list_and_runs_nothing(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        study = bench.app.study
        await bench.pilot.click("#preset")
        await bench.until(lambda: isinstance(bench.app.screen, PresetScreen))
        await bench.press("escape")
        assert (bench.app.study, bench.form.spec) == (study, EXACT)


async def test_an_invalid_form_keeps_its_warning(open_bench: OpenBench) -> None:
    by_hand = Alterations((Edit("kxk.weight", (0, 0, 1, 1), 5.0),))
    async with open_bench(EXACT, alterations=by_hand) as bench:
        first = bench.app.bench.subject
        for then in ("run", "edit", "mistake", "delete"):
            await bench.enter("kernel_size", "0")
            await bench.reach(Withdrawn)
            await bench.press("escape")
            bench.kernels.panels[0].grid.focus()
            if then == "run":
                await bench.press("r")
            elif then == "edit":
                await bench.press("enter", "ctrl+u", "7", "enter")
            elif then == "delete":
                await bench.press("delete")
            else:
                bench.app.bench.view.post_message(StudyView.MistakeChosen("identity-twice"))
            await bench.until(
                lambda: isinstance(bench.app.run_state, Idle), "the run of the last valid block"
            )
            assert bench.text("#status") == "not valid: see the form (f)", then
            assert bench.views.has_class("-stale"), then
            await bench.press("u")
            await bench.reach(Idle)
            assert bench.text("#status") != "not valid: see the form (f)", then
            if bench.app.bench.subject != first:
                await bench.press("u")
            await bench.reach(Idle)
            assert bench.app.bench.subject == first, then
