"""Blocks and inputs that once broke the verdict, each with the right one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.analysis.verdict.verdict_cases import Case, Run, run_of
from tui.analysis.alterations.alterations import FUSED, INPUT, Alterations, Edit
from tui.analysis.bounds.budget import budgets_of
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.study import Study, study_of
from tui.analysis.verdict.evidence import Evidence, verdict_on
from tui.analysis.verdict.reason import Reason, Ruling
from tui.analysis.verdict.runs import run
from tui.analysis.verdict.verdict import Verdict
from tui.fusion.block import ReparamBlock, build_block, conv_of
from tui.fusion.fill import fill_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, WeightFill
from tui.fusion.torch_dtypes import torch_dtype


def edited(spec: BlockSpec, *edits: tuple[str, tuple[int, ...], float]) -> Study:
    return study_of(spec, Alterations(tuple(Edit(*edit) for edit in edits)))


def verdict_of(block: ReparamBlock, x: Tensor, dtype: Dtype, kernel: Kernel | None = None) -> Verdict:
    """On this float64 kernel for this block, the right one if none is given; block and x are float64."""
    narrow = in_dtype(block, dtype)
    small = x.to(torch_dtype(dtype))
    wide, x64 = in_dtype(narrow, Dtype.FLOAT64), small.double()
    right = narrow.kernel()
    given = kernel or right
    conv = conv_of(given.to(torch_dtype(dtype)), block.geometry)
    outputs = Outputs(run(narrow, small), run(conv, small))
    outputs64 = Outputs(run(wide, x64), run(conv_of(given, block.geometry), x64))
    return verdict_on(Evidence(dtype, wide, x64, right, given, outputs, outputs64))[1]


def in_dtype(block: ReparamBlock, dtype: Dtype) -> ReparamBlock:
    import copy

    return copy.deepcopy(block).to(torch_dtype(dtype))


def block_of(in_channels: int, out_channels: int, branches: str, **fields: object) -> ReparamBlock:
    spec = BlockSpec(in_channels, out_channels, branches=parse_branches(branches), dtype=Dtype.FLOAT64)
    spec = replace(spec, **fields)  # type: ignore[arg-type]
    return fill_block(build_block(spec).double(), spec)


def weights_of(block: ReparamBlock) -> list[Tensor]:
    return [parameter.data for name, parameter in block.named_parameters() if name.endswith("weight")]


# Sums of equal products round alike at each step.


@pytest.mark.parametrize("size", [7, 15, 21])
@pytest.mark.parametrize("seed", range(4))
def test_an_average_of_equal_pixels_is_rounding(size: int, seed: int) -> None:
    spec = BlockSpec(
        1,
        1,
        kernel_size=(size, size),
        branches=parse_branches("1x1-avg,identity"),
        input_shape=(size, size),
        input=InputFill.ONES,
        seed=seed,
    )
    assert study_of(spec).verdict.ruling in (Ruling.ROUNDING, Ruling.EXACT)


def few_valued(kind: str, generator: torch.Generator, weight: Tensor) -> Tensor:
    """A weight of that shape with few different numbers in it."""
    value = float(torch.rand((), generator=generator, dtype=torch.float64)) + 0.1
    constant = torch.full_like(weight, value)
    match kind:
        case "one doubled":
            constant.view(-1)[weight.numel() // 3] *= 2
        case "one jittered":
            constant.view(-1)[weight.numel() // 3] *= 1 + 1e-6
        case "all jittered":
            constant *= 1 + 1e-6 * torch.rand(weight.shape, generator=generator, dtype=torch.float64)
        case "2 bits":
            levels = torch.randint(1, 5, weight.shape, generator=generator).double()
            constant = value * levels
    return constant


@pytest.mark.parametrize("kind", ["one doubled", "one jittered", "all jittered", "2 bits"])
@pytest.mark.parametrize("seed", range(12))
def test_weights_of_few_values_are_rounding(kind: str, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    block = block_of(512, 1, "kxk-bias,kxk-bias")
    for weight in weights_of(block):
        weight.copy_(few_valued(kind, generator, weight))
    x = torch.full((1, 512, 6, 6), float(torch.rand((), generator=generator)) + 0.1, dtype=torch.float64)
    assert verdict_of(block, x, Dtype.FLOAT32).ruling in (Ruling.ROUNDING, Ruling.EXACT)


# An overflow on the way is no wrong kernel.


@pytest.mark.parametrize(
    ("dtype", "weight", "pixel"),
    [
        (Dtype.FLOAT32, 1e19, 1e20),
        (Dtype.BFLOAT16, 1e19, 1e20),
        (Dtype.FLOAT64, 1e200, 1e200),
        (Dtype.FLOAT64, 1e154, 1e155),
    ],
)
def test_a_partial_sum_that_overflows_is_an_overflow(dtype: Dtype, weight: float, pixel: float) -> None:
    block = block_of(2, 1, "1x1-bias,1x1-bias", kernel_size=(1, 1))
    one, other = weights_of(block)
    one.copy_(torch.tensor([weight, -weight], dtype=torch.float64).view(1, 2, 1, 1))
    other.copy_(-one)
    x = torch.full((1, 2, 3, 3), pixel, dtype=torch.float64)
    verdict = verdict_of(block, x, dtype)
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, Reason.OVERFLOW)
    assert "overflow" in verdict.sentence


def test_two_sums_that_overflow_in_float64_are_an_overflow() -> None:
    block = block_of(1, 1, "1x1-bias,1x1-bias", kernel_size=(1, 1))
    one, other = weights_of(block)
    one.fill_(1e200)
    other.fill_(-1e200)
    verdict = verdict_of(block, torch.full((1, 1, 3, 3), 1e200, dtype=torch.float64), Dtype.FLOAT64)
    assert verdict.reason is Reason.OVERFLOW


# What goes in is not finite.


IDENTITY = BlockSpec(3, 3, branches=parse_branches("identity"), input_shape=(9, 9))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", Dtype)
def test_an_input_that_is_not_finite_is_a_reason_of_its_own(value: float, dtype: Dtype) -> None:
    """The identity passes one pixel on; 0 times it is NaN in the two other channels of the fused side."""
    study = edited(replace(IDENTITY, dtype=dtype), (INPUT, (0, 0, 4, 4), value))
    verdict = study.verdict
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, Reason.DATA)
    assert verdict.sentence.startswith("The algebra is right, but the input is not finite: ")
    assert "1 value of the unfused output" in verdict.sentence
    assert "3 of the fused one" in verdict.sentence


def test_a_wrong_kernel_is_found_beside_an_input_that_is_not_finite() -> None:
    study = edited(IDENTITY, (INPUT, (0, 0, 4, 4), math.nan), (f"{FUSED}.weight", (2, 2, 0, 0), 1.5))
    assert study.verdict.reason is Reason.ALGEBRA


LEFT_OUT = BlockSpec(2, 2, branches=parse_branches("kxk-bias,1x1-bias,identity"), input_shape=(9, 9))


@pytest.mark.parametrize(
    ("dtype", "value"), [(Dtype.FLOAT32, 1e39), (Dtype.FLOAT32, math.nan), (Dtype.FLOAT16, 70000.0)]
)
def test_what_is_not_finite_hides_no_wrong_weight(dtype: Dtype, value: float) -> None:
    spec = replace(LEFT_OUT, dtype=dtype)
    broken = ("kxk.weight", (0, 0, 1, 1), value)
    others = [
        (f"{FUSED}.weight", (0, *tap), 99.0)
        for tap in itertools.product(range(2), range(3), range(3))
        if tap != (0, 1, 1)
    ]
    verdict = edited(spec, broken, *others).verdict
    assert (verdict.ruling, verdict.reason) == (Ruling.WRONG, Reason.WEIGHTS)
    assert verdict.sentence.startswith("They do NOT agree: ")
    assert "out 0" in verdict.sentence


@pytest.mark.parametrize("value", [1e39, math.nan])
def test_a_channel_that_is_left_out_is_no_agreement(value: float) -> None:
    verdict = edited(LEFT_OUT, ("kxk.weight", (0, 0, 1, 1), value)).verdict
    assert (verdict.ruling, verdict.reason) == (Ruling.SUSPICIOUS, Reason.DATA)
    assert "kxk.weight is not finite" in verdict.sentence
    assert "out 0" in verdict.sentence


# How torch computes a convolution is no matter of the fusion.


def one_hot(batch: int, channels: int) -> Tensor:
    x = torch.zeros(batch, channels, 5, 5, dtype=torch.float64)
    x[:, 0, 2, 2] = 1.0
    return x


@pytest.mark.parametrize("make", [one_hot, lambda *shape: torch.randn(*shape, 9, 9, dtype=torch.float64)])
@pytest.mark.parametrize("channels", [1, 8])
def test_the_bounds_do_not_depend_on_the_backend(
    make: Callable[[int, int], Tensor], channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    block, x = block_of(channels, channels, "kxk,1x1,identity"), make(16, channels)
    usual = budgets_of(block, x, list(Dtype))
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    for one, other in zip(usual, budgets_of(block, x, list(Dtype)), strict=True):
        assert (other.rigorous >= 0).all()
        torch.testing.assert_close(other.rigorous, one.rigorous, rtol=1e-3, atol=0.0)
        torch.testing.assert_close(other.probable, one.probable, rtol=1e-3, atol=0.0)


@pytest.mark.parametrize(
    "spec",
    [
        BlockSpec(1, 1, branches=parse_branches("kxk,1x1,identity"), batch_size=16, input_shape=(5, 5)),
        replace(PRESETS["residual"].spec, batch_size=32),
        BlockSpec(8, 8, batch_size=16, input_shape=(12, 12)),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_a_run_by_winograd_is_no_wrong_kernel_and_no_tf32(
    spec: BlockSpec, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", False)
    verdict = study_of(replace(spec, seed=seed)).verdict
    assert verdict.reason in (Reason.WITHIN, Reason.TRANSFORMED)
    assert verdict.ruling in (Ruling.ROUNDING, Ruling.SUSPICIOUS)


# Numbers near zero may be flushed to it.


@pytest.mark.parametrize("pixel", [1e-39, 3e-39, 1.1e-38])
def test_numbers_that_are_flushed_to_zero_are_rounding(pixel: float) -> None:
    spec = replace(IDENTITY, dtype=Dtype.BFLOAT16)
    study = edited(spec, (INPUT, (0, 0, 4, 4), pixel))
    assert study.verdict.ruling in (Ruling.ROUNDING, Ruling.EXACT)


@pytest.mark.parametrize("exponent", [-121, -126, -130, -140])
@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16])
@pytest.mark.parametrize("flush", [False, True])
def test_an_input_near_the_smallest_numbers_is_rounding(exponent: int, dtype: Dtype, flush: bool) -> None:
    generator = torch.Generator().manual_seed(7)
    try:
        torch.set_flush_denormal(flush)
        for branches in ("identity", "kxk,1x1,identity", "1x1-kxk,1x1-avg+norm", "kxk+norm+alpha,1x1+gamma"):
            block = block_of(4, 4, branches)
            x = torch.randn(1, 4, 9, 9, dtype=torch.float64, generator=generator) * 2.0**exponent
            verdict = verdict_of(block, x, dtype)
            assert verdict.ruling in (Ruling.ROUNDING, Ruling.EXACT), branches
    finally:
        torch.set_flush_denormal(False)


# No channel's mistake is hidden by another's numbers.


@pytest.mark.parametrize("channel", [0, 77, 191, 255])
def test_a_wrong_channel_is_in_the_sample_beside_louder_ones(channel: int) -> None:
    spec = BlockSpec(64, 256, branches=parse_branches("kxk-bias,kxk-bias"), dtype=Dtype.FLOAT64)
    spec = replace(spec, input_shape=(56, 56), batch_size=4)
    block = fill_block(build_block(spec).double(), spec)
    one, other = weights_of(block)
    one[10:14] *= 1e13
    other[20:24] = -one[20:24]
    right = block.kernel()
    wrong = right.weight.clone()
    wrong[channel] *= 1.001
    x = torch.randn(spec.input_nchw, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    verdict = verdict_of(block, x, Dtype.FLOAT64, Kernel(wrong, None))
    assert verdict.channels < 256
    assert verdict.reason is Reason.ALGEBRA
    assert verdict.worst.index.channel == channel


@pytest.mark.parametrize("loud", [1e40, 1e52, 1e60, 1e200])
def test_an_input_of_any_range_hides_no_flipped_channel(loud: float) -> None:
    block = block_of(4, 4, "kxk-bias", groups=4)
    x = torch.randn(1, 4, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x[:, 0] *= loud
    right = block.kernel()
    wrong = right.weight.clone()
    wrong[1] = wrong[1].flip(1, 2)
    assert verdict_of(block, x, Dtype.FLOAT64).ruling in (Ruling.ROUNDING, Ruling.EXACT)
    assert verdict_of(block, x, Dtype.FLOAT64, Kernel(wrong, None)).reason is Reason.ALGEBRA


def test_right_fusions_of_plain_data_are_judged_as_tightly_as_before() -> None:
    """The budget has not been widened for the data that most people have: 40 % of it is used."""
    verdict = run_of(Case(replace(PRESETS["repvgg"].spec, input_shape=(14, 14)))).judged()
    assert 0.2 < verdict.budget_used < 0.7


_ = Run, WeightFill
