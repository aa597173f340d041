"""A finished kernel is ruled right by its weights where any honest tool made it, and wrong where not."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from tests.analysis.mistake_blocks import BLOCKS, POSSIBLE
from tests.analysis.verdict.stepwise_fold import folded_step_by_step
from tests.analysis.verdict.verdict_cases import Case, run_of
from tests.fusion.layer_parts import conv_branch, norm_in
from tests.fusion.strategies import with_wild_norms
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.side import WrongSide
from tui.analysis.verdict.reason import Ruling
from tui.analysis.verdict.stored import StoredReason, StoredShapeError
from tui.analysis.verdict.stored_judging import judge_stored
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.fill import fill_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype, WeightFill
from tui.fusion.torch_dtypes import torch_dtype

NARROW = (Dtype.FLOAT16, Dtype.BFLOAT16)
FOLDED = ("repvgg", "repvgg-grouped", "repvgg-depthwise", "qarepvgg", "mobileone", "acnet", "dbb", "repmixer")
"""Presets with batch norms everywhere, and odd kernels."""


def filled(spec: BlockSpec, dtype: Dtype = Dtype.FLOAT32, seed: int = 0) -> ReparamBlock:
    """With random weights and random statistics."""
    return fill_block(build_block(spec), replace(spec, seed=seed)).to(torch_dtype(dtype))


IN_A_KERNEL = [(mistake, title) for mistake, title in POSSIBLE if MISTAKES[mistake].side is WrongSide.FUSED]


@cache
def right_one(title: str) -> tuple[ReparamBlock, Kernel]:
    """A block and its kernel, for all tests that only read them."""
    block = filled(BLOCKS[title])
    return block, block.kernel()


@cache
def wrong_one(mistake: str, title: str) -> Kernel:
    """That block's kernel with the mistake, likewise."""
    block, _ = right_one(title)
    return wrongly_fused(mistake, block, torch.zeros(2, block.in_channels, 10, 10)).kernel


def by_hand() -> ReparamBlock:
    """3 x + 0.5, then (y - 1) 2 / sqrt(3.75 + 0.25) + 0.25: weight 3, bias -0.25."""
    branch = conv_branch("1x1", 1, 1, (1, 1), batch_norm=True)
    block = ReparamBlock([branch]).eval()
    norm = norm_in(branch)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        for name, value in (("conv.weight", 3.0), ("conv.bias", 0.5)):
            dict(branch.named_parameters())[f"conv.{name}"].fill_(value)
        norm.weight.fill_(2.0), norm.bias.fill_(0.25)
        norm.running_mean.fill_(1.0), norm.running_var.fill_(3.75)
    norm.eps = 0.25
    return block


def one_number(weight: float, bias: float | None, dtype: Dtype) -> Kernel:
    kind = torch_dtype(dtype)
    return Kernel(
        torch.tensor(weight, dtype=kind).view(1, 1, 1, 1),
        None if bias is None else torch.tensor([bias], dtype=kind),
    )


@pytest.mark.parametrize("dtype", Dtype)
def test_what_is_exact_is_exact(dtype: Dtype) -> None:
    verdict = judge_stored(by_hand(), one_number(3.0, -0.25, dtype))
    assert (verdict.ruling, verdict.reason, verdict.used) == (Ruling.EXACT, StoredReason.SAME, 0.0)
    assert (verdict.numbers, verdict.beyond, verdict.max_difference) == (2, 0, 0.0)


@pytest.mark.parametrize(("dtype", "spacing"), [(Dtype.BFLOAT16, 2.0**-6), (Dtype.FLOAT16, 2.0**-9)])
def test_the_bound_is_the_unit_roundoff_of_the_weight(dtype: Dtype, spacing: float) -> None:
    verdict = judge_stored(by_hand(), one_number(3 + 8 * 8 * spacing, -0.25, dtype))
    assert verdict.ruling is Ruling.WRONG
    assert verdict.worst.index == (0, 0, 0, 0)
    assert (verdict.worst.right, verdict.worst.given) == (3.0, 3 + 64 * spacing)
    assert verdict.max_difference == 64 * spacing
    assert verdict.first == (verdict.worst,)
    strict = 3 * {Dtype.BFLOAT16: 2.0**-8, Dtype.FLOAT16: 2.0**-11}[dtype]
    assert verdict.worst.bound > strict  # of one channel nothing tells steps in 16 bit from one rounding


