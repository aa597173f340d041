"""The rounding view in the program: its keys, its mouse, and what it shows before and without an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.driver import SMALL, Bench, OpenBench
from tests.settle import PATIENCE
from tests.specs import EXACT, ROUNDED
from tui.analysis.inquiry import Question
from tui.analysis.progress import Doing
from tui.analysis.study import Study
from tui.fusion.specs.block_spec import Dtype
from tui.views.rounding.dtype_rows import DtypeLine
from tui.views.rounding.view import RoundingView


def view_of(bench: Bench) -> RoundingView:
    return bench.app.bench.query_one(RoundingView)


def apart(bench: Bench) -> str:
    """The heading over the parts."""
    return bench.text("#error-parts").split("  ")[0].split("\n")[0]


async def shows(bench: Bench, dtype: str) -> None:
    await bench.until(lambda: apart(bench) == f"Sources in {dtype}", dtype)


async def test_the_dtypes_are_gone_through_and_the_form_leads_back(open_bench: OpenBench) -> None:
    async with open_bench(EXACT, SMALL) as bench:
        await bench.press("5")
        await shows(bench, "float32")
        await bench.press("down")
        await shows(bench, "float16")
        assert "In float16 alone" in bench.text("#dtype-remark")
        await bench.press("j", "j", "j")
        await shows(bench, "bfloat16")
        await bench.press("k", "up", "up", "up")
        await shows(bench, "float64")
        assert "-unremarked" in view_of(bench).classes
        await bench.pilot.click(list(view_of(bench).query(DtypeLine))[3])
        await shows(bench, "bfloat16")
        view_of(bench).scroll_home(animate=False)
        await bench.press("pagedown")
        await bench.until(lambda: view_of(bench).scroll_y > 0)
        bench.app.bench.show_spec(replace(EXACT, dtype=Dtype.FLOAT16))
        await shows(bench, "float16")
        assert view_of(bench).chosen is None


async def test_before_the_answer_the_own_row_stands_and_the_work_is_named(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def answer(question: Question, study: Study) -> Iterator[Doing]:
        yield Doing("holding [still]")
        let_go.wait(PATIENCE)
        raise RuntimeError("[/] no memory [bold]left")

    monkeypatch.setattr("tui.running.studying.deferred_answer", answer)
    async with open_bench(ROUNDED) as bench:
        await bench.press("5")
        await bench.until(lambda: bench.text("#working") == "holding [still] …")
        lines = [str(line.content) for line in bench.app.bench.query(DtypeLine)]
        assert ["…" in line for line in lines] == [True, False, True, True]
        let_go.set()
        await bench.until(lambda: "[/] no memory [bold]left" in bench.text("#working"))
