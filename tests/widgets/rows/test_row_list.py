"""Rows under a cursor, without the program around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tests.driver import press
from tests.settle import settle
from tui.widgets.rows.row import Row, cut
from tui.widgets.rows.row_list import POINTER, RowList

MANY = 50_000


class ListApp(App[None]):
    def compose(self) -> ComposeResult:
        yield RowList()


@asynccontextmanager
async def opened(count: int, asked: list[int]) -> AsyncIterator[tuple[RowList, Pilot[None]]]:
    def row_at(place: int) -> Row:
        asked.append(place)
        return Row(f"layer.{place}.weight", "3 × 3", "36 B")

    app = ListApp()
    async with app.run_test(size=(40, 10)) as pilot:
        rows = app.query_one(RowList)
        rows.show(row_at, count, longest=20)
        rows.focus()
        await settle(pilot)
        yield rows, pilot


def line(rows: RowList, y: int) -> str:
    return rows.render_line(y).text


async def test_only_rows_in_sight_are_made() -> None:
    asked: list[int] = []
    async with opened(MANY, asked) as (rows, pilot):
        await press(pilot, "end")
        assert rows.cursor == MANY - 1
        assert f"layer.{MANY - 1}." in line(rows, 9)
        assert line(rows, 9).startswith(POINTER)
        await press(pilot, "pageup", "up", "k")
        assert rows.cursor == MANY - 12
    assert len(set(asked)) < 40


async def test_the_cursor_stays_among_the_rows() -> None:
    async with opened(2, []) as (rows, pilot):
        await press(pilot, "down", "down", "pagedown")
        assert rows.cursor == 1
        await press(pilot, "home", "up")
        assert rows.cursor == 0
        rows.show(lambda _: Row("x"), 0, longest=1)
        await press(pilot, "down", "enter")
        assert line(rows, 0).strip() == ""


async def test_zones_stand_under_each_other_whatever_is_in_them() -> None:
    wide = "名前" * 30
    given = [Row("a", "middle", "1 B"), Row(wide, "middle", "100 kB"), Row("b", wide, "", sign="◆", indent=6)]
    async with opened(0, []) as (rows, _):
        rows.show(given.__getitem__, 3, longest=90)
        lines = [line(rows, y) for y in range(3)]
        assert {cell_len(text) for text in lines} == {40}
        assert cell_len(lines[0][: lines[0].index("middle")]) == cell_len(
            lines[1][: lines[1].index("middle")]
        )
        assert lines[0].rstrip().endswith("1 B")


@pytest.mark.parametrize(
    ("width", "expected"), [(0, ""), (1, "…"), (4, "abc…"), (6, "abcdef"), (9, "abcdef")]
)
def test_cut(width: int, expected: str) -> None:
    assert cut("abcdef", width) == expected
