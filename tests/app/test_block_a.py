"""A block is kept as A, and what comes next stands beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.driver import SMALL, Bench, OpenBench
from tests.held_study import HeldStudy
from tests.specs import COSTLY, EXACT
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.progress import Doing
from tui.analysis.study import study_of
from tui.analysis.subject import Subject
from tui.export.study_json import study_json_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec
from tui.importing.saved_study import load_study
from tui.running.run_state import Idle, Waiting

NO_IDENTITY = replace(EXACT, branches=parse_branches("kxk,1x1"))
"""Parameters as EXACT's, and a fused kernel that is 1 away from its at the centre."""
EDITED = Subject(EXACT, Alterations((Edit("kxk.weight", (1, 0, 2, 1), 7.5),)))


def line(bench: Bench) -> str:
    return bench.text("#beside-a").replace("\N{NO-BREAK SPACE}", " ")


async def show(bench: Bench, subject: Subject) -> None:
    bench.app.bench.show_subject(subject)
    await bench.until(lambda: bench.app.study is not None and bench.app.study.subject == subject)
    await bench.until(lambda: getattr(bench.app.beside, "subject", None) == subject)


async def test_what_comes_next_stands_beside_a(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        assert not bench.app.bench.query_one("#beside-a").display
        await bench.press("A")
        await bench.until(lambda: "this block is A" in line(bench))
        assert line(bench).startswith("A  residual: exact   parameters 44 → 38   MACs 3 240 → 2 916\n")
        await show(bench, Subject(NO_IDENTITY))
        assert line(bench).splitlines()[1] == (
            "this − A   parameters 0 → 0   MACs 0 → 0   fused kernels 1 apart at out 0 in 0 tap (1,1)"
        )
        await show(bench, EDITED)
        assert bench.app.study is not None
        original = float(study_of(EXACT).fused_kernel.kernel.weight[1, 0, 2, 1])
        edited = float(bench.app.study.fused_kernel.kernel.weight[1, 0, 2, 1])
        assert line(bench).endswith(
            f"fused kernels {abs(edited - original):.2g} apart at out 1 in 0 tap (2,1)"
        )
        await show(bench, Subject(EXACT, Alterations((Edit("1x1.bias", (1,), 90.0),))))
        assert line(bench).endswith("apart in the bias")
        await show(bench, Subject(replace(EXACT, kernel_size=(5, 5))))
        assert line(bench).splitlines()[1] == (
            "this − A   parameters +64 → +64   MACs +5 184 → +5 184   kernels of other shapes"
        )
        await show(bench, Subject(replace(EXACT, dilation=(2, 2), branches=parse_branches("kxk"))))
        assert line(bench).endswith("fused kernels of other groups or dilation")
        await bench.press("A")
        assert not bench.app.bench.query_one("#beside-a").display
        assert bench.app.beside is None


async def test_an_equal_kernel_and_a_small_screen(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await bench.press("A")
        await show(bench, Subject(replace(EXACT, input_shape=(5, 5))))
        assert line(bench) == "A  residual: exact   parameters 44 → 38   MACs 3 240 → 2 916   kernels equal"
        assert bench.app.bench.query_one("#beside-a").size.height == 1


async def test_before_a_result_there_is_nothing_to_keep(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(EXACT, study=held, reach=Doing) as bench:
        await bench.press("A")
        assert [note.message for note in bench.app._notifications] == [
            "There is no result of this block yet."
        ]
        assert bench.app.beside is None


async def test_a_is_saved_and_comes_back(open_bench: OpenBench, tmp_path: Path) -> None:
    file = tmp_path / "both.json"
    async with open_bench(EXACT) as bench:
        await bench.press("A")
        await show(bench, EDITED)
        expected = line(bench)
        await bench.press("x", "5", "f")
        bench.app.screen.query_one(Input).value = str(file)
        await bench.press("enter")
        await bench.until(file.exists)
    saved = load_study(str(file))
    assert (saved.subject, saved.compared) == (EDITED, Subject(EXACT))
    async with open_bench(NO_IDENTITY) as bench:
        bench.app.bench._show_saved(saved)
        await bench.until(lambda: "this − A" in line(bench), "A, which was run after the block")
        await bench.until(lambda: line(bench) == expected)


async def test_the_program_may_start_with_a(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, compared=EDITED) as bench:
        await bench.until(lambda: "this − A" in line(bench))
        assert line(bench).startswith("A  residual, altered: exact")
        await bench.press("A")
        assert bench.app.beside is None


async def test_an_a_that_cannot_be_run_is_told(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.running.studying.memory_of_this_machine", lambda: 10**9)
    async with open_bench(EXACT, compared=Subject(COSTLY)) as bench:
        await bench.until(lambda: "more memory than this machine has" in line(bench))
        await bench.press("A")
        assert bench.app.beside is None


async def test_a_waits_for_a_costly_block(open_bench: OpenBench, held: HeldStudy) -> None:
    async with open_bench(COSTLY, compared=Subject(EXACT), study=held, reach=Waiting) as bench:
        await bench.until(lambda: line(bench) == "A  waits for the result …")
        bench.app.bench.show_spec(NO_IDENTITY)
        await bench.until(lambda: len(held.runs) == 1)
        held.runs[0].let_go.set()
        await bench.reach(Idle)
        await bench.until(lambda: len(held.runs) == 2)
        assert held.runs[1].subject.spec == EXACT
        assert "holding still" in line(bench)
        await bench.press("A")
        held.let_all_go()
        await bench.until(held.runs[1].ended.is_set)
        assert bench.app.beside is None


def test_both_in_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(study_json_of(study_of(BlockSpec()), EDITED))
    assert load_study(str(tmp_path / "a.json")).compared == EDITED