def test_a_bias_that_is_not_there_is_0() -> None:
    verdict = judge_stored(by_hand(), one_number(3.0, None, Dtype.FLOAT32))
    assert verdict.ruling is Ruling.WRONG
    assert (verdict.worst.tensor, verdict.worst.index, verdict.worst.given) == ("bias", (0,), 0.0)
    assert (verdict.biases, verdict.taps, verdict.channels) == ((0,), (), (0,))


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("name", BLOCKS)
def test_a_fold_rounded_once_is_exact(name: str, dtype: Dtype) -> None:
    block = with_wild_norms(filled(BLOCKS[name]))
    verdict = judge_stored(block, block.kernel().to(torch_dtype(dtype)))
    assert verdict.ruling is Ruling.EXACT
    assert verdict.used <= 1
    if dtype is not Dtype.FLOAT64:
        assert verdict.used > 0.6


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, *NARROW])
@pytest.mark.parametrize("name", FOLDED)
def test_a_fold_step_by_step_is_never_wrong(name: str, dtype: Dtype) -> None:
    for seed in range(2):
        spec = PRESETS[name].spec.with_in_channels(8)
        block = filled(spec, dtype, seed)
        verdict = judge_stored(block, folded_step_by_step(block))
        assert verdict.ruling is Ruling.ROUNDING, verdict.sentence
        assert verdict.arithmetic is dtype
        assert (verdict.reason is StoredReason.STEP_BY_STEP) == (dtype in NARROW)


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("name", FOLDED)
def test_a_fold_in_float32_that_is_rounded_once_needs_no_steps(name: str, dtype: Dtype) -> None:
    block = filled(PRESETS[name].spec.with_in_channels(8))
    verdict = judge_stored(block, folded_step_by_step(block).to(torch_dtype(dtype)))
    assert verdict.ruling.agrees
    assert verdict.reason is not StoredReason.STEP_BY_STEP
    assert 0.6 < verdict.used <= 1


def test_numbers_of_bfloat16_in_a_float32_file_are_known_as_those() -> None:
    block = filled(BLOCKS["normed"])
    verdict = judge_stored(block, block.kernel().to(torch.bfloat16).to(torch.float32))
    assert (verdict.ruling, verdict.dtype) == (Ruling.EXACT, Dtype.BFLOAT16)


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("place", [(5, 2, 1, 1), (0, 0, 0, 2), (7,)])
def test_one_wrong_number_is_named(dtype: Dtype, place: tuple[int, ...]) -> None:
    block = filled(BLOCKS["normed"])
    given = block.kernel().to(torch_dtype(dtype))
    assert given.bias is not None
    tensor, name = (given.bias, "bias") if len(place) == 1 else (given.weight, "weight")
    tensor[place] *= 1.05
    verdict = judge_stored(block, given)
    assert (verdict.ruling, verdict.beyond) == (Ruling.WRONG, 1)
    assert (verdict.worst.tensor, verdict.worst.index) == (name, place)
    assert verdict.first == (verdict.worst,)
    assert verdict.channels == (place[0],)
    assert verdict.taps == ((place[2:],) if name == "weight" else ())
    assert verdict.biases == ((7,) if name == "bias" else ())
    assert verdict.worst.place in verdict.sentence
    assert verdict.used > 2


