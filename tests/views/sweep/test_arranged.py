from __future__ import annotations

import pytest

from tests.analysis.sweep.fake_speed import points_of
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.quantities import Quantity
from tui.analysis.sweep.ranges import parse_over
from tui.fusion.specs.block_spec import BlockSpec
from tui.views.sweep.arranged import curves_of, heat_of, places_of

GAINS = [4.0, 2.0, 0.0, 0.5, 1.0] * 4


def plan(*over: str) -> Plan:
    return Plan(BlockSpec(), tuple(map(parse_over, over)))


def test_points_stand_in_the_order_of_their_numbers_without_what_is_skipped() -> None:
    made = plan("channels=8,2,0,4")
    assert places_of(made) == (1, 3, 0)
    curves = curves_of(made, points_of(made, GAINS), Quantity.SPEED_UP)
    assert curves.places == (2, 4, 8)
    assert curves.names == ("2", "4", "8")
    (curve,) = curves.curves
    assert [mark and mark.middle for mark in curve.marks] == [2, None, 4]
    assert (curves.log_x, curves.rule) == (True, 1.0)


def test_names_stand_in_the_order_in_which_they_were_given() -> None:
    made = plan("dtype=float32,float64")
    curves = curves_of(made, points_of(made, GAINS), Quantity.SPEED_UP)
    assert (curves.places, curves.names, curves.log_x) == ((1, 2), ("float32", "float64"), False)


def test_points_to_come_have_no_mark() -> None:
    made = plan("channels=2,4,8")
    curves = curves_of(made, points_of(made, GAINS)[:1], Quantity.TIME)
    assert [curve.label for curve in curves.curves] == ["as it is", "norms folded", "fused"]
    assert len({curve.sign for curve in curves.curves}) == 3
    assert [mark is None for mark in curves.curves[0].marks] == [False, True, True]


@pytest.mark.parametrize("quantity", Quantity)
def test_every_quantity_has_numbers(quantity: Quantity) -> None:
    made = plan("channels=2,4")
    curves = curves_of(made, points_of(made, GAINS), quantity)
    assert all(mark is not None for curve in curves.curves for mark in curve.marks)
    assert all(curves.written(number) for number in curves.numbers)


def test_what_neither_gains_nor_loses_is_neutral_in_the_map() -> None:
    made = plan("channels=2,4", "input-size=3,5,0")
    table = heat_of(made, points_of(made, [4.0, 1.0, 0.5, 0.0]), Quantity.SPEED_UP)
    assert (table.rows, table.columns) == (("2", "4"), ("3", "5", "0"))
    texts = [[cell.text for cell in row] for row in table.cells]
    assert texts == [["4.00", "1.00", "skip"], ["0.50", "too large", "skip"]]
    assert [cell.part for cell in table.cells[0]] == [1, 0, None]
    assert table.cells[1][0].part == -0.5


def test_another_quantity_goes_from_its_least_to_its_largest() -> None:
    made = plan("channels=2,4", "input-size=3,5")
    table = heat_of(made, points_of(made, GAINS[3:]), Quantity.TIME)
    parts = [cell.part for row in table.cells for cell in row]
    assert min(part for part in parts if part is not None) == 0
    assert max(part for part in parts if part is not None) == 1
    made = plan("channels=2", "input-size=3")
    ((cell,),) = heat_of(made, points_of(made, GAINS), Quantity.MEMORY).cells
    assert cell.part == 0


def test_a_map_of_nothing_yet() -> None:
    made = plan("channels=2,4", "input-size=3,5")
    assert {cell.text for row in heat_of(made, [], Quantity.SPEED_UP).cells for cell in row} == {"·"}
