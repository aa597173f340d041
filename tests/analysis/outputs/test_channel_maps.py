from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from tests.specs import ROUNDED
from tui.analysis.alterations.alterations import Alterations, Edit
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.outputs.channel_maps import channel_maps, peak
from tui.analysis.outputs.output_element import output_element
from tui.analysis.study import Study, study_of
from tui.fusion.specs.block_spec import BlockSpec, Dtype

BATCH = BlockSpec(in_channels=4, out_channels=4, groups=2, batch_size=2, dtype=Dtype.BFLOAT16)


@pytest.fixture(scope="module")
def batch() -> Study:
    return study_of(BATCH)


def test_the_maps_are_those_of_the_channels(batch: Study) -> None:
    maps = channel_maps(batch, 1, 2, 3)
    assert torch.equal(maps.input[0, 0], batch.x[1, 3])
    assert torch.equal(maps.unfused[0, 0], batch.outputs.unfused[1, 2])
    assert torch.equal(maps.fused[0, 0], batch.outputs.fused[1, 2])
    assert maps.fused.data_ptr() == batch.outputs.fused[1, 2].data_ptr()


def test_difference_and_share_peak_where_the_study_says(batch: Study) -> None:
    n, channel, row, column = batch.comparison.worst
    difference = channel_maps(batch, n, channel, 0).difference
    assert abs(float(difference[0, 0, row, column])) == peak(difference) == batch.comparison.max_abs_diff
    worst = batch.verdict.worst
    n, channel, row, column = worst.index
    share = channel_maps(batch, n, channel, 0).share
    assert share is not None
    assert abs(float(share[0, 0, row, column])) == peak(share) == batch.verdict.budget_used
    assert float(share[0, 0, row, column]) * worst.difference > 0


def test_an_element_is_read_as_the_verdict_reads_its_worst(batch: Study) -> None:
    worst = batch.verdict.worst
    element = output_element(batch, worst.index)
    assert (element.unfused, element.fused, element.ulps) == (worst.unfused, worst.fused, worst.ulps)
    assert element.difference == abs(worst.difference)
    assert element.budget == batch.verdict.bound
    assert element.share == batch.verdict.budget_used


def test_where_nothing_differs_the_share_is_zero_whatever_the_budget() -> None:
    found = study_of(ROUNDED)
    budget = replace(found.budget, probable=torch.zeros_like(found.budget.probable))
    bare = replace(found, budget=budget)
    maps = channel_maps(bare, 0, 0, 0)
    assert maps.share is not None
    same = maps.difference == 0
    assert bool(same.any())
    assert bool((maps.share[same] == 0).all())
    assert bool(maps.share[~same].isinf().all())
    assert output_element(bare, Pixel(0, 0, 0, 0)).share in (0.0, math.inf)


def test_a_channel_outside_the_sample_has_no_share(batch: Study) -> None:
    bounds = {name: getattr(batch.budget, name)[:, 1:2] for name in ("probable", "rigorous")}
    sampled = replace(batch, budget=replace(batch.budget, channels=(1,), **bounds))
    whole, part = (channel_maps(each, 0, 1, 0).share for each in (batch, sampled))
    assert whole is not None
    assert part is not None
    assert torch.equal(whole, part)
    assert channel_maps(sampled, 0, 2, 0).share is None
    assert output_element(sampled, Pixel(0, 2, 0, 0)).share is None


def test_infinite_alike_is_no_number_and_not_alike_is_infinite() -> None:
    edits = (Edit("input", (0, 0, 0, 0), math.inf), Edit("input", (0, 0, 8, 8), math.nan))
    found = study_of(ROUNDED, Alterations(edits=edits))
    maps = channel_maps(found, 0, 0, 0)
    assert math.isnan(float(maps.difference[0, 0, 8, 8]))
    assert float(maps.difference[0, 0, 4, 4]) == float(maps.fused[0, 0, 4, 4]) - float(
        maps.unfused[0, 0, 4, 4]
    )
    assert math.isnan(output_element(found, Pixel(0, 0, 8, 8)).difference)
    fused = found.outputs.fused.clone()
    fused[0, 0, 4, 4], fused[0, 0, 4, 5] = math.inf, math.nan
    spoilt = replace(found, outputs=Outputs(found.outputs.unfused, fused))
    assert channel_maps(spoilt, 0, 0, 0).difference[0, 0, 4, 4:6].tolist() == [math.inf, math.inf]
    assert output_element(spoilt, Pixel(0, 0, 4, 5)).difference == math.inf


def test_peak_sees_finite_values_only() -> None:
    assert peak(torch.tensor([1.0, -2.0, math.inf]), torch.tensor([math.nan])) == 2
    assert peak(torch.tensor([math.nan, -math.inf])) is None
