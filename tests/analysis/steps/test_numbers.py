"""The numbers behind a step's places: each moves what the step shows there, and nothing of other channels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fusion.strategies import EVERYTHING
from tests.specs import EXACT
from tui.analysis.alterations.alterations import FUSED, INPUT, NOTHING_ALTERED, Alterations, Edit, shapes_of
from tui.analysis.steps.numbers import numbers_behind
from tui.analysis.steps.step import Shows, Step, Walkthrough
from tui.analysis.steps.walkthrough import walkthrough
from tui.analysis.study import study_of
from tui.fusion.branch_text import parse_branches
from tui.fusion.spec import BlockSpec, Dtype
from tui.fusion.tap import Tap

BLOCKS = {
    "sequences": "1x1-kxk+inner+norm,1x1-avg+inner-bias,1x1-kxk+idconv,kxk",
    "norms": "kxk+norm+alpha,1x1+norm+gamma-bias,identity+norm,avg+norm",
    "groups": "1x1-kxk+g2+x2,3x3+g4+norm,1x1+g2,1xk+norm",
    "dilated": "kxk,3x3d2+norm,2x2d2",
}
WHOLE_BRANCH = (".eps", ".alpha", ".first.")
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
        tap = Tap(out - 1, in_ - 1, height // 2, width // 2)
        numbers = {number.name: number for number in numbers_behind(step, spec, tap)}
        for number in numbers.values():
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
