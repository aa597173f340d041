"""An equation on the screen: what it says, its cursor, its keys and its clicks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import torch
from textual import on
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.pilot import Pilot

from tests.driver import press
from tests.settle import settle
from tui.fusion.tap import Tap
from tui.widgets.equation.cell import CELLS
from tui.widgets.equation.equation import Equation
from tui.widgets.equation.term import Named, Term
from tui.widgets.grid.weight_source import WeightSource

FOUR_WIDE = next(cell for cell in CELLS if cell.columns == 4)

ONE = torch.arange(36.0, dtype=torch.float64).view(2, 2, 3, 3)
POINT = torch.tensor([5.0, 6.0, 7.0, 8.0], dtype=torch.float64).view(2, 2, 1, 1)


def term(
    weight: torch.Tensor, title: str, sign: str = "", origin: Callable[[Tap], Tap] = lambda tap: tap
) -> Term:
    return Term(WeightSource.of(weight), title, sign, origin)


SUM = (
    term(ONE, "one"),
    term(POINT, "point", "+", lambda tap: tap._replace(ky=tap.ky - 1, kx=tap.kx - 1)),
    term(ONE, "sum", "="),
)


class EquationApp(App[None]):
    """One equation that follows its own messages."""

    def __init__(self, terms: tuple[Term, ...], named: Named = Named.KERNELS) -> None:
        super().__init__()
        self.terms, self.named = terms, named

    def compose(self) -> ComposeResult:
        yield Equation()

    def on_mount(self) -> None:
        equation = self.query_one(Equation)
        equation.show(self.terms, self.named, 1.0, Tap(0, 0, 1, 1))
        equation.focus()

    @on(Equation.CursorMoved)
    def _move(self, event: Equation.CursorMoved) -> None:
        event.equation.cursor = event.tap


@asynccontextmanager
async def opened(
    terms: tuple[Term, ...] = SUM, size: tuple[int, int] = (70, 18), named: Named = Named.KERNELS
) -> AsyncIterator[tuple[Pilot[None], Equation]]:
    app = EquationApp(terms, named)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield pilot, app.query_one(Equation)


def lines(equation: Equation) -> list[str]:
    return [line.text.rstrip() for line in equation.render_lines(equation.size.region)]


async def test_it_reads_as_an_equation() -> None:
    async with opened() as (_, equation):
        equation.cell = FOUR_WIDE
        written = lines(equation)
        assert [line.split() for line in written[:5]] == [
            ["one", "point", "sum"],
            ["0", "+1.0+2.0", "0", "+1.0+2.0"],
            ["+3.0+4.0+5.0", "+", "+5.0", "=", "+3.0+4.0+5.0", "out", "0,", "in", "0"],
            ["+6.0+7.0+8.0", "+6.0+7.0+8.0"],
            [],
        ]
        assert sum("out 1, in 1" in line for line in written) == 1


async def test_a_term_without_a_kernel_there_has_a_dash() -> None:
    none = term(ONE, "none", "+", lambda tap: tap._replace(in_=-1 if tap.in_ else 0))
    async with opened((SUM[0], none, SUM[2])) as (_, equation):
        equation.cell = FOUR_WIDE
        dashes = [line for line in lines(equation) if "–" in line]
        assert len(dashes) == 2
        assert all("in 1" in line for line in dashes)


async def test_arrows_walk_through_the_rows_and_stop_at_the_ends() -> None:
    async with opened() as (pilot, equation):
        await press(pilot, "right", "right", "down", "down")
        assert equation.cursor == Tap(0, 1, 0, 2)
        await press(pilot, "up", "left", "pagedown")
        assert equation.cursor == Tap(1, 0, 2, 1)
        await press(pilot, "end", "down", "right")
        assert equation.cursor == Tap(1, 1, 2, 2)
        await press(pilot, "home", "up", "left", "pageup")
        assert equation.cursor == Tap(0, 0, 0, 0)


async def test_arrows_go_from_kernel_to_kernel_where_they_stand_side_by_side() -> None:
    async with opened(SUM[:1]) as (pilot, equation):
        assert equation.layout_in_effect is not None
        assert equation.layout_in_effect.across == 2
        await press(pilot, "right", "right")
        assert equation.cursor == Tap(0, 1, 1, 0)
        await press(pilot, "down", "down")
        assert equation.cursor == Tap(1, 1, 0, 0)


@pytest.mark.parametrize("height", [12, 13, 14])
async def test_it_scrolls_by_whole_rows_to_the_cursor(height: int) -> None:
    many = torch.arange(8 * 8 * 9.0).view(8, 8, 3, 3)
    terms = (term(many, "one"), term(many, "same", "="))
    async with opened(terms, (70, height)) as (pilot, equation):
        layout = equation.layout_in_effect
        assert layout is not None
        for keys, last in ((["pagedown"], 8), (["end"], 63), (["home"], 0)):
            await press(pilot, *keys)
            assert equation.scroll_offset.y % layout.pitch == 0
            name = f"out {last // 8}, in {last % 8}"
            assert any(line.endswith(name) for line in lines(equation))


async def test_a_scroll_bar_that_was_hidden_stands_where_the_rows_do() -> None:
    many = torch.arange(8 * 9.0).view(8, 1, 3, 3)
    async with opened((term(many, "one"), term(many, "same", "=")), (70, 12)) as (pilot, equation):
        await press(pilot, "end")
        assert equation.vertical_scrollbar.position > 0
        for terms in (SUM[:1], (term(many, "one"), term(many, "same", "="))):
            equation.show(terms, Named.KERNELS, 1.0, Tap(0, 0, 0, 0))
            await settle(pilot)
        assert equation.show_vertical_scrollbar
        assert equation.vertical_scrollbar.position == equation.scroll_offset.y == 0


async def test_a_click_puts_the_cursor_on_a_tap() -> None:
    async with opened() as (pilot, equation):
        layout = equation.layout_in_effect
        assert layout is not None
        across, down = layout.cell.columns, layout.header + layout.pitch + 2
        await pilot.click(Equation, offset=(layout.lefts[2] + 2 * across + 1, down))
        await settle(pilot)
        assert equation.cursor == Tap(0, 1, 2, 2)
        await pilot.click(Equation, offset=(layout.lefts[0] + 1, down))
        await settle(pilot)
        assert equation.cursor == Tap(0, 1, 2, 0), "a term of the same size"
        await pilot.click(Equation, offset=(layout.lefts[1] + 1, down - 1))
        await pilot.click(Equation, offset=(1, 0))
        await settle(pilot)
        assert equation.cursor == Tap(0, 1, 2, 0), "one of another size, the header"


async def test_what_is_pending_is_blank_in_the_last_term_only() -> None:
    async with opened() as (pilot, equation):
        equation.cell = FOUR_WIDE
        equation.pending = lambda tap: (tap.ky, tap.kx) > (0, 1)
        await settle(pilot)
        written = lines(equation)
        assert written[1].split() == ["0", "+1.0+2.0", "0", "+1.0"]
        assert written[3].split() == ["+6.0+7.0+8.0"]


async def test_a_part_of_a_kernel_says_which() -> None:
    large = torch.zeros(1, 1, 31, 31)
    terms = (term(large, "a"), term(large, "b", "+"), term(large, "c", "="))
    async with opened(terms, (60, 12)) as (pilot, equation):
        equation.cursor = Tap(0, 0, 30, 0)
        await settle(pilot)
        layout = equation.layout_in_effect
        assert layout is not None
        rows, columns = layout.taps[-1]
        first = 31 - rows + (31 - rows) % 2  # two rows of taps stand in one of the screen
        assert f"rows {first}–30, columns 0–{columns - 1} of 31×31" in lines(equation)[1]


@pytest.mark.parametrize("room", [Size(70, 18), Size(40, 9), Size(30, 5)])
async def test_claiming_takes_no_more_than_there_is(room: Size) -> None:
    async with opened() as (_, equation):
        rows = equation.claim(room, air=1)
        assert 0 < rows <= room.height
