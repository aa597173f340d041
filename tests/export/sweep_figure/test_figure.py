from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.analysis.sweep.fake_speed import points_of
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.point import Point
from tui.analysis.sweep.quantities import Quantity
from tui.analysis.sweep.ranges import parse_over
from tui.export.sweep_figure.figure import sweep_svg
from tui.export.sweep_figure.scale import scale_for
from tui.fusion.specs.block_spec import BlockSpec

SVG = "{http://www.w3.org/2000/svg}"
GAINS = [4.0, 2.0, 0.0, 0.5, 1.0] * 4
ONE = Plan(BlockSpec(), (parse_over("channels=4,2,0,8,16"),))
TWO = Plan(BlockSpec(), (parse_over("channels=2,4"), parse_over("input-size=3,5,0")))


def drawn(plan: Plan, points: list[Point], quantity: Quantity = Quantity.SPEED_UP) -> ElementTree.Element:
    return ElementTree.fromstring(sweep_svg(plan, points, quantity))


def words(figure: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in figure.iter(f"{SVG}text")]


def test_a_plot_has_its_points_their_bars_and_its_units() -> None:
    figure = drawn(ONE, points_of(ONE, GAINS))
    told = words(figure)
    assert told[0] == "speed-up: of fused over as it is; median and quartiles"
    assert [word for word in told if word in ("2", "4", "8", "16", "0")] == ["2", "4", "8", "16"]
    assert "channels, logarithmic" in told
    assert "speed-up, ×" in told
    assert "a processor of the tests, 2 threads, torch 2.9.0, contiguous; 5 of 5 points" in told
    assert len(list(figure.iter(f"{SVG}circle"))) == 3  # one is refused, and one no block
    assert any(line.get("stroke-dasharray") for line in figure.iter(f"{SVG}line"))


def test_several_lines_have_a_legend_and_marks_of_their_own() -> None:
    figure = drawn(ONE, points_of(ONE, GAINS), Quantity.TIME)
    assert {"as it is", "norms folded", "fused"} <= set(words(figure))
    corners = {len((each.get("points") or "").split()) for each in figure.iter(f"{SVG}polygon")}
    assert corners == {3, 4}


def test_higher_numbers_stand_higher() -> None:
    figure = drawn(ONE, points_of(ONE, GAINS))
    at = {float(each.get("cx", 0)): float(each.get("cy", 0)) for each in figure.iter(f"{SVG}circle")}
    two, four, sixteen = (at[x] for x in sorted(at))
    assert four < two < sixteen  # the gains are 2, 4 and 0.5, and y goes downwards


def test_a_map_writes_every_number_and_every_reason() -> None:
    told = words(drawn(TWO, points_of(TWO, [4.0, 1.0, 0.0, 0.5])))
    assert [word for word in told if word in ("4.00", "1.00", "0.50")] == ["4.00", "1.00", "0.50"]
    assert told.count("skipped") == 2
    assert told.count("refused") == 1


@pytest.mark.parametrize("quantity", Quantity)
@pytest.mark.parametrize("plan", [ONE, TWO], ids=["plot", "map"])
def test_every_quantity_at_every_stage(plan: Plan, quantity: Quantity) -> None:
    points = points_of(plan, GAINS)
    for count in (0, 1, len(points)):
        figure = drawn(plan, points[:count], quantity)
        for each in figure.iter():
            assert "nan" not in "".join(each.attrib.values())


@pytest.mark.parametrize("is_log", [False, True])
def test_a_scale_holds_its_numbers_and_its_ticks(is_log: bool) -> None:
    for numbers in ([1.0, 1000.0], [2.0, 2.0], [0.003, 0.004], [5.0]):
        scale = scale_for(numbers, 100, 0, is_log=is_log)
        assert all(0 <= scale.at(number) <= 100 for number in numbers)
        ticks = scale.ticks()
        assert ticks == sorted(ticks)
        assert len(ticks) <= 9
        assert all(-1e-6 <= scale.at(tick) <= 100 + 1e-6 for tick in ticks)
