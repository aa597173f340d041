"""The walkthrough: each step's check holds, sees what is wrong, and the arithmetic comes to the kernel."""

from __future__ import annotations

import math
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.fusion.strategies import EVERYTHING, specs
from tests.specs import EXACT
from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations, Edit
from tui.analysis.progress import Doing
from tui.analysis.steps import check, of_block, of_branch
from tui.analysis.steps.step import Check, Step, Walkthrough
from tui.analysis.steps.walkthrough import walkthrough
from tui.analysis.study import study_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.fusion.tap import Tap

MANY = BlockSpec(
    in_channels=8,
    out_channels=8,
    branches=parse_branches(f"{EVERYTHING},avg+norm"),
    post_norm=True,
    input_shape=(7, 6),
)
REPVGG = BlockSpec(branches=parse_branches("kxk+norm-bias,1x1+norm-bias,identity+norm"))


def steps_of(spec: BlockSpec, alterations: Alterations = NOTHING_ALTERED) -> tuple[Step, ...]:
    *progress, last = walkthrough(study_of(spec, alterations))
    assert all(isinstance(item, Doing) and item.words for item in progress)
    assert isinstance(last, Walkthrough)
    return last.steps


def titles(steps: tuple[Step, ...], branch: str) -> list[str]:
    return [step.title for step in steps if step.branch == branch]


def results(step: Step, place: Tap) -> list[float]:
    """The last number of each line of arithmetic."""
    numbers = ([part for part in line if isinstance(part, float)] for line in step.operation(place))
    return [line[-1] for line in numbers if line]


def test_the_steps_of_a_repvgg_block() -> None:
    steps = steps_of(REPVGG)
    assert titles(steps, "kxk") == ["batch norm folded"]
    assert titles(steps, "1x1") == ["1×1 to 3×3", "batch norm folded"]
    assert titles(steps, "identity") == ["identity to 3×3", "batch norm folded"]
    assert titles(steps, "") == ["kernels added", "biases added", "both sides run"]


def test_a_step_that_a_block_does_not_need_does_not_appear() -> None:
    single = replace(BlockSpec(), branches=parse_branches("kxk"))
    assert [step.title for step in steps_of(single)] == ["as it is", "both sides run"]
    unbiased = BlockSpec().with_branches(bias=False)
    assert titles(steps_of(unbiased), "") == ["kernels added", "both sides run"]


def test_every_kind_of_step_on_one_block_holds() -> None:
    steps = steps_of(MANY)
    assert all(step.check.passed for step in steps), [
        (step.branch, step.title) for step in steps if not step.check.passed
    ]
    assert {step.title for step in steps} == {
        "1×1 to 5×5", "1×3 to 5×5", "3×1 to 5×5", "3×3 to 5×5", "identity to 5×5", "average as a kernel",
        "dilation widened", "4 groups to 1", "2 groups to 1", "identity added", "inner norm folded",
        "composed", "batch norm folded", "times alpha", "times gamma", "post norm's scale",
        "post norm's offset", "kernels added", "biases added", "both sides run",
    }  # fmt: skip
    assert all(step.words for step in steps)


@pytest.mark.usefixtures("without_onednn")
@given(specs(dtypes=tuple(Dtype)), st.data())
@settings(max_examples=12)
def test_each_step_of_any_block_holds_and_its_arithmetic_comes_to_its_kernel(
    spec: BlockSpec, data: st.DataObject
) -> None:
    for step in steps_of(spec):
        assert step.check.passed, (step.branch, step.title, step.check)
        place = Tap(*(data.draw(st.integers(0, size - 1)) for size in step.after.shape))
        if step.title == "both sides run":
            continue
        found = results(step, place)
        if step.title not in ("biases added", "post norm's offset"):
            assert any(math.isclose(step.after.at(place), one, rel_tol=1e-9, abs_tol=1e-12) for one in found)
        if step.after.kernel.bias is not None:
            bias = step.after.bias_at(place[0])
            assert any(math.isclose(bias, one, rel_tol=1e-9, abs_tol=1e-12) for one in found)


def test_the_cursor_finds_where_a_number_came_from() -> None:
    found = 0
    for step in steps_of(MANY):
        if step.title in ("dilation widened", "4 groups to 1", "1×1 to 5×5", "3×3 to 5×5"):
            (before,) = step.before
            for place in torch.cartesian_prod(*map(torch.arange, step.after.shape)).tolist():
                origin = before.origin(Tap(*place))
                if before.holds(origin) and step.after.at(Tap(*place)):
                    assert step.after.at(Tap(*place)) == before.at(origin)
                    found += 1
    assert found > 100


