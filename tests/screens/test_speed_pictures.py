"""The speed view, in pictures of measurements that nobody made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.driver import LARGE, MEDIUM, SMALL, Bench, LooksAsStored, OpenBench
from tests.screens.test_few_colours_pictures import sixteen_colours_of_an_old_terminal
from tests.screens.test_pictures import Size, name_of
from tests.specs import EXACT
from tests.speed_reports import FINISHED, HALF_DONE, NOISY, NOTHING_YET, HeldMeasure
from tui.analysis.estimate import Estimate
from tui.terminal.colour_depth import ColourDepth
from tui.views.speed.condition_rows import Choices

pytestmark = pytest.mark.painted  # a plot draws itself when it is painted
__all__ = ["sixteen_colours_of_an_old_terminal"]

TOO_LARGE = RuntimeError(
    "timing this block needs about 12.4 GB of memory and 3.1 GB are free: take fewer channels, a smaller "
    "input or a smaller batch"
)


@pytest.fixture(autouse=True)
def the_same_machine_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.views.speed.view.choices_here", lambda: Choices((None, 1, 2), ("cpu", "cuda")))
    monkeypatch.setattr("tui.running.measuring.SHOWN_EVERY", 0.0)


@pytest.fixture
def half_done() -> Iterator[HeldMeasure]:
    measure = HeldMeasure((NOTHING_YET, HALF_DONE), waits=True)
    yield measure
    measure.let_go.set()


async def opened(bench: Bench, words: str) -> None:
    await bench.press("7")
    await bench.until(lambda: words in bench.text("#speed-gain"), words)


@pytest.mark.sizes(SMALL, MEDIUM, LARGE)
async def test_finished(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT, measure=HeldMeasure((FINISHED,))) as bench:
        await opened(bench, "31 rounds")
        await looks_as_stored(bench)


@pytest.mark.parametrize("size", [SMALL, (40, 12)], ids=name_of)
async def test_scrolled_to_the_plot(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, size: Size
) -> None:
    async with open_bench(EXACT, size, measure=HeldMeasure((FINISHED,))) as bench:
        await opened(bench, "31 rounds")
        await bench.press(*["pagedown"] * 3)
        await looks_as_stored(bench)


@pytest.mark.sizes(SMALL, MEDIUM)
async def test_half_done(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, half_done: HeldMeasure
) -> None:
    async with open_bench(EXACT, measure=half_done) as bench:
        await opened(bench, "round 8 of 31")
        await looks_as_stored(bench)


@pytest.mark.sizes(SMALL, MEDIUM)
async def test_noisy_under_other_conditions(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT, measure=HeldMeasure((NOISY,))) as bench:
        await opened(bench, "noisy")
        await bench.press("down", "right")
        await looks_as_stored(bench)


@pytest.mark.sizes(SMALL, MEDIUM)
async def test_refused(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT, measure=HeldMeasure((NOTHING_YET,), raises=TOO_LARGE)) as bench:
        await opened(bench, "12.4 GB")
        await looks_as_stored(bench)


async def test_costly(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.running.measuring.estimate_of", lambda _: Estimate(1, 2.4))
    async with open_bench(EXACT, MEDIUM) as bench:
        await opened(bench, "about 24 s")
        await looks_as_stored(bench)


@pytest.mark.parametrize("colours", ["full", "256", "16"])
async def test_colours(open_bench: OpenBench, looks_as_stored: LooksAsStored, colours: str) -> None:
    depths = {"full": ColourDepth.FULL, "256": ColourDepth.EIGHT_BIT, "16": ColourDepth.STANDARD}
    async with open_bench(EXACT, MEDIUM, measure=HeldMeasure((FINISHED,)), depth=depths[colours]) as bench:
        await opened(bench, "31 rounds")
        for theme in ("dark", "light"):
            await looks_as_stored(bench, theme)
            await bench.press("t")


async def test_without_colours(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_bench(EXACT, MEDIUM, measure=HeldMeasure((FINISHED,))) as bench:
        await opened(bench, "31 rounds")
        await looks_as_stored(bench)


async def test_in_ascii(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with open_bench(EXACT, MEDIUM, measure=HeldMeasure((FINISHED,)), encoding="ascii") as bench:
        await opened(bench, "31 rounds")
        shown = "".join(
            segment.text for strip in bench.app.screen._compositor.render_strips() for segment in strip
        )
        assert shown.isascii()
        await looks_as_stored(bench)
