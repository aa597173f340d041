"""The walkthrough: each stage's check holds, sees what is wrong, and the arithmetic comes to the kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fusion.strategies import EVERYTHING, specs
from tests.specs import EXACT
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations, Edit
from tui.analysis.progress import Progress
from tui.analysis.steps import check, of_block, of_branch
from tui.analysis.steps.step import Check, Place, Stage, Walkthrough
from tui.analysis.steps.walkthrough import walkthrough
from tui.analysis.study import finished, study
from tui.fusion.branch_text import parse_branches
from tui.fusion.kernel import Kernel
from tui.fusion.presets import PRESETS
from tui.fusion.spec import BlockSpec, Dtype

MANY = BlockSpec(
    in_channels=8,
    out_channels=8,
    branches=parse_branches(f"{EVERYTHING},avg+norm"),
    post_norm=True,
    input_shape=(7, 6),
)
REPVGG = BlockSpec(branches=parse_branches("kxk+norm-bias,1x1+norm-bias,identity+norm"))


def stages_of(spec: BlockSpec, alterations: Alterations = NOTHING_ALTERED) -> tuple[Stage, ...]:
    *progress, last = walkthrough(finished(study(spec, alterations)))
    assert all(isinstance(item, Progress) and item.doing for item in progress)
    assert isinstance(last, Walkthrough)
    return last.stages


def titles(stages: tuple[Stage, ...], branch: str) -> list[str]:
    return [stage.title for stage in stages if stage.branch == branch]


def results(stage: Stage, place: Place) -> list[float]:
    """The last number of each line of arithmetic."""
    numbers = ([part for part in line if isinstance(part, float)] for line in stage.operation(place))
    return [line[-1] for line in numbers if line]


def test_the_steps_of_a_repvgg_block() -> None:
    stages = stages_of(REPVGG)
    assert titles(stages, "kxk") == ["batch norm folded"]
    assert titles(stages, "1x1") == ["1×1 to 3×3", "batch norm folded"]
    assert titles(stages, "identity") == ["identity to 3×3", "batch norm folded"]
    assert titles(stages, "") == ["kernels added", "biases added", "both sides run"]


def test_a_step_that_a_block_does_not_need_does_not_appear() -> None:
    single = replace(BlockSpec(), branches=parse_branches("kxk"))
    assert [stage.title for stage in stages_of(single)] == ["as it is", "both sides run"]
    unbiased = BlockSpec().with_branches(bias=False)
    assert titles(stages_of(unbiased), "") == ["kernels added", "both sides run"]


def test_every_kind_of_step_on_one_block_holds() -> None:
    stages = stages_of(MANY)
    assert all(stage.check.passed for stage in stages), [
        (stage.branch, stage.title) for stage in stages if not stage.check.passed
    ]
    assert {stage.title for stage in stages} == {
        "1×1 to 5×5", "1×3 to 5×5", "3×1 to 5×5", "3×3 to 5×5", "identity to 5×5", "average as a kernel",
        "dilation widened", "4 groups to 1", "2 groups to 1", "identity added", "inner norm folded",
        "composed", "batch norm folded", "times alpha", "times gamma", "post norm's scale",
        "post norm's offset", "kernels added", "biases added", "both sides run",
    }  # fmt: skip
    assert all(stage.words for stage in stages)


@given(specs(dtypes=tuple(Dtype)), st.data())
@settings(max_examples=12)
def test_each_step_of_any_block_holds_and_its_arithmetic_comes_to_its_kernel(
    spec: BlockSpec, data: st.DataObject
) -> None:
    for stage in stages_of(spec):
        assert stage.check.passed, (stage.branch, stage.title, stage.check)
        place = data.draw(st.tuples(*(st.integers(0, size - 1) for size in stage.after.shape)))
        if stage.title == "both sides run":
            continue
        found = results(stage, place)
        if stage.title not in ("biases added", "post norm's offset"):
            assert any(math.isclose(stage.after.at(place), one, rel_tol=1e-9, abs_tol=1e-12) for one in found)
        if stage.after.kernel.bias is not None:
            bias = stage.after.bias_at(place[0])
            assert any(math.isclose(bias, one, rel_tol=1e-9, abs_tol=1e-12) for one in found)


def test_the_cursor_finds_where_a_number_came_from() -> None:
    found = 0
    for stage in stages_of(MANY):
        if stage.title in ("dilation widened", "4 groups to 1", "1×1 to 5×5", "3×3 to 5×5"):
            (before,) = stage.before
            for place in torch.cartesian_prod(*map(torch.arange, stage.after.shape)).tolist():
                origin = before.origin(tuple(place))
                if before.holds(origin) and stage.after.at(tuple(place)):
                    assert stage.after.at(tuple(place)) == before.at(origin)
                    found += 1
    assert found > 100


def test_each_check_sees_a_number_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_of_another(words: str, kernel: Kernel, *rest: Any) -> Check:
        weight = kernel.weight.clone()
        weight[-1, 0, 0, 0] += 1e-4
        bias = None if kernel.bias is None else kernel.bias + 1e-4
        return check.check_kernel(words, Kernel(weight, bias), *rest)

    for module in (of_branch, of_block):
        monkeypatch.setattr(module, "check_kernel", check_of_another)
    *others, last = stages_of(MANY)
    assert [(stage.branch, stage.title) for stage in others if stage.check.passed] == []
    assert last.check.passed


def negated(function: Callable[..., Kernel]) -> Callable[..., Kernel]:
    """The function with the first weights of its kernel negated."""

    def wrong(*arguments: Any, **named: Any) -> Kernel:
        kernel = function(*arguments, **named)
        weight = kernel.weight.clone()
        weight[0] *= -1
        return Kernel(weight, kernel.bias)

    return wrong


@pytest.mark.parametrize(
    ("broken", "title"),
    [
        ("tui.fusion.branches.base.fold_batch_norm", "batch norm folded"),
        ("tui.fusion.branches.base.scale", "times alpha"),
        ("tui.fusion.branches.identity.dirac", "identity to 5×5"),
        ("tui.fusion.branches.average.average_pool", "average as a kernel"),
        ("tui.fusion.branches.pointwise.add", "identity added"),
        ("tui.fusion.branches.pointwise.fold_batch_norm", "inner norm folded"),
        ("tui.fusion.branches.sequence.compose", "composed"),
        ("tui.fusion.block.ungroup", "4 groups to 1"),
        ("tui.fusion.block.dilate", "dilation widened"),
        ("tui.fusion.block.scale", "post norm's scale"),
        ("tui.fusion.block.add", "kernels added"),
    ],
)
def test_a_broken_piece_of_the_algebra_fails_at_its_own_step(
    monkeypatch: pytest.MonkeyPatch, broken: str, title: str
) -> None:
    module, _, name = broken.rpartition(".")
    monkeypatch.setattr(broken, negated(getattr(__import__(module, fromlist=[name]), name)))
    spec = replace(
        MANY, branches=parse_branches("avg,identity,kxk+norm+alpha,5x5+g4,3x3d2,1x1-kxk+inner+idconv")
    )
    stages = stages_of(spec)
    failed = [stage for stage in stages if not stage.check.passed]
    assert failed[0].title == title
    assert stages[-1] is failed[-1]


def test_a_mistake_made_on_purpose_fails_where_it_was_made_and_says_so() -> None:
    stages = stages_of(BlockSpec(), Alterations(mistake="identity-off-centre"))
    failed = [stage.title for stage in stages if not stage.check.passed]
    assert failed == ["kernels added", "both sides run"]
    assert all(stage.check.figure > 1 for stage in stages if not stage.check.passed)
    added = next(stage for stage in stages if stage.title == "kernels added")
    assert added.words.startswith("Fused wrongly on purpose: ")


def test_a_mistake_about_a_bias_fails_at_the_biases() -> None:
    stages = stages_of(REPVGG, Alterations(mistake="mean-ignored"))
    failed = [stage.title for stage in stages if not stage.check.passed]
    assert failed == ["biases added", "both sides run"]


def test_a_fused_weight_set_by_hand_is_told_where_it_stands() -> None:
    stages = stages_of(EXACT, Alterations((Edit("fused.weight", (1, 0, 2, 2), 100.0),)))
    added = next(stage for stage in stages if stage.title == "kernels added")
    assert not added.check.passed
    told = ["".join(map(str, line)) for line in added.operation((1, 0, 2, 2))]
    assert any("but the fused kernel holds 100.0: not the sum" in line for line in told)
    assert not any("not the sum" in "".join(map(str, line)) for line in added.operation((0, 0, 2, 2)))


def test_a_large_input_is_checked_in_part_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_MACS", 1)
    *others, last = stages_of(replace(MANY, input_shape=(40, 30)))
    assert {stage.check.part for stage in others} == {"on 5×5 of 40×30 pixels"}
    assert all(stage.check.passed for stage in others)
    assert last.check.part == ""


def test_the_last_step_adds_up_both_sides() -> None:
    result = finished(study(replace(EXACT, dtype=Dtype.BFLOAT16, batch_size=2)))
    *_, walk = walkthrough(result)
    assert isinstance(walk, Walkthrough)
    where, unfused, fused, difference = walk.stages[-1].operation((0, 0, 0, 0))
    assert "of input" in str(where[0])
    assert float(unfused[-1]) == result.comparison.unfused
    assert float(fused[-1]) == result.comparison.fused
    assert difference[-1] == result.comparison.fused - result.comparison.unfused
    assert walk.stages[-1].check.figure == result.float64.max_abs_diff


def test_a_preset_leaves_its_study_as_it_was() -> None:
    result = finished(study(replace(PRESETS["qarepvgg"].spec.with_in_channels(4), input_shape=(5, 5))))
    before = {name: tensor.clone() for name, tensor in result.block.state_dict().items()}
    *_, walk = walkthrough(result)
    assert isinstance(walk, Walkthrough)
    assert walk.first_of("identity") is not None
    assert walk.first_of("none of that name") is None
    assert result.block.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in result.block.state_dict().items())