def test_beside_a_kernel_between_two_groups_stands_none() -> None:
    (step,) = (step for step in steps_of(MANY) if step.title == "4 groups to 1")
    (before,) = step.before
    there = {(out, in_): before.origin(Tap(out, in_, 0, 0)).in_ for out in range(8) for in_ in range(8)}
    assert {place for place, in_ in there.items() if in_ < 0} == {
        (out, in_) for out, in_ in there if out // 2 != in_ // 2
    }


def test_a_sequence_is_a_sum_of_products() -> None:
    spec = replace(EXACT, in_channels=8, out_channels=8, branches=parse_branches("1x1-kxk+g4"))
    (step,) = (step for step in steps_of(spec) if step.title == "composed")
    assert [kernel.sign for kernel in (*step.before, step.after)] == ["", "×", "+", "×", "="]
    first, second, third, fourth = step.before
    for place in torch.cartesian_prod(*map(torch.arange, step.after.shape)).tolist():
        tap = Tap(*place)
        one, two, three, four = (kernel.at(kernel.origin(tap)) for kernel in (first, second, third, fourth))
        assert step.after.at(tap) == one * two + three * four


def test_each_check_sees_a_number_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_of_another(words: str, kernel: Kernel, *rest: Any) -> Check:
        weight = kernel.weight.clone()
        weight[-1, 0, 0, 0] += 1e-4
        bias = None if kernel.bias is None else kernel.bias + 1e-4
        return check.check_kernel(words, Kernel(weight, bias), *rest)

    for module in (of_branch, of_block):
        monkeypatch.setattr(module, "check_kernel", check_of_another)
    *others, last = steps_of(MANY)
    assert [(step.branch, step.title) for step in others if step.check.passed] == []
    assert last.check.passed


def negated(function: Callable[..., Kernel | Tensor]) -> Callable[..., Kernel | Tensor]:
    """The function with the first weights of its kernel negated."""

    def wrong(*arguments: Any, **named: Any) -> Kernel | Tensor:
        found = function(*arguments, **named)
        weight = (found.weight if isinstance(found, Kernel) else found).clone()
        weight[0] *= -1
        return Kernel(weight, found.bias) if isinstance(found, Kernel) else weight

    return wrong


@pytest.mark.parametrize(
    ("broken", "title"),
    [
        ("tui.fusion.layers.rescaling.Norm.kernel", "batch norm folded"),
        ("tui.fusion.layers.rescaling.Factor.kernel", "times alpha"),
        ("tui.fusion.layers.channelwise.dirac", "identity to 5×5"),
        ("tui.fusion.layers.channelwise.average_pool", "average as a kernel"),
        ("tui.fusion.layers.convolution.add", "identity added"),
        ("tui.fusion.composition._through_channels", "composed"),
        ("tui.fusion.block.ungroup", "4 groups to 1"),
        ("tui.fusion.block.dilate", "dilation widened"),
        ("tui.fusion.block.scale", "post norm's scale"),
        ("tui.fusion.block.add", "kernels added"),
    ],
)
def test_a_broken_piece_of_the_algebra_fails_at_its_own_step(
    monkeypatch: pytest.MonkeyPatch, broken: str, title: str
) -> None:
    monkeypatch.setattr(broken, negated(pkgutil.resolve_name(broken)))
    spec = replace(
        MANY, branches=parse_branches("avg,identity,kxk+norm+alpha,5x5+g4,3x3d2,1x1-kxk+inner+idconv")
    )
    steps = steps_of(spec)
    failed = [step for step in steps if not step.check.passed]
    assert failed[0].title == title
    assert steps[-1] is failed[-1]


def test_a_mistake_made_on_purpose_fails_where_it_was_made_and_says_so() -> None:
    steps = steps_of(BlockSpec(), Alterations(mistake="identity-off-centre"))
    failed = [step.title for step in steps if not step.check.passed]
    assert failed == ["kernels added", "both sides run"]
    assert all(step.check.figure > 1 for step in steps if not step.check.passed)
    added = next(step for step in steps if step.title == "kernels added")
    assert added.words.startswith("Fused wrongly on purpose: ")


def test_a_mistake_about_a_bias_fails_at_the_biases() -> None:
    steps = steps_of(REPVGG, Alterations(mistake="mean-ignored"))
    failed = [step.title for step in steps if not step.check.passed]
    assert failed == ["biases added", "both sides run"]


@pytest.mark.parametrize(
    ("mistake", "branches"),
    [
        ("train-mode", "kxk+norm-bias,1x1+norm-bias,identity+norm"),
        ("train-mode", "kxk+norm"),
        ("zero-border", "kxk+norm,1x1-kxk+inner"),
        ("average-uncounted", "kxk,avg,1x1-avg"),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 2])
