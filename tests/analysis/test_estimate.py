"""Estimate: never below what is held, and growing with what is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from tests.fusion.strategies import filled_block, specs
from tui.analysis.cost import cost_of
from tui.analysis.estimate import (
    ASK_ABOVE_BYTES,
    ASK_ABOVE_SECONDS,
    Estimate,
    estimate_of,
    memory_of_this_machine,
)
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, BranchKind, BranchSpec, Dtype


@given(specs(dtypes=tuple(Dtype)))
def test_memory_holds_at_least_the_tensors_that_stay(spec: BlockSpec) -> None:
    size, cost, estimate = spec.dtype.bytes, cost_of(spec), estimate_of(spec)
    batch, channels, height, width = spec.input_nchw
    outputs = spec.output_nchw[0] * spec.output_nchw[1] * spec.output_nchw[2] * spec.output_nchw[3]
    values = batch * channels * height * width + 2 * outputs + cost.params.fused + cost.params.unfused
    steps = sum(
        step.kernel.weight.numel()
        for _, steps in filled_block(spec).folded().summands
        for step in (steps[0], steps[-1])
    )
    assert estimate.bytes >= values * size + steps * 4
    assert estimate.seconds > 0


@pytest.mark.parametrize("field", ["bytes", "seconds"])
@pytest.mark.parametrize(
    "more",
    [
        {"batch_size": 2},
        {"input_shape": (112, 112)},
        {"in_channels": 128, "out_channels": 128},
        {"kernel_size": (9, 9)},
    ],
)
def test_more_work_costs_more(field: str, more: dict[str, Any]) -> None:
    spec = PRESETS["repvgg"].spec
    assert getattr(estimate_of(replace(spec, **more)), field) > 1.2 * getattr(estimate_of(spec), field)


def test_no_preset_has_to_be_asked_for() -> None:
    assert [name for name, preset in PRESETS.items() if estimate_of(preset.spec).must_be_asked_for] == []


@pytest.mark.parametrize(
    "spec",
    [
        BlockSpec(512, 512, kernel_size=(7, 7), input_shape=(224, 224)),
        BlockSpec(64, 64, groups=64, input_shape=(4096, 4096), branches=(BranchSpec(BranchKind.POINTWISE),)),
        replace(PRESETS["replknet"].spec.with_in_channels(256), input_shape=(128, 128)),
    ],
    ids=["long", "large", "a large depthwise kernel"],
)
def test_a_long_or_large_run_has_to_be_asked_for(spec: BlockSpec) -> None:
    assert estimate_of(spec).must_be_asked_for


@pytest.mark.parametrize(
    ("seconds", "size", "asked"),
    [
        (ASK_ABOVE_SECONDS, ASK_ABOVE_BYTES, False),
        (ASK_ABOVE_SECONDS + 0.1, 0, True),
        (0.0, ASK_ABOVE_BYTES + 1, True),
    ],
)
def test_either_limit_asks(seconds: float, size: int, asked: bool) -> None:
    assert Estimate(size, seconds).must_be_asked_for is asked


def test_float64_runs_once() -> None:
    spec = PRESETS["repvgg"].spec
    twice, once = estimate_of(spec).seconds, estimate_of(replace(spec, dtype=Dtype.FLOAT64)).seconds
    assert 1.1 * once < twice < 2 * once


def test_memory_of_this_machine_is_a_plausible_number_of_bytes() -> None:
    memory = memory_of_this_machine()
    assert memory is None or 2**27 < memory < 2**50


def test_a_system_that_does_not_tell_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sysconf", raising=False)
    assert memory_of_this_machine() is None


REPLKNET = replace(PRESETS["replknet"].spec.with_in_channels(256), input_shape=(128, 128))


def test_a_large_depthwise_kernel_is_not_counted_as_unfolded_for_all_its_groups() -> None:
    """It took 0.55 GB where 32.6 were estimated."""
    assert 0.25e9 < estimate_of(REPLKNET).bytes < 1.1e9


def test_memory_grows_by_the_taps_only_where_torch_unfolds_them() -> None:
    spec = replace(PRESETS["repvgg"].spec, kernel_size=(15, 15), input_shape=(112, 112))
    unfolded = 112 * 112 * 64 * 15 * 15 * 8
    assert estimate_of(replace(spec, dtype=Dtype.FLOAT64)).bytes > unfolded
    assert estimate_of(spec).bytes < unfolded / 2
    depthwise = replace(spec, groups=64, dtype=Dtype.FLOAT64)
    assert estimate_of(depthwise).bytes < unfolded / 2, "one group after the other"


def test_a_dense_stride_of_2_is_unfolded_in_float64() -> None:
    spec = replace(PRESETS["repconv"].spec, kernel_size=(31, 31), input_shape=(112, 112), stride=(2, 2))
    assert estimate_of(spec).bytes > 56 * 56 * 64 * 31 * 31 * 8
    assert estimate_of(replace(spec, groups=64)).bytes < 56 * 56 * 64 * 31 * 31


@pytest.mark.parametrize("dtype", list(Dtype))
def test_a_batch_of_8_takes_8_times_what_its_tensors_take(dtype: Dtype) -> None:
    spec = replace(PRESETS["repvgg-depthwise"].spec, dtype=dtype)
    one, two, eight = (estimate_of(replace(spec, batch_size=batch)).bytes for batch in (1, 2, 8))
    assert eight - one == pytest.approx(7 * (two - one), rel=1e-6)


def test_a_wide_layer_between_takes_memory_of_its_own() -> None:
    narrow, wide = (
        replace(PRESETS["repvgg"].spec, branches=parse_branches(f"kxk,1x1-kxk+inner{factor}"))
        for factor in ("", "+x4")
    )
    assert estimate_of(wide).bytes > estimate_of(narrow).bytes + 3 * 64 * 56 * 56 * 8 * 3
