"""The bench in terminals with 256 and with 16 colours, dark and light, and with few characters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich._palettes import STANDARD_PALETTE
from rich.terminal_theme import TerminalTheme

from tests.driver import MEDIUM, SMALL, LooksAsStored, OpenBench
from tests.specs import DEPTHWISE, EXACT, ROUNDED
from tui.terminal.colour_depth import ColourDepth
from tui.widgets.grid.zoom import Zoom


@pytest.fixture(autouse=True)
def sixteen_colours_of_an_old_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures show the 16 colours as VGA had them; rich's own have a theme with others."""
    colours: list[tuple[int, int, int]] = [STANDARD_PALETTE[number] for number in range(16)]
    theme = TerminalTheme(colours[0], colours[7], colours[:8], colours[8:])
    monkeypatch.setattr("rich.console.SVG_EXPORT_THEME", theme)


DEPTHS = {"256": ColourDepth.EIGHT_BIT, "16": ColourDepth.STANDARD}
few_colours = pytest.mark.parametrize("depth", DEPTHS.values(), ids=DEPTHS)
THEMES = ("dark", "light")


async def test_view(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    for colours, depth in DEPTHS.items():
        async with open_bench(ROUNDED, MEDIUM, depth=depth) as bench:
            for theme in THEMES:
                for view in "13":
                    await bench.press(view)
                    await looks_as_stored(bench, f"{view}-{theme}-{colours}")
                await bench.press("t")


async def test_zoom(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    for colours, depth in DEPTHS.items():
        block = replace(EXACT, in_channels=6, out_channels=6)
        async with open_bench(block, SMALL, depth=depth) as bench:
            for theme in THEMES:
                for zoom in (Zoom.PAIR, Zoom.HALF):
                    bench.kernels.zoom = zoom
                    await looks_as_stored(bench, f"{zoom.name.lower()}-{theme}-{colours}")
                await bench.press("t")


@few_colours
@pytest.mark.painted  # a list of options knows how long it is when it is painted
async def test_presets(open_bench: OpenBench, looks_as_stored: LooksAsStored, depth: ColourDepth) -> None:
    async with open_bench(DEPTHWISE, SMALL, depth=depth) as bench:
        await bench.press("p")
        await looks_as_stored(bench)


@few_colours
async def test_without_colours(
    open_bench: OpenBench, looks_as_stored: LooksAsStored, monkeypatch: pytest.MonkeyPatch, depth: ColourDepth
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_bench(ROUNDED, SMALL, depth=depth) as bench:
        await looks_as_stored(bench)


async def test_in_ascii(open_bench: OpenBench, looks_as_stored: LooksAsStored) -> None:
    block = replace(EXACT, in_channels=6, out_channels=6)
    async with open_bench(block, MEDIUM, encoding="ascii") as bench:
        for zoom in (Zoom.NUMBER_6, Zoom.HALF, Zoom.NORM):
            bench.kernels.zoom = zoom
            await looks_as_stored(bench, zoom.name.lower())
            shown = "".join(
                segment.text for strip in bench.app.screen._compositor.render_strips() for segment in strip
            )
            assert shown.isascii()