@pytest.mark.parametrize("dtype", Dtype)
def test_wrong_channels_and_taps_are_named_beside_right_ones(dtype: Dtype) -> None:
    block = filled(BLOCKS["normed"])
    given = block.kernel().to(torch_dtype(dtype))
    given.weight[1:3, :, 0, :] *= -1
    verdict = judge_stored(block, given)
    assert verdict.channels == (1, 2)
    assert verdict.taps == ((0, 0), (0, 1), (0, 2))
    assert verdict.beyond == 2 * 8 * 3
    assert len(verdict.first) == 8
    assert [number.share for number in verdict.first] == sorted(
        (number.share for number in verdict.first), reverse=True
    )
    assert "in out 1 and 2, at taps [0,0], [0,1], [0,2]" in verdict.sentence


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize(("mistake", "title"), IN_A_KERNEL)
def test_a_mistake_is_found_or_is_beyond_its_dtype(mistake: str, title: str, dtype: Dtype) -> None:
    (block, right), wrong = right_one(title), wrong_one(mistake, title)
    if wrong.weight.shape != right.weight.shape:
        return
    given = wrong.to(torch_dtype(dtype))
    if judge_stored(block, given).ruling is Ruling.WRONG:
        return
    unit = {Dtype.FLOAT64: 0.0, Dtype.FLOAT32: 2.0**-20, Dtype.FLOAT16: 2.0**-11, Dtype.BFLOAT16: 2.0**-8}[
        dtype
    ]
    for one, other in ((given.weight, right.weight), (given.bias, right.bias)):
        if other is not None:
            assert one is not None
            assert bool(((one.double() - other).abs() <= 1.001 * unit * other.abs() + 1e-7).all())


@pytest.mark.parametrize("dtype", NARROW)
def test_a_small_mistake_in_all_numbers_is_no_fold_step_by_step(dtype: Dtype) -> None:
    block = filled(replace(BLOCKS["normed"], in_channels=32, out_channels=32))
    x = torch.zeros(1, 32, 8, 8)
    verdict = judge_stored(block, wrongly_fused("eps-1e-3", block, x).kernel.to(torch_dtype(dtype)))
    assert verdict.reason is StoredReason.MISTAKE
    assert verdict.mistake is not None
    assert verdict.mistake.name == "eps-1e-3"
    assert "eps 1e-3 for 1e-5" in verdict.sentence


def test_an_eps_that_float16_rounds_is_no_mistake() -> None:
    branches = parse_branches("kxk-bias+norm,1x1-bias+norm")
    spec = BlockSpec(groups=2, branches=branches, seed=721, dtype=Dtype.FLOAT64)
    block = run_of(Case(spec, "var 1e-7", 8.0)).block.half()
    assert judge_stored(block, folded_step_by_step(block)).reason is StoredReason.STEP_BY_STEP


def test_equal_numbers_beyond_one_rounding_are_one_that_chance_may_give_to_a_mistake() -> None:
    spec = replace(PRESETS["span"].spec.with_in_channels(8), weights=WeightFill.ONES)
    block = fill_block(build_block(spec), spec).eval().half()
    given = folded_step_by_step(block)
    assert given.bias is not None
    assert given.bias.tolist() == [2320.0] * 8  # 2322, each step rounded to even
    assert judge_stored(block, given).reason is StoredReason.STEP_BY_STEP
    lost = wrongly_fused("1x1-bias-lost", block, torch.zeros(1, 8, 9, 9).half()).kernel
    assert judge_stored(block, lost.to(torch.float32)).ruling is Ruling.WRONG


def test_a_mistake_folded_step_by_step_is_not_taken_for_a_right_one() -> None:
    block = filled(BLOCKS["normed"], Dtype.BFLOAT16)
    other = copy.deepcopy(block)
    for branch in other.branches:
        norm_in(branch).running_var.mul_(0.5)  # type: ignore[union-attr]
    assert judge_stored(block, folded_step_by_step(other)).ruling is Ruling.WRONG


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_named(value: float) -> None:
    block = filled(BLOCKS["normed"])
    given = block.kernel().to(torch.float32)
    given.weight[2, 3, 0, 1] = value
    verdict = judge_stored(block, given)
    assert (verdict.ruling, verdict.reason) == (Ruling.WRONG, StoredReason.NOT_FINITE)
    assert (verdict.beyond, verdict.first[0].index, verdict.channels) == (1, (2, 3, 0, 1), (2,))
    assert verdict.used == math.inf