def test_where_the_unfused_run_is_wrong_all_checks_of_the_kernel_hold(
    mistake: str, branches: str, batch_size: int
) -> None:
    spec = BlockSpec(branches=parse_branches(branches), batch_size=batch_size)
    steps = steps_of(spec, Alterations(mistake=mistake))
    assert [step.title for step in steps if not step.check.passed] == ["both sides run"]
    assert not any("on purpose" in step.words for step in steps[:-1])
    assert steps[-1].words.startswith("Run wrongly on purpose: ")
    assert "the kernel is right" in steps[-1].words


def test_where_both_are_wrong_the_kernel_fails_too() -> None:
    altered = Alterations((Edit("fused.weight", (1, 0, 2, 2), 100.0),), "train-mode")
    steps = steps_of(REPVGG, altered)
    assert [step.title for step in steps if not step.check.passed] == ["kernels added", "both sides run"]
    assert "where the kernel went wrong" in steps[-1].words
    assert "not the block" in steps[-1].words


def test_a_fused_weight_set_by_hand_is_told_where_it_stands() -> None:
    steps = steps_of(EXACT, Alterations((Edit("fused.weight", (1, 0, 2, 2), 100.0),)))
    added = next(step for step in steps if step.title == "kernels added")
    assert not added.check.passed
    told = ["".join(map(str, line)) for line in added.operation(Tap(1, 0, 2, 2))]
    assert any("but the fused kernel holds 100.0: not the sum" in line for line in told)
    assert not any("not the sum" in "".join(map(str, line)) for line in added.operation(Tap(0, 0, 2, 2)))


def test_a_large_input_is_checked_in_part_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_MACS", 1)
    *others, last = steps_of(replace(MANY, input_shape=(40, 30)))
    assert {step.check.part for step in others} == {"on 5×5 of 40×30 pixels"}
    assert all(step.check.passed for step in others)
    assert last.check.part == ""


def test_the_last_step_adds_up_both_sides() -> None:
    result = study_of(replace(EXACT, dtype=Dtype.BFLOAT16, batch_size=2))
    *_, walk = walkthrough(result)
    assert isinstance(walk, Walkthrough)
    last = walk.steps[-1]
    where, unfused, fused, difference, allclose = last.operation(Tap(*result.comparison.worst))
    assert "of input" in str(where[0])
    assert float(unfused[-1]) == result.comparison.unfused
    assert float(fused[-1]) == result.comparison.fused
    assert difference[-1] == result.comparison.fused - result.comparison.unfused
    assert allclose[0] == "≤"
    assert allclose[2] == 1e-8 + 1e-5 * abs(result.comparison.unfused)
    assert last.check.figure == result.float64.max_abs_diff


def test_the_last_step_tells_of_any_element_and_shows_both_outputs() -> None:
    result = study_of(replace(EXACT, batch_size=2), Alterations(mistake="identity-off-centre"))
    *_, walk = walkthrough(result)
    assert isinstance(walk, Walkthrough)
    last = walk.steps[-1]
    fused, unfused = last.before
    assert [each.sign for each in (*last.before, last.after)] == ["", "−", "="]
    assert last.after.shape == result.spec.output_nchw
    close = 0
    for place in torch.cartesian_prod(*map(torch.arange, last.after.shape)).tolist():
        tap = Tap(*place)
        assert last.after.at(tap) == fused.at(tap) - unfused.at(tap)
        told = last.operation(tap)[-1]
        near = torch.isclose(fused.kernel.weight[tap], unfused.kernel.weight[tap])
        assert (told[0] == "≤") == bool(near)
        close += bool(near)
    closeness = result.comparison.closeness
    assert 0 < closeness.failing == closeness.elements - close
    assert str(told[-1]).endswith(f"close; {close} of {closeness.elements} are")


def test_a_small_difference_is_shown_multiplied() -> None:
    *_, walk = walkthrough(study_of(BlockSpec(dtype=Dtype.FLOAT32)))
    assert isinstance(walk, Walkthrough)
    fused, unfused = walk.steps[-1].before
    after = walk.steps[-1].after
    factor = float(after.title.removeprefix("difference × "))
    difference = fused.kernel.weight.double() - unfused.kernel.weight.double()
    assert 1 <= float(after.kernel.weight.abs().max()) <= 10
    assert torch.allclose(after.kernel.weight.double() / factor, difference, rtol=1e-6, atol=0)


def test_a_preset_leaves_its_study_as_it_was() -> None:
    result = study_of(replace(PRESETS["qarepvgg"].spec.with_in_channels(4), input_shape=(5, 5)))
    before = {name: tensor.clone() for name, tensor in result.block.state_dict().items()}
    *_, walk = walkthrough(result)
    assert isinstance(walk, Walkthrough)
    assert walk.first_of("identity") is not None
    assert walk.first_of("none of that name") is None
    assert result.block.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in result.block.state_dict().items())
