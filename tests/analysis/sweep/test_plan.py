from __future__ import annotations

import pytest
import torch
from torch import nn

from tui.analysis.sweep.plan import Plan, PlanError, axis_offered_first
from tui.analysis.sweep.ranges import parse_over, parse_range
from tui.fusion.block import ReparamBlock
from tui.fusion.layers import Branch, Convolution
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, BranchKind, Dtype
from tui.fusion.structure import structure_of


def plan(*over: str, preset: str = "repvgg") -> Plan:
    return Plan(PRESETS[preset].spec, tuple(map(parse_over, over)))


def specs(made: Plan) -> list[BlockSpec]:
    return [cell.spec for cell in made.cells if cell.spec is not None]


def test_what_follows_in_the_form_follows_here() -> None:
    depthwise = specs(plan("in-channels=8,16", preset="repvgg-depthwise"))
    assert [(spec.in_channels, spec.out_channels, spec.groups) for spec in depthwise] == [
        (8, 8, 8),
        (16, 16, 16),
    ]


def test_both_axes_vary_the_last_one_fastest() -> None:
    made = specs(plan("kernel-size=3,5", "input-size=14,7x9"))
    assert [(spec.kernel_size, spec.input_shape) for spec in made] == [
        ((3, 3), (14, 14)),
        ((3, 3), (7, 9)),
        ((5, 5), (14, 14)),
        ((5, 5), (7, 9)),
    ]


def test_every_axis_sets_what_it_names() -> None:
    assert [spec.batch_size for spec in specs(plan("batch-size=1,4"))] == [1, 4]
    assert [spec.groups for spec in specs(plan("groups=1,2"))] == [1, 2]
    assert [spec.dtype for spec in specs(plan("dtype=float64,bf16"))] == [Dtype.FLOAT64, Dtype.BFLOAT16]
    assert [spec.out_channels for spec in specs(plan("channels=4,8"))] == [4, 8]
    assert [cell.conditions.threads for cell in plan("threads=1,2").cells] == [1, 2]


def test_out_channels_beside_in_channels_are_its_own() -> None:
    made = plan("in-channels=4,8", "out-channels=8", preset="repvgg-downsample")
    assert [(spec.in_channels, spec.out_channels) for spec in specs(made)] == [(4, 8), (8, 8)]


def test_branches_are_so_many_of_the_kxk_one_where_it_stood() -> None:
    made = specs(plan("branches=1,3", preset="mobileone"))
    kinds = [[branch.kind for branch in spec.branches] for spec in made]
    rest = [BranchKind.POINTWISE, BranchKind.IDENTITY]
    assert kinds == [[BranchKind.KXK, *rest], [BranchKind.KXK] * 3 + rest]
    assert all(branch.batch_norm for branch in made[1].branches)


def test_what_is_no_block_is_told_in_its_own_words() -> None:
    cells = plan("groups=0,3,4").cells
    assert [cell.spec is None for cell in cells] == [True, True, False]
    assert cells[1].problem.startswith("groups must divide in and out channels: 3 does not divide")


@pytest.mark.parametrize(
    ("over", "words"),
    [
        (("groups=1", "groups=2"), "groups is given twice"),
        (("groups=1", "batch=1", "threads=1"), "not over 3"),
        ((), "not over 0"),
        (("channels=1", "in-channels=2"), "vary it alone"),
        (("channels=1:40", "batch-size=1:40"), "that makes 1600 points, and 400 are the most"),
    ],
)
def test_refusals(over: tuple[str, ...], words: str) -> None:
    with pytest.raises(PlanError, match=words):
        plan(*over)


def test_branches_need_one_to_be_more_of() -> None:
    with pytest.raises(PlanError, match="has none"):
        plan("branches=1,2", preset="pointwise")


def test_what_is_offered_first_has_values_that_the_block_allows() -> None:
    assert axis_offered_first(BlockSpec()).name == "in-channels"
    block = ReparamBlock([Branch("read", [("conv", Convolution(nn.Conv2d(4, 4, 3)))])]).eval()
    read = structure_of(block, torch.ones(1, 4, 5, 5))
    assert Plan(read, (parse_over("in-channels=8:256:x2"),)).allowed == []
    offered = axis_offered_first(read)
    plan = Plan(read, (parse_range(offered, offered.example),))
    assert len(plan.allowed) == plan.count
