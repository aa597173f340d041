"""What is found out about a study that is no longer shown: it never takes the newer one's place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.driver import Bench, OpenBench
from tests.settle import PATIENCE, until
from tests.specs import ROUNDED
from tui.analysis.dtypes.dtype_table import dtype_table
from tui.analysis.study import Study
from tui.running.run_state import Idle
from tui.views.rounding.dtype_rows import DtypeLine


class HeldAnswer:
    """The dtypes of the first study stand still after their first step; those of others are found at once."""

    def __init__(self) -> None:
        self.let_go, self.ended = threading.Event(), threading.Event()
        self.steps = 0
        self.fails = False

    def __call__(self, study: Study) -> Iterator[Any]:
        return dtype_table(study) if study.spec.seed else self._held(study)

    def _held(self, study: Study) -> Iterator[Any]:
        try:
            steps = dtype_table(study)
            yield next(steps)
            assert self.let_go.wait(PATIENCE)
            if self.fails:
                raise RuntimeError("of the old study")
            for step in steps:
                self.steps += 1
                yield step
        finally:
            self.ended.set()


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldAnswer]:
    held = HeldAnswer()
    monkeypatch.setattr("tui.analysis.dtypes.dtype_table.dtype_table", held)
    yield held
    held.let_go.set()


def shown(bench: Bench) -> list[str]:
    """The table of the dtypes, the parts of the difference, and what is said of the work."""
    rows = [str(line.content) for line in bench.app.bench.query(DtypeLine)]
    return [*rows, *(bench.text(name) for name in ("#error-parts", "#ulp-bars", "#working"))]


def is_complete(bench: Bench) -> bool:
    return not any("…" in row for row in shown(bench)[:4])


@pytest.mark.parametrize("fails", [False, True], ids=["an answer", "a failure"])
async def test_the_new_answer_stays(open_bench: OpenBench, answer: HeldAnswer, fails: bool) -> None:
    answer.fails = fails
    async with open_bench(ROUNDED) as bench:
        await bench.press("5")
        assert not is_complete(bench)
        await bench.enter("seed", "1")
        await bench.reach(Idle)
        await bench.until(lambda: is_complete(bench), "the new answer")
        new = shown(bench)
        answer.let_go.set()
        await until(answer.ended.is_set)
        await bench.picture()
        assert shown(bench) == new


async def test_nobody_works_on_an_old_answer(open_bench: OpenBench, answer: HeldAnswer) -> None:
    async with open_bench(ROUNDED) as bench:
        await bench.press("5")
        await bench.enter("seed", "1")
        await bench.reach(Idle)
        answer.let_go.set()
        await until(answer.ended.is_set)
        assert answer.steps == 1, "it was stopped at its next step"
