"""Elements written out, against what torch computed for the whole output."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from tests.fusion.layer_parts import run_first
from tests.fusion.strategies import EVERYTHING, specs, with_wild_norms
from tests.specs import EXACT
from tui.analysis.alterations.alterations import Alterations
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.probe.probe import Probe, Totals, probe
from tui.analysis.probe.written import WrittenSum
from tui.analysis.study import Study, study_of
from tui.fusion.fill import fill_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.grammar.fields import spec_from
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, PaddingMode


def studied(spec: BlockSpec, mistake: str = "") -> Study:
    return study_of(spec, Alterations(mistake=mistake))


def pixels_of(one: Study) -> list[Pixel]:
    """Corners, the last element and one inside."""
    batch, channels, height, width = one.spec.output_nchw
    places = {(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1), (height // 2, width // 2)}
    return [Pixel(batch - 1, channel, *place) for channel in (0, channels - 1) for place in sorted(places)]


def by_hand(found: Probe) -> Totals:
    assert found.by_hand is not None, found.obstacle
    return found.by_hand


def agree(found: Probe, tolerance: float) -> None:
    hand, torchs = by_hand(found), found.torch
    assert hand.unfused == pytest.approx(torchs.unfused, rel=tolerance, abs=tolerance)
    assert hand.fused == pytest.approx(torchs.fused, rel=tolerance, abs=tolerance)


@settings(max_examples=25)
@given(specs(), st.integers(0, 9))
def test_both_sides_come_to_what_torch_computes(spec: BlockSpec, between: int) -> None:
    one = studied(spec)
    for pixel in pixels_of(one):
        found = probe(one, pixel, between)
        agree(found, 1e-11)


@pytest.mark.parametrize("mode", [PaddingMode.ZEROS, PaddingMode.REFLECT, PaddingMode.CIRCULAR])
@pytest.mark.parametrize("kernel_size", ["3", "4x5"])
def test_every_kind_in_every_padding(
    mode: PaddingMode, kernel_size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    branches = EVERYTHING if mode is PaddingMode.ZEROS else EVERYTHING.replace(",1x1-kxk+zeros-bias", "")
    fields = {"branches": branches, "kernel_size": kernel_size, "padding_mode": mode.value}
    spec = spec_from(fields, BlockSpec(8, 8, dtype=Dtype.FLOAT64, post_norm=True, groups=2))
    monkeypatch.setattr(
        "tui.analysis.study.fill_block", lambda block, spec: with_wild_norms(fill_block(block, spec), 3)
    )
    one = studied(spec)
    for pixel in pixels_of(one):
        agree(probe(one, pixel, 3), 1e-10)


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.FLOAT64])
@pytest.mark.parametrize("norm", [False, True])
def test_exact_blocks_agree_to_the_last_bit(dtype: Dtype, norm: bool) -> None:
    one = studied(replace(EXACT.with_branches(batch_norm=norm), dtype=dtype))
    for pixel in pixels_of(one):
        found = probe(one, pixel)
        assert by_hand(found) == found.torch
        assert found.torch.difference == found.torch.ulps == 0


@pytest.mark.parametrize("dtype", Dtype)
def test_random_blocks_agree_within_the_rounding_of_their_dtype(dtype: Dtype) -> None:
    spec = BlockSpec(16, 16, kernel_size=(5, 5), dtype=dtype).with_branches(batch_norm=True)
    one = studied(spec)
    unit = torch.finfo(getattr(torch, dtype)).eps
    for pixel in pixels_of(one):
        agree(probe(one, pixel), 8 * unit)


def test_the_patch_is_what_unfold_cuts_out_and_marks_the_padding() -> None:
    one = studied(BlockSpec(4, 4, groups=2, batch_size=2, input_shape=(6, 7), dtype=Dtype.FLOAT64))
    patches = functional.unfold(one.x, 3, padding=1).view(2, 4, 3, 3, 6, 7)
    outside = functional.unfold(functional.pad(torch.zeros(1, 1, 6, 7), (1,) * 4, value=1), 3).view(
        3, 3, 6, 7
    )
    for channel, first in ((0, 0), (3, 2)):
        for row, column in ((0, 0), (5, 6), (2, 3)):
            fused = probe(one, Pixel(1, channel, row, column)).fused.sum
            assert fused.channels == range(first, first + 2)
            assert torch.equal(fused.patch, patches[1, first : first + 2, :, :, row, column])
            assert torch.equal(fused.padding, outside[:, :, row, column].bool())


def test_what_is_shown_adds_up() -> None:
    """Products, subtotals, bias, what is applied, the sums: each from the one before, as a reader would."""
    spec = spec_from(
        {"branches": "kxk+norm,1x1+alpha,avg+gamma,identity+norm"}, replace(EXACT, post_norm=True)
    )
    found = probe(studied(replace(spec, kernel_size=(4, 4))), Pixel(0, 1, 0, 3))
    assert found.unfused is not None
    so_far = 0.0
    for branch, total in zip(found.unfused.branches, found.unfused.sums, strict=True):
        value = total_of(branch.stage.sum)
        for applied in branch.stage.applied:
            value = applied.factor * value + applied.offset
            assert applied.value == value
        so_far += value
        assert total == so_far
    assert found.unfused.post is not None
    assert found.unfused.post.value == found.unfused.value == found.torch.unfused
    assert total_of(found.fused.sum) == found.fused.value == found.torch.fused


def total_of(shown: WrittenSum) -> float:
    value = float((float(shown.subtotals().sum()) + (shown.bias or 0)) / shown.divisor)
    assert value == shown.value
    return value


def test_a_sequence_shows_the_first_step_of_each_channel_between() -> None:
    spec = spec_from({"branches": "1x1-kxk+inner+x2"}, BlockSpec(4, 4, groups=2, dtype=Dtype.FLOAT64))
    one = studied(spec)
    sequence = one.block.branches[0]
    middle = run_first(sequence, one.x).detach()
    found = probe(one, Pixel(0, 3, 4, 4), between=5).unfused
    assert found is not None
    (branch,) = found.branches
    assert branch.stage.sum.channels == range(4, 8)
    assert torch.allclose(branch.stage.sum.patch, middle[0, 4:8, 3:6, 3:6], rtol=0, atol=1e-13)
    assert branch.inner is not None
    assert branch.inner.value == pytest.approx(float(middle[0, 5, 4, 4]), abs=1e-13)


MISTAKES = {
    "zero-border": "kxk,1x1-kxk+inner",
    "average-uncounted": "kxk,avg,1x1-avg",
    "flipped": "kxk,1x1,identity",
    "dilation-dropped": "kxk,1x1",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_written_out_as_it_was_run(mistake: str) -> None:
    dilation = (2, 2) if mistake == "dilation-dropped" else (1, 1)
    spec = spec_from({"branches": MISTAKES[mistake]}, BlockSpec(dtype=Dtype.FLOAT64, dilation=dilation))
    one = studied(spec, mistake)
    assert one.comparison.max_abs_diff > 1e-3
    for pixel in [*pixels_of(one), one.comparison.worst]:
        agree(probe(one, pixel), 1e-12)


def test_train_mode_is_no_patch() -> None:
    one = studied(BlockSpec(dtype=Dtype.FLOAT64).with_branches(batch_norm=True), "train-mode")
    found = probe(one, one.comparison.worst)
    assert found.by_hand is None
    assert "train mode" in found.obstacle
    assert found.fused.value == pytest.approx(found.torch.fused, abs=1e-12)


def test_numbers_that_are_none_come_through(odd_weights: None) -> None:
    found = probe(studied(EXACT), Pixel(0, 0, 4, 4))
    assert math.isnan(by_hand(found).unfused)
    assert math.isnan(by_hand(found).fused)


def test_ulps_count_the_spacing_at_the_larger_value() -> None:
    assert Totals(Dtype.FLOAT32, 1.0, 1.0 + 2.0**-22).ulps == 2
    assert Totals(Dtype.BFLOAT16, 0.0, -2.0).ulps == 128
    assert Totals(Dtype.FLOAT64, 3.0, 3.0).ulps == 0


@pytest.mark.parametrize("dtype", [Dtype.BFLOAT16, Dtype.FLOAT16])
def test_16_bit_is_rounded_where_the_block_rounds(dtype: Dtype) -> None:
    """Dyadic numbers, whose sums torch computes without rounding in float32: only storing rounds."""
    branches = {"branches": "kxk+norm,1x1-kxk+inner,identity+norm+gamma"}
    spec = replace(EXACT, in_channels=32, out_channels=32, dtype=dtype, post_norm=True, input=InputFill.RAMP)
    one = studied(spec_from(branches, spec))
    assert one.comparison.max_abs_diff > 0
    for pixel in [*pixels_of(one), one.comparison.worst]:
        found = probe(one, pixel)
        assert by_hand(found) == found.torch


def test_a_wrong_kernel_smaller_than_its_frame() -> None:
    spec = BlockSpec(kernel_size=(3, 3), dilation=(2, 2), branches=parse_branches("kxk,3x3,1x1"))
    done = study_of(spec, Alterations((), "dilation-dropped"))
    found = probe(done, Pixel(0, 1, 4, 4))
    assert found.fused.value == pytest.approx(float(done.outputs.fused[0, 1, 4, 4]), abs=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "1x1+x2 > (3x3 + identity) > 1x1",
        "1x1 > (3x3+norm + 1x1-bias > alpha + identity) > 1x1",
        "(3x3d2 > 2x2 + (1x1 + avg3x3 > norm)),(norm + gamma + 1xk+dw) > alpha",
    ],
)
def test_what_a_sum_is_given_and_gives_is_rounded_as_it_is_run(text: str) -> None:
    """In bfloat16, whose rounding of each partial result nearly every element shows."""
    study = study_of(BlockSpec(8, 8, branches=parse_branches(text), dtype=Dtype.BFLOAT16))
    pixels = [Pixel(0, *place) for place in product(range(8), (0, 3, 8), (0, 4, 8))]
    same = 0
    for pixel in pixels:
        same += by_hand(probe(study, pixel)).unfused == float(study.outputs.unfused[pixel])
    assert same >= 0.95 * len(pixels)
