"""A block from elsewhere on the bench, as it looks."""

from __future__ import annotations

import pytest

from tests.driver import MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.given_block import GivenBlock
from tests.specs import EXACT
from tui.analysis.progress import Doing
from tui.analysis.subject import Subject

both_sizes = pytest.mark.parametrize("size", [SMALL, MEDIUM], ids=lambda size: f"{size[0]}x{size[1]}")


@both_sizes
@pytest.mark.parametrize("key", ["f", "2", "6"], ids=["form", "steps", "mistakes"])
async def test_given(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, size: tuple[int, int], key: str
) -> None:
    given = GivenBlock()
    async with open_bench(EXACT, size) as bench:
        bench.app.bench.show_subject(Subject(given.spec, origin=given))
        await bench.until(lambda: bench.app.study is not None and bench.app.study.origin is given)
        await bench.press(key)
        question = bench.app.bench.view.QUESTION
        if question is not None:
            await bench.until(lambda: not isinstance(bench.app.answers.to(question), Doing | None), question)
        await looks_as_stored(bench)
