"""Where a difference comes from: the parts add up, each is what was made, and a side is nearer or not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.analysis.verdict.verdict_cases import Case, Run, run_conv, run_of
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.verdict.error_split import ErrorSplit, output_of_given, split_of
from tui.analysis.verdict.runs import run
from tui.fusion.block import conv_of
from tui.fusion.kernel import Kernel
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.specs.geometry import Geometry


def flat(*values: float, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(values, dtype=dtype).view(1, 1, 1, -1)


def split(fused: Tensor, unfused: Tensor, unfused64: Tensor, given64: Tensor) -> ErrorSplit:
    found = split_of(Outputs(unfused, fused), unfused64, given64)
    assert found is not None
    return found


def test_the_shares_by_hand() -> None:
    fused, unfused = flat(1.5, 2.0, 3.0, dtype=torch.float32), flat(1.0, 2.5, 3.0, dtype=torch.float32)
    found = split(fused, unfused, flat(1.0, 2.25, 3.5), flat(1.25, 2.5, 3.0))
    # weights .25 .25 -.5, fused .25 -.5 0, unfused 0 .25 -.5, difference .5 -.5 0
    assert (found.weights.max_abs, found.weights.at_worst) == (0.5, 0.25)
    assert (found.fused.max_abs, found.fused.at_worst) == (0.5, 0.25)
    assert (found.unfused.max_abs, found.unfused.at_worst) == (0.5, 0.0)
    assert found.weights.rms == pytest.approx(math.sqrt(0.375 / 3))
    assert (found.nearer.fused, found.nearer.unfused, found.nearer.equal) == (0, 1, 2)


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16])
def test_the_shares_add_up_to_the_difference(dtype: Dtype) -> None:
    spec = replace(PRESETS["repvgg"].spec.with_in_channels(8), input_shape=(6, 7), dtype=dtype)
    case = run_of(Case(spec, "wild"))
    conv = case.block.fuse()
    fused = run(conv, case.x)
    kernel = case.block64.kernel()
    fused64 = run(conv_of(kernel, case.block.geometry), case.x.double())
    given64 = output_of_given(kernel, case.block.geometry, case.x, fused64)
    found = split_of(Outputs(case.unfused, fused), case.unfused64, given64)
    assert found is not None
    difference = fused.double() - case.unfused.double()
    worst = float(difference.flatten()[difference.abs().argmax()])
    parts = found.weights.at_worst + found.fused.at_worst - found.unfused.at_worst
    assert parts == pytest.approx(worst, rel=1e-9)
    assert sum((found.nearer.fused, found.nearer.unfused, found.nearer.equal)) == fused.numel()
    right, bias = case.block64.kernel(), conv.bias
    assert right.bias is not None
    assert bias is not None
    rounding = Kernel(conv.weight.detach() - right.weight, bias.detach() - right.bias)
    assert found.weights.max_abs == pytest.approx(float(run_conv(rounding, case).abs().max()), rel=1e-5)
    assert conv.weight.dtype is getattr(torch, dtype)


def test_float64_has_nothing_to_be_split_by() -> None:
    assert split_of(Outputs(flat(1.0), flat(1.0)), flat(1.0), flat(1.0)) is None


def test_what_is_not_finite_stays_out() -> None:
    fused = flat(math.nan, 2.0, math.inf, dtype=torch.float32)
    found = split(fused, flat(1, 1, 1, dtype=torch.float32), flat(1, 1, 1), flat(1, 1, 1))
    assert found.fused.max_abs == found.fused.at_worst == 1.0
    assert found.nearer.unfused == 1
    assert split_of(Outputs(flat(1, dtype=torch.float32), fused[..., :1]), flat(1), flat(1)) is None


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="different shapes"):
        split_of(Outputs(flat(1.0), flat(1.0, 2.0)), flat(1.0), flat(1.0))


def run64(kernel: Kernel, case: Run) -> Tensor:
    return run(conv_of(kernel, case.block.geometry), case.x.double())


@pytest.mark.parametrize("preset", ["repvgg", "repvgg-depthwise", "dbb", "unireplknet", "residual"])
@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16])
@pytest.mark.parametrize("scale", [1.0, 2.0**-120, 2.0**100], ids=["usual", "tiny", "huge"])
def test_what_rounding_the_weights_does_holds_to_four_digits_in_large_blocks(
    preset: str, dtype: Dtype, scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.analysis.verdict.error_split._EXACTLY", 0)
    spec = replace(PRESETS[preset].spec.with_in_channels(8), input_shape=(9, 7), dtype=dtype)
    case = run_of(Case(spec, "wild"))
    kernel, geometry = case.block64.kernel(), case.block.geometry
    if dtype is not Dtype.FLOAT16:
        case = replace(case, x=case.x * scale)
    fused64, given64 = run64(kernel, case), run64(kernel.to(case.x.dtype).to(torch.float64), case)
    found = output_of_given(kernel, geometry, case.x, fused64)
    rounding = float(2.0**-50 * fused64.abs().max())
    assert float((found - given64).abs().max()) <= 1e-4 * float((given64 - fused64).abs().max()) + rounding


@pytest.mark.parametrize("exactly", [0, 2**24])
def test_weights_that_are_not_rounded_and_a_bias_that_is(
    exactly: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.analysis.verdict.error_split._EXACTLY", exactly)
    kernel = Kernel(torch.full((2, 2, 1, 1), 0.5).double(), torch.tensor([0.5, 1 / 3], dtype=torch.float64))
    x = torch.ones(1, 2, 3, 3)
    found = output_of_given(kernel, Geometry(), x, run(conv_of(kernel, Geometry()), x.double()))
    assert found[0, :, 1, 1].tolist() == [1.5, 1 + float(torch.tensor(1 / 3))]


@pytest.mark.parametrize("exactly", [0, 2**24])
def test_a_weight_that_the_dtype_cannot_hold_is_infinite(
    exactly: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.analysis.verdict.error_split._EXACTLY", exactly)
    kernel = Kernel(torch.full((1, 1, 1, 1), 1e39, dtype=torch.float64), None)
    x = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    found = output_of_given(kernel, Geometry(), x, run(conv_of(kernel, Geometry()), x.double()))
    assert not found.isfinite().any()