def test_what_its_dtype_cannot_hold_is_an_overflow() -> None:
    block = by_hand()
    with torch.no_grad():
        norm_in(block.branches[0]).weight.fill_(2.0**16)
    verdict = judge_stored(block, block.kernel().to(torch.float16))
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, StoredReason.OVERFLOW)
    assert not verdict.agrees


@pytest.mark.parametrize(("wrong", "ruling"), [(False, Ruling.SUSPICIOUS), (True, Ruling.WRONG)])
def test_where_the_block_is_not_finite_nothing_is_said_of_that(wrong: bool, ruling: Ruling) -> None:
    block = filled(BLOCKS["normed"])
    norm_in(block.branches[0]).running_var[4] = math.nan  # type: ignore[index]
    given = block.kernel().to(torch.float32)
    if wrong:
        given.weight[1] *= 2
    verdict = judge_stored(block, given)
    assert verdict.ruling is ruling
    if not wrong:
        assert (verdict.reason, verdict.unknown) == (StoredReason.DATA, 8 * 9 + 1)


def changed(change: Callable[[Tensor], Tensor]) -> Callable[[Kernel], Kernel]:
    return lambda kernel: Kernel(change(kernel.weight), kernel.bias)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed(lambda weight: weight[:4]), "4×8×3×3, and this block comes to 8×8×3×3"),
        (changed(lambda weight: weight[:, :1]), "8×1×3×3, and this block"),
        (changed(lambda weight: weight.flatten(1)), "8×72, and this block"),
        (lambda kernel: pad_to(kernel, (5, 5)), "8×8×5×5, and this block"),
        (
            lambda kernel: Kernel(kernel.weight, torch.zeros(3)),
            "bias that was given is 3, and this block has 8",
        ),
    ],
)
def test_another_shape_is_refused_with_both(change: Callable[[Kernel], Kernel], words: str) -> None:
    block = filled(BLOCKS["normed"])
    with pytest.raises(StoredShapeError, match=words):
        judge_stored(block, change(block.kernel()))


def test_an_even_kernel_may_come_in_the_odd_frame_of_its_convolution() -> None:
    block = filled(
        replace(BLOCKS["normed"], branches=parse_branches("kxk+norm,1x1"), kernel_size=(4, 4), stride=(2, 2))
    )
    conv = block.fuse()
    assert conv.bias is not None
    assert conv.weight.shape[2:] == (5, 5)
    assert judge_stored(block, Kernel(conv.weight, conv.bias)).ruling is Ruling.EXACT


def test_a_mistake_on_a_block_that_was_rounded_first() -> None:
    """Of a float32 checkpoint that was cast, fused wrongly and then held against the checkpoint."""
    block = filled(replace(BLOCKS["normed"], in_channels=16, out_channels=16))
    cast = copy.deepcopy(block).to(torch.bfloat16)
    right = judge_stored(block, cast.kernel().to(torch.bfloat16))
    assert right.ruling is Ruling.ROUNDING
    wrong = wrongly_fused("eps-1e-3", cast, torch.zeros(1, 16, 8, 8)).kernel
    verdict = judge_stored(block, wrong.to(torch.bfloat16))
    assert (verdict.ruling, verdict.reason) == (Ruling.WRONG, StoredReason.MISTAKE)


def test_steps_that_hardly_round_small_integers_are_believed() -> None:
    """Their products are exact: two numbers are off by two roundings, and all others not at all."""
    block = filled(replace(BLOCKS["grouped"], weights=WeightFill.INTEGERS), Dtype.BFLOAT16)
    given = block.kernel().to(torch.bfloat16)
    given.weight[0, 0, 1, 1] += 2.0**-6 * given.weight[0, 0, 1, 1]
    assert judge_stored(block, given).reason is StoredReason.STEP_BY_STEP
