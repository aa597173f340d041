"""Judging: every reason there is, by outputs that call for it; and the channels that are looked at."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.analysis.verdict.verdict_cases import FAULTS, Case, Run, effect_of, run_of
from tui.analysis.bounds.budget import budgets_of
from tui.analysis.bounds.fold_sizes import FoldSizes, fold_sizes
from tui.analysis.numerics.comparison import compare
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.verdict.judging import judge
from tui.analysis.verdict.not_finite import NotFinite
from tui.analysis.verdict.reason import Reason, Ruling
from tui.analysis.verdict.runs import run
from tui.analysis.verdict.sampling import channels_to_judge
from tui.analysis.verdict.verdict import Verdict, Worst
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, WeightFill

pytestmark = pytest.mark.usefixtures("without_onednn")

REPVGG = replace(PRESETS["repvgg"].spec.with_in_channels(4), input_shape=(6, 7), batch_size=2)
EXACT = BlockSpec(weights=WeightFill.INTEGERS, input=InputFill.INTEGERS)


class FourOutputs:
    """The four outputs of a right fusion, to be changed before they are judged."""

    def __init__(self, spec: BlockSpec, channels: list[int] | None = None) -> None:
        self.run: Run = run_of(Case(spec))
        block, x = self.run.block, self.run.x
        self.fused = run(block.fuse(), x)
        self.unfused = self.run.unfused.clone()
        self.fused64 = run(self.run.block64.fuse(), self.run.x64)
        self.unfused64 = self.run.unfused64.clone()
        self.dtype = spec.dtype
        self.bound(channels)

    def bound(self, channels: Sequence[int] | None) -> None:
        """Let these output channels be judged."""
        dtypes = [self.dtype, Dtype.FLOAT64]
        self.budgets = budgets_of(self.run.block64, self.run.x64, dtypes, channels)

    @property
    def both(self) -> tuple[Outputs, Outputs]:
        """In the dtype and in float64."""
        return Outputs(self.unfused, self.fused), Outputs(self.unfused64, self.fused64)

    @property
    def looked_at(self) -> tuple[ReparamBlock, Tensor, FoldSizes]:
        """The block, its input and the sizes of its fold."""
        return self.run.block64, self.run.x64, fold_sizes(self.run.block64)

    def judged(self) -> Verdict:
        budget, budget64 = self.budgets
        return judge(self.dtype, *self.both, budget, budget64)


PLACE = Pixel(1, 2, 3, 4)


@pytest.mark.parametrize("dtype", Dtype)
def test_a_right_fusion_is_rounding(dtype: Dtype) -> None:
    verdict = run_of(Case(replace(REPVGG, dtype=dtype), "wild")).judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.ROUNDING, Reason.WITHIN)
    assert 0 < verdict.budget_used < 1
    assert verdict.algebra_used < 0.3
    assert (verdict.channels, verdict.out_channels) == (4, 4)
    assert verdict.sentence.startswith(f"They agree: what differs in {dtype} is rounding, ")
    assert f"{100 * verdict.budget_used:.0f} % of the rounding budget" in verdict.sentence
    assert verdict.scope == ""


@pytest.mark.parametrize("dtype", Dtype)
def test_small_integers_are_exact(dtype: Dtype) -> None:
    verdict = run_of(Case(replace(EXACT, dtype=dtype))).judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.EXACT, Reason.SAME)
    assert (verdict.budget_used, verdict.algebra_used) == (0.0, 0.0)
    assert verdict.worst.difference == verdict.worst.ulps == 0.0


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dtype", Dtype)
def test_a_wrong_kernel_is_wrong_in_every_dtype(fault: str, dtype: Dtype) -> None:
    case = run_of(Case(replace(REPVGG, dtype=dtype)))
    kernel = FAULTS[fault](case.block64)
    verdict = case.judged(kernel)
    assert (verdict.ruling, verdict.reason) == (Ruling.WRONG, Reason.ALGEBRA)
    assert verdict.algebra_used > 1e5
    assert abs(verdict.worst.difference) <= effect_of(case, kernel) * (1 + 1e-9)
    assert verdict.sentence.endswith("the fused kernel is wrong.")


def test_bfloat16_alone_would_not_have_seen_a_wrong_eps() -> None:
    outputs = FourOutputs(replace(REPVGG, dtype=Dtype.BFLOAT16))
    wrong = FAULTS["eps 1e-3 for 1e-5"](outputs.run.block64)
    conv = conv_of(wrong.to(torch.bfloat16), outputs.run.block.geometry)
    outputs.fused = run(conv, outputs.run.x)
    assert outputs.judged().reason is Reason.WITHIN
    assert "eps of 1e-3 for 1e-5 would have looked like rounding" in outputs.judged().caveat


def test_only_16_bit_dtypes_have_a_caveat() -> None:
    assert [bool(FourOutputs(replace(REPVGG, dtype=dtype)).judged().caveat) for dtype in Dtype] == [
        dtype.bytes == 2 for dtype in Dtype
    ]


def test_the_worst_element_is_told_with_its_bound() -> None:
    outputs = FourOutputs(REPVGG)
    rigorous, probable = outputs.budgets[0].at(PLACE) or (0.0, 0.0)
    step = (probable + rigorous) / 2
    outputs.fused.copy_(outputs.unfused)
    outputs.fused[PLACE] = outputs.unfused[PLACE].double() + step
    verdict = outputs.judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, Reason.COARSE)
    worst = verdict.worst
    assert worst.index == PLACE
    assert (worst.fused, worst.unfused) == (float(outputs.fused[PLACE]), float(outputs.unfused[PLACE]))
    assert worst.difference == worst.fused - worst.unfused
    assert verdict.bound == probable
    assert verdict.budget_used == pytest.approx(worst.difference / probable)
    spacing = math.ulp(abs(worst.unfused)) * 2**29
    assert worst.ulps == pytest.approx(worst.difference / spacing)
    assert "more than rounding is likely to make, less than it can" in verdict.sentence


def test_beyond_the_rigorous_bound_the_run_went_wrong() -> None:
    outputs = FourOutputs(REPVGG)
    outputs.fused[PLACE] += 3.0
    verdict = outputs.judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.WRONG, Reason.ARITHMETIC)
    assert verdict.algebra_used < 1
    assert verdict.worst.index == PLACE
    assert "in float64 all is well, but in float32" in verdict.sentence


def test_outputs_of_other_shapes_are_wrong() -> None:
    outputs = FourOutputs(REPVGG)
    outputs.fused = outputs.fused[..., 1:]
    verdict = outputs.judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.WRONG, Reason.SHAPE)
    assert verdict.sentence == "They do NOT agree: their outputs have different shapes."


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", ["fused", "unfused", "fused64", "unfused64"])
def test_what_is_not_finite_on_one_side_is_wrong(value: float, side: str) -> None:
    outputs = FourOutputs(REPVGG)
    getattr(outputs, side)[PLACE] = value
    verdict = outputs.judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.WRONG, Reason.NOT_FINITE)
    assert verdict.worst.index == PLACE


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_on_both_sides_is_left_out_and_said(value: float) -> None:
    outputs = FourOutputs(REPVGG)
    before = outputs.judged()
    for output in (outputs.fused, outputs.unfused, outputs.fused64, outputs.unfused64):
        output[PLACE] = value
        output[0, 0, 0] = value
    verdict = outputs.judged()
    assert verdict.ruling is before.ruling
    assert verdict.non_finite == 8
    assert verdict.scope == "8 elements are NaN or infinite on both sides alike and left out."


def test_nothing_finite_is_no_agreement() -> None:
    outputs = FourOutputs(REPVGG)
    for output in (outputs.fused, outputs.unfused, outputs.fused64, outputs.unfused64):
        output.fill_(math.nan)
    verdict = outputs.judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, Reason.NOTHING)


def test_opposite_infinities_are_not_alike() -> None:
    outputs = FourOutputs(REPVGG)
    outputs.fused[PLACE], outputs.unfused[PLACE] = math.inf, -math.inf
    assert outputs.judged().reason is Reason.NOT_FINITE


def test_float16_that_overflows_is_no_wrong_kernel() -> None:
    """A batch norm scales a sum of 72000 down: the branch overflows before it, the fused convolution not."""
    spec = BlockSpec(
        in_channels=4,
        branches=parse_branches("kxk+norm-bias"),
        dtype=Dtype.FLOAT16,
        input=InputFill.ONES,
        weights=WeightFill.ONES,
    )
    case = run_of(Case(spec, loudness=2000.0))
    verdict = case.judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, Reason.OVERFLOW)
    assert verdict.algebra_used < 1
    assert verdict.sentence.startswith("The algebra is right, but float16 overflowed")
    wide = run_of(Case(replace(spec, dtype=Dtype.BFLOAT16), loudness=2000.0))
    assert wide.judged().ruling in (Ruling.ROUNDING, Ruling.EXACT)


def test_both_sides_infinite_everywhere_is_an_overflow_too() -> None:
    spec = BlockSpec(in_channels=4, branches=parse_branches("kxk,kxk"), dtype=Dtype.FLOAT16)
    spec = replace(spec, input=InputFill.ONES, weights=WeightFill.ONES)
    verdict = run_of(Case(spec, loudness=8000.0)).judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, Reason.OVERFLOW)


def cut_to_tf32(x: Tensor) -> Tensor:
    """float32 numbers with 10 bits after the point, cut as the hardware may."""
    return (x.view(torch.int32) & ~0x1FFF).view(torch.float32)


def test_tf32_is_recognised() -> None:
    outputs = FourOutputs(replace(REPVGG, in_channels=32, out_channels=32))
    conv = outputs.run.block.fuse()
    with torch.no_grad():
        conv.weight.copy_(cut_to_tf32(conv.weight))
        outputs.fused = run(conv, cut_to_tf32(outputs.run.x))
    verdict = outputs.judged()
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, Reason.TF32)
    assert "looks like TF32" in verdict.sentence
    outputs.fused[PLACE] += 1.0
    assert outputs.judged().reason is Reason.ARITHMETIC


WIDE = replace(PRESETS["repvgg"].spec, input_shape=(5, 5))


def test_a_small_run_is_judged_whole_and_a_large_one_in_a_sample() -> None:
    outputs = FourOutputs(WIDE)
    assert channels_to_judge(*outputs.looked_at, *outputs.both) == tuple(range(64))
    sample = channels_to_judge(*outputs.looked_at, *outputs.both, most_macs=250_000)
    assert 8 <= len(sample) <= 28
    assert list(sample) == sorted(set(sample))
    assert max(after - before for before, after in itertools.pairwise(sample)) <= 8


@pytest.mark.parametrize("channel", [0, 13, 63])
def test_a_bug_in_one_channel_is_in_every_sample(channel: int) -> None:
    outputs = FourOutputs(WIDE)
    kernel = outputs.run.block64.kernel()
    weight = kernel.weight.clone()
    weight[channel] *= 1 + 1e-6
    outputs.fused64 = run(conv_of(Kernel(weight, kernel.bias), outputs.run.block.geometry), outputs.run.x64)
    sample = channels_to_judge(*outputs.looked_at, *outputs.both, most_macs=1)
    assert channel in sample
    assert len(sample) < 64
    outputs.bound(sample)
    verdict = outputs.judged()
    assert verdict.reason is Reason.ALGEBRA
    assert verdict.worst.index[1] == channel
    assert verdict.scope.startswith(f"{len(sample)} of 64 output channels were judged")


def test_a_bug_in_a_quiet_channel_is_in_every_sample() -> None:
    """Its difference is far below the rounding of all others, and far above its own."""
    outputs = FourOutputs(WIDE)
    outputs.unfused64[:, 29] *= 1e-12
    outputs.fused64[:, 29] = outputs.unfused64[:, 29] * (1 + 1e-6)
    assert 29 in channels_to_judge(*outputs.looked_at, *outputs.both, most_macs=1)


@pytest.mark.parametrize("first", [3, 21, 50])
def test_of_many_channels_that_differ_alike_the_one_that_is_told_of_is_in_every_sample(first: int) -> None:
    outputs = FourOutputs(WIDE)
    outputs.unfused, outputs.fused = torch.ones_like(outputs.unfused), torch.ones_like(outputs.unfused)
    outputs.fused[:, first:] = 1.5
    assert compare(outputs.both[0]).worst.channel == first
    assert first in channels_to_judge(*outputs.looked_at, *outputs.both, most_macs=1)


def test_a_channel_that_is_not_finite_is_in_every_sample() -> None:
    outputs = FourOutputs(WIDE)
    outputs.fused[0, 41, 2, 2] = math.nan
    assert 41 in channels_to_judge(*outputs.looked_at, *outputs.both, most_macs=1)


def test_judging_changes_no_output() -> None:
    outputs = FourOutputs(REPVGG)
    before = copy.deepcopy((outputs.fused, outputs.unfused, outputs.fused64, outputs.unfused64))
    outputs.judged()
    after = outputs.fused, outputs.unfused, outputs.fused64, outputs.unfused64
    assert all(one.equal(other) for one, other in zip(before, after, strict=True))


def test_every_reason_has_a_sentence_without_a_hole() -> None:
    worst = Worst(Pixel(0, 0, 0, 0), 1.0, 1.0, 0.0, 0.0)
    for reason in Reason:
        within = reason.ruling in (Ruling.EXACT, Ruling.ROUNDING)
        for used in (0.003, 0.41) if within else (2.7, 6.7e5, math.inf):
            found = NotFinite("input", 1, 3, (0,), (0,))
            sentence = Verdict(reason, Dtype.FLOAT16, used, 1.0, used, worst, 1, 1, not_finite=found).sentence
            assert sentence.endswith(".")
            assert not {"inf", "nan", "None"} & set(sentence.replace("%", " ").split())
    assert Verdict(Reason.ALGEBRA, Dtype.FLOAT32, 9.0, 1.0, 6.7e5, worst, 1, 1).sentence == (
        "They do NOT agree: in float64 the difference is 6.7e+05 times the largest that rounding can make; "
        "the fused kernel is wrong."
    )
