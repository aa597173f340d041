"""The sweep as it looks, with points that nobody timed: a plot, a heat map, the table, before it is run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import pytest
from rich._palettes import STANDARD_PALETTE
from rich.terminal_theme import TerminalTheme

from tests.analysis.sweep.fake_speed import points_of
from tests.driver import LARGE, MEDIUM, SMALL, Bench, LooksAsStored, OpenBench
from tests.specs import EXACT
from tui.analysis.progress import Doing
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.running.sweep import SweepFunction
from tui.running.sweep_state import SweepStage
from tui.screens.sweep.screen import SweepScreen
from tui.terminal.colour_depth import ColourDepth

pytestmark = pytest.mark.painted  # a plot draws itself when it is painted

SPEED_UPS = [4.75, 3.5, 2.5, 1.75, 0.0, 1.25, 0.875, 1.0] * 8
sizes = pytest.mark.sizes(SMALL, MEDIUM, LARGE)


def injected(plan: Plan) -> Iterator[Doing | Point]:
    yield from points_of(plan, SPEED_UPS)


@pytest.fixture(autouse=True)
def sixteen_colours_of_an_old_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures show the 16 colours as VGA had them; rich's own have a theme with others."""
    colours: list[tuple[int, int, int]] = [STANDARD_PALETTE[number] for number in range(16)]
    theme = TerminalTheme(colours[0], colours[7], colours[:8], colours[8:])
    monkeypatch.setattr("rich.console.SVG_EXPORT_THEME", theme)


async def swept(bench: Bench, *fields: str) -> SweepScreen:
    """Open the sweep, type its fields, run it and wait for its end."""
    await bench.press("v")
    screen = bench.app.screen
    assert isinstance(screen, SweepScreen)
    await type_fields(bench, *fields)
    await bench.press("enter")
    await bench.until(lambda: screen.sweep is not None and screen.sweep.stage is SweepStage.DONE, "swept")
    return screen


async def type_fields(bench: Bench, *fields: str) -> None:
    """Values of the first axis, turns of the second choice, values of the second axis."""
    first, turns, second = (*fields, "", "")[:3]
    await bench.press("ctrl+u", *first)
    if turns:
        await bench.press("tab", *["right"] * int(turns), "tab", "ctrl+u", *second)


def opened(
    open_bench: OpenBench,
    size: tuple[int, int] = MEDIUM,
    sweep: SweepFunction = injected,
    depth: ColourDepth = ColourDepth.FULL,
    encoding: str = "utf-8",
) -> AbstractAsyncContextManager[Bench]:
    return open_bench(EXACT, size, sweep=sweep, depth=depth, encoding=encoding)


@sizes
async def test_plot(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with opened(open_bench) as bench:
        await swept(bench, "2:256:x2,0")
        await bench.press("right", "right", "right")
        await looks_as_stored(bench)


@sizes
async def test_times(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with opened(open_bench) as bench:
        await swept(bench, "2:256:x2")
        await bench.press("2", "end")
        await looks_as_stored(bench)


@sizes
async def test_heat_map(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with opened(open_bench) as bench:
        await swept(bench, "2:64:x2", "2", "1,3,5,0")
        await bench.press("down", "down", "right")
        await looks_as_stored(bench)


@sizes
async def test_table(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with opened(open_bench) as bench:
        await swept(bench, "2:256:x2,0")
        await bench.press("d", "down", "down")
        await looks_as_stored(bench)


few = pytest.mark.parametrize("depth", [ColourDepth.EIGHT_BIT, ColourDepth.STANDARD], ids=["256", "16"])


@few
async def test_times_with_few_colours(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, depth: ColourDepth
) -> None:
    async with opened(open_bench, MEDIUM, depth=depth) as bench:
        await swept(bench, "2:256:x2")
        await bench.press("2", "right")
        await looks_as_stored(bench)


@few
async def test_heat_map_with_few_colours(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, depth: ColourDepth
) -> None:
    async with opened(open_bench, SMALL, depth=depth) as bench:
        await swept(bench, "2:64:x2", "2", "1,3,5,0")
        await looks_as_stored(bench)


async def test_before(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with opened(open_bench, SMALL) as bench:
        await bench.press("v")
        await type_fields(bench, "2:256:y2", "3", "3:9")
        await looks_as_stored(bench)


async def test_on_the_way(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    released = threading.Event()

    def halfway(plan: Plan) -> Iterator[Doing | Point]:
        """Three points, and then work without an end."""
        yield from points_of(plan, SPEED_UPS)[:3]
        yield Doing("in channels 16: running the branches", 4, plan.count)
        released.wait()

    async with opened(open_bench, SMALL, halfway) as bench:
        ticks = iter([0.0])
        bench.app._running_sweep._clock = lambda: next(ticks, 3.0)
        await bench.press("v")
        await type_fields(bench, "2:64:x2")
        await bench.press("enter")
        await bench.until(lambda: bench.app.sweep is not None and "16" in bench.app.sweep.words)
        await looks_as_stored(bench)
        released.set()


@pytest.mark.parametrize("kind", ["plot", "map"])
async def test_without_colours(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(open_bench, SMALL) as bench:
        await swept(bench, "2:64:x2", *(("2", "1,3,5") if kind == "map" else ()))
        await bench.press("2" if kind == "plot" else "right")
        await looks_as_stored(bench)


async def test_light(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    async with opened(open_bench, MEDIUM) as bench:
        await bench.press("t")
        await swept(bench, "2:256:x2")
        await bench.press("2")
        await looks_as_stored(bench)


async def test_in_ascii(open_bench: OpenBench) -> None:
    async with opened(open_bench, SMALL, encoding="ascii") as bench:
        await swept(bench, "2:64:x2")
        await bench.press("2")
        await bench.picture()
        shown = [strip.text for strip in bench.app.screen._compositor.render_strips()]
        assert "".join(shown).isascii()
        assert not [line for line in shown[5:] if "?" in line.replace("? keys", "")]
