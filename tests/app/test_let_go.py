"""What is no longer on the screen is let go: the program's memory does not grow with what a person does."""

from __future__ import annotations

import gc
import weakref

from textual.widgets._footer import FooterKey

from tests.driver import OpenBench
from tests.specs import EXACT


async def test_keys_that_are_no_longer_in_the_footer(open_bench: OpenBench) -> None:
    async with open_bench(EXACT) as bench:
        await bench.enter("seed", "0")  # what is there at the start is frozen, for the collector's sake
        await bench.press("escape")
        shown = weakref.WeakSet(bench.app.bench.query(FooterKey))
        assert shown
        for _ in range(2):
            await bench.enter("seed", "0")
            assert not shown & set(bench.app.bench.query(FooterKey)), "a field has keys of its own"
            await bench.press("escape")
        gc.collect()
        assert not shown
