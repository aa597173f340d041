"""The numbers behind a step's places: each moves what the step shows there, and nothing of other channels."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.fusion.layers.test_chains import randomised
from tests.fusion.strategies import EVERYTHING
from tests.specs import EXACT
from tui.analysis.alterations.alterations import FUSED, INPUT, NOTHING_ALTERED, Alterations, Edit, shapes_of
from tui.analysis.steps.numbers import numbers_behind
from tui.analysis.steps.step import Shows, Step, Walkthrough
from tui.analysis.steps.walkthrough import walkthrough
from tui.analysis.study import study_of
from tui.fusion.block import ReparamBlock
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.layers import Average, Branch, Convolution, Factor, FixedDepthwise, Norm
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.fusion.tap import Tap

BLOCKS = {
    "sequences": "1x1-kxk+inner+norm,1x1-avg+inner-bias,1x1-kxk+idconv,kxk",
    "norms": "kxk+norm+alpha,1x1+norm+gamma-bias,identity+norm,avg+norm",
    "groups": "1x1-kxk+g2+x2,3x3+g4+norm,1x1+g2,1xk+norm",
    "sums": "1x1 > (3x3 + 1x1+g2-bias > norm + identity) > 1x1,(3x3+g4-bias > norm + kx1) > alpha",
    "dilated": "kxk,3x3d2+norm,2x2d2",
}
WHOLE_BRANCH = (".eps", ".alpha", ".first.", ".conv1.")
"""What is of more than one output channel."""


def spec_of(name: str) -> BlockSpec:
    return BlockSpec(
        in_channels=4,
        out_channels=4,
        kernel_size=(5, 5) if name == "dilated" else (3, 3),
        input_shape=(3, 3),
        dtype=Dtype.FLOAT64,
        branches=parse_branches(BLOCKS[name]),
        post_norm=name == "norms",
    )


def steps_of(spec: BlockSpec, alterations: Alterations = NOTHING_ALTERED) -> tuple[Step, ...]:
    *_, last = walkthrough(study_of(spec, alterations))
    assert isinstance(last, Walkthrough)
    return last.steps


def shown_at(step: Step, tap: Tap) -> tuple[float, float]:
    return step.after.at(tap), step.after.bias_at(tap.out)


@pytest.mark.parametrize("name", BLOCKS)
def test_each_number_moves_what_is_shown(name: str) -> None:
    spec = spec_of(name)
    steps = steps_of(spec)
    asked: set[str] = set()
    asked_in: set[tuple[str, str]] = set()
    for place, step in enumerate(steps):
        if step.shows is Shows.MAPS:
            continue
        out, in_, height, width = step.after.shape
        # Of two taps 2 apart neither stands at the centre.
        middle = Tap(out - 1, in_ - 1, height // 2, width // 2)
        beside = Tap(out - 1, in_ - 1, max(0, height // 2 - 1), max(0, width // 2 - 1))
        numbers = {
            number.name: (number, tap)
            for tap in ((beside, middle) if name == "dilated" else (middle,))
            for number in numbers_behind(step, spec, tap)
        }
        for number, tap in numbers.values():
            if (number.name, step.title) in asked_in:
                continue
            asked_in.add((number.name, step.title))
            asked.add(number.name)
            edit = Edit(number.name, number.index, 1.75)
            after = steps_of(spec, Alterations((edit,)))[place]
            assert shown_at(after, tap) != shown_at(step, tap), (step.branch, step.title, number.words)
            if not any(part in f"{number.name}." for part in (*WHOLE_BRANCH, ".eps.", ".alpha.")):
                other = tap._replace(out=0)
                assert shown_at(after, other) == shown_at(step, other), (step.title, number.words)
    reached = {place for place in shapes_of(spec) if place != INPUT and not place.startswith(FUSED)}
    assert reached - asked == set(), "every number of the block can be set in some step"


TAPS = ((1.0, 0.0, 2.0), (0.0, 3.0, 0.0), (0.0, 0.0, 4.0))


def layered_block() -> ReparamBlock:
    """Taps apart, groups and what sees each channel alone, one after the other."""

    def conv(size: tuple[int, int], dilation: int = 1, groups: int = 1) -> Convolution:
        return Convolution(nn.Conv2d(4, 4, size, dilation=dilation, groups=groups))

    wide = [("first", conv((2, 3), 2)), ("mid", Norm(nn.BatchNorm2d(4), 4)), ("last", conv((3, 3), 1, 2))]
    pooled = [("n", Norm(nn.BatchNorm2d(4), 4)), ("avg", Average(4, (3, 3))), ("c", conv((1, 1)))]
    edges = [("e", conv((1, 1))), ("f", FixedDepthwise(4, TAPS)), ("h", conv((1, 1)))]
    alone = [("f", FixedDepthwise(4, TAPS)), ("scale", Factor(4, by_channel=False))]
    block = ReparamBlock(
        [Branch(f"b{place}", each) for place, each in enumerate((wide, pooled, edges, alone))]
    )
    randomised(block, 3)
    return block.double().eval()


def test_each_number_of_any_layers_moves_what_is_shown() -> None:
    block = layered_block()
    x = torch.rand(1, 4, 9, 9, dtype=torch.float64)

    def steps(*edits: Edit) -> tuple[Step, ...]:
        *_, last = walkthrough(study_of(block, x, Alterations(edits)))
        assert isinstance(last, Walkthrough)
        return last.steps

    spec, asked = study_of(block, x).spec, set[tuple[str, str]]()
    for place, step in enumerate(steps()):
        assert step.check.passed, step.title
        if step.shows is Shows.MAPS:
            continue
        out, in_, height, width = step.after.shape
        tap = Tap(out - 1, in_ - 1, height // 2, width // 2)
        for number in numbers_behind(step, spec, tap):
            if (number.name, step.title) in asked:
                continue
            asked.add((number.name, step.title))
            after = steps(Edit(number.name, number.index, 1.75))[place]
            assert shown_at(after, tap) != shown_at(step, tap), (step.branch, step.title, number.words)
    reached = {place for place in shapes_of(spec) if place != INPUT and not place.startswith(FUSED)}
    assert reached == {name for name, _ in asked}


def test_no_number_outside_its_tensor() -> None:
    branches = parse_branches(f"{EVERYTHING},avg+norm")
    spec = replace(EXACT, in_channels=8, out_channels=8, branches=branches, post_norm=True)
    shapes = shapes_of(spec)
    for step in steps_of(spec):
        if step.shows is Shows.MAPS:
            continue
        for corner in (Tap(0, 0, 0, 0), Tap(*(size - 1 for size in step.after.shape))):
            for number in numbers_behind(step, spec, corner):
                pairs = zip(number.index, shapes[number.name], strict=True)
                assert all(0 <= index < size for index, size in pairs), number.words
