"""The start block as a learner takes it, key by key: what is to be seen and read at each."""

from __future__ import annotations

from functools import partial

from tests.driver import Bench, LooksAsStored, OpenBench
from tests.first_minute import MINUTE
from tests.specs import EXACT


def words_on(bench: Bench) -> str:
    """All that is written on the screen beside the form, in one line."""
    strips = bench.app.screen._compositor.render_strips()
    lines = ("".join(segment.text for segment in strip)[27:] for strip in strips)
    written = " ".join(line.rpartition("│")[2] for line in lines)
    return " ".join(written.split())


def reads(bench: Bench, wanted: tuple[str, ...]) -> bool:
    written = words_on(bench)
    return all(words in written for words in wanted)


async def test_the_walk(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT) as bench:
        for moment in MINUTE:
            await bench.press(*moment.keys)
            await bench.until(partial(reads, bench, moment.read), str(moment))
            await looks_as_stored(bench)
