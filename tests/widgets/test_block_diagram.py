from __future__ import annotations

from dataclasses import replace

import pytest

from tui.widgets.block_diagram import BlockDrawing, diagram_lines

THREE = BlockDrawing(
    branches=(("k×k conv",), ("1×1 conv", "norm"), ("identity",)),
    names=("k×k", "1×1", "identity"),
    after=(),
    fused="3×3 conv",
    costs=("44 parameters, 3 240 MACs", "38 parameters, 2 916 MACs"),
    shares=(0.25, 0.25, 0.5),
)


def texts(drawing: BlockDrawing, width: int) -> list[str]:
    return [line.plain for line in diagram_lines(drawing, width)]


def test_a_block_beside_its_convolution_and_its_shares() -> None:
    assert texts(THREE, 100) == [
        "    ┌ k×k conv ───────┐                                         k×k      ━━━━━━        25 %",
        "x ──┼ 1×1 conv ─ norm ┼─(+)── y    x ── 3×3 conv ── y           1×1      ━━━━━━        25 %",
        "    └ identity ───────┘                                         identity ━━━━━━━━━━━━  50 %",
        "44 parameters, 3 240 MACs          38 parameters, 2 916 MACs    share of the kernels' norms",
    ]


@pytest.mark.parametrize("width", range(20, 120))
def test_no_line_is_wider_than_its_room(width: int) -> None:
    assert all(len(line) <= width for line in texts(THREE, width))


@pytest.mark.parametrize(("count", "forks"), [(1, "─"), (2, "┬└"), (3, "┌┼└"), (4, "┌┼├└"), (6, "┌├┼├├└")])
def test_any_number_of_branches_meets_in_one_sum(count: int, forks: str) -> None:
    drawing = replace(THREE, branches=(("conv",),) * count, names=("conv",) * count, shares=())
    lines = texts(drawing, 100)[:-1]
    assert "".join(line[4] for line in lines) == forks
    assert sum("x ──" in line for line in lines) == 1
    assert sum("(+)" in line for line in lines) == (count > 1)


def test_what_follows_the_sum_stands_after_it() -> None:
    assert "─(+)── norm ── y" in texts(replace(THREE, after=("norm",)), 100)[1]


def test_shares_of_nothing_are_no_fault() -> None:
    assert "0 %" in texts(replace(THREE, shares=(0.0, 0.0, 0.0)), 100)[0]
