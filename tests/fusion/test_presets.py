"""The presets of the issue, under their names, each a block that fuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.fusion.strategies import filled_block, filled_input
from tui.fusion.presets import PRESETS, preset_named
from tui.fusion.spec import BlockSpec

KINDS = ["kxk", "1x1", "identity"]


@pytest.mark.parametrize(
    ("name", "channels", "groups", "kernel", "stride", "shape", "kinds", "batch_norm"),
    [
        ("residual", 2, 1, 3, 1, (9, 9), KINDS, False),
        ("repvgg", 64, 1, 3, 1, (56, 56), KINDS, True),
        ("repvgg-downsample", 64, 1, 3, 2, (56, 56), KINDS[:2], True),
        ("repvgg-grouped", 64, 4, 3, 1, (56, 56), KINDS, True),
        ("repvgg-depthwise", 64, 64, 3, 1, (56, 56), KINDS, True),
        ("pointwise", 2, 1, 1, 1, (9, 9), KINDS[1:], False),
    ],
)
def test_a_preset_is_the_block_of_its_name(
    name: str,
    channels: int,
    groups: int,
    kernel: int,
    stride: int,
    shape: tuple[int, int],
    kinds: list[str],
    batch_norm: bool,
) -> None:
    spec = PRESETS[name].spec
    assert (spec.in_channels, spec.out_channels, spec.groups) == (channels, channels, groups)
    assert (spec.fused_kernel_size, spec.stride) == ((kernel, kernel), (stride, stride))
    assert spec.input_shape == shape
    assert [branch.kind.value for branch in spec.branches] == kinds
    assert {branch.batch_norm for branch in spec.branches} == {batch_norm}
    assert {branch.bias for branch in spec.branches if branch.kind.has_weight} == {not batch_norm}


def test_there_are_six_and_the_first_is_the_default() -> None:
    assert len(PRESETS) == 6
    assert next(iter(PRESETS.values())).spec == BlockSpec()


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_fuses_and_is_known_by_its_spec(name: str) -> None:
    preset = PRESETS[name]
    assert preset.name == name
    assert preset.summary
    assert preset_named(preset.spec) == name
    assert preset_named(replace(preset.spec, seed=99)) is None
    spec = replace(preset.spec, input_shape=(8, 8))
    block, x = filled_block(spec), filled_input(spec)
    with torch.no_grad():
        torch.testing.assert_close(block.fuse()(x), block(x), rtol=0, atol=1e-12)
