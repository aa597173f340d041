"""Whatever keys, clicks and sizes come, in whatever order: the program goes on, and what it shows is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import Bench, OpenBench
from tests.random_input import RandomInput, leave_dialogs
from tests.specs import EXACT
from tui.running.run_state import Idle, Waiting, Withdrawn
from tui.widgets.form.parameter_form import ParameterForm

pytestmark = pytest.mark.painted
ACTS = 60


async def rest(bench: Bench) -> None:
    """Outside of dialogs and fields, with nothing running."""
    await leave_dialogs(bench)
    bench.app.bench.action_run()
    quiet = (Idle, Waiting, Withdrawn)
    await bench.until(lambda: isinstance(bench.app.run_state, quiet) and bench.app.keys.idle, "quiet")


@pytest.mark.parametrize("seed", range(3))
async def test_random_input(
    open_bench: OpenBench, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # it saves files too
    async with open_bench(EXACT) as bench:
        first = bench.app.bench.subject
        chance = RandomInput(bench, seed)
        await chance.act(ACTS)
        await rest(bench)
        screen = bench.app.bench
        if screen.wanted.is_valid and isinstance(bench.app.run_state, Idle):
            assert bench.app.study is not None
            assert bench.app.study.subject == screen.subject, chance.acts
            assert bench.app.study.spec == bench.app.bench.query_one(ParameterForm).spec
        screen.action_undo()  # an invalid form first goes back to the last valid block
        last = screen.wanted.history._subjects[-1]
        for _ in range(len(screen.wanted.history._subjects)):
            screen.action_undo()
        assert screen.wanted.history.now == screen.wanted.history._subjects[0]
        assert len(screen.wanted.history._subjects) >= 200 or screen.wanted.history.now == first
        for _ in range(len(screen.wanted.history._subjects)):
            screen.action_redo()
        assert screen.wanted.history.now == last
        await rest(bench)
