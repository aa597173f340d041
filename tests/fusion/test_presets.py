"""The presets of the issues, under their names, each a block that fuses and scales."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.fusion.strategies import filled_block, filled_input, with_wild_norms
from tui.fusion.grammar.branch_text import show_branches
from tui.fusion.presets import PRESETS, preset_named, unireplknet_branches, unireplknet_convs
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, WeightFill

# name: branches as in the paper's code, kernel size, groups, stride, post norm
BLOCKS = {
    "residual": ("kxk,1x1,identity", 3, 1, 1, False),
    "repvgg": ("kxk+norm-bias,1x1+norm-bias,identity+norm", 3, 1, 1, False),
    "repvgg-downsample": ("kxk+norm-bias,1x1+norm-bias", 3, 1, 2, False),
    "repvgg-grouped": ("kxk+norm-bias,1x1+norm-bias,identity+norm", 3, 4, 1, False),
    "repvgg-depthwise": ("kxk+norm-bias,1x1+norm-bias,identity+norm", 3, 64, 1, False),
    "qarepvgg": ("kxk+norm-bias,1x1-bias,identity", 3, 1, 1, True),
    "mobileone": ("kxk+norm-bias," * 4 + "1x1+norm-bias,identity+norm", 3, 64, 1, False),
    "acnet": ("kxk+norm-bias,kx1+norm-bias,1xk+norm-bias", 3, 1, 1, False),
    "dbb": (
        "kxk+norm-bias,1x1+norm-bias,1x1-avg+norm+inner-bias,1x1-kxk+norm+inner+idconv-bias",
        *(3, 1, 1, False),
    ),
    "dbb-depthwise": ("kxk+norm-bias,avg+norm,1x1-kxk+norm+inner-bias+x2", 3, 64, 1, False),
    "replknet": ("kxk+norm-bias,5x5+norm-bias", 31, 64, 1, False),
    "unireplknet": (
        "kxk+norm-bias,5x5+norm-bias,7x7d2+norm-bias,3x3d3+norm-bias,3x3d4+norm-bias,3x3d5+norm-bias",
        *(13, 64, 1, False),
    ),
    "repmixer": (
        "kxk+norm-bias+gamma,1x1+norm-bias+gamma,identity+norm+gamma,identity+norm+gamma,identity",
        *(3, 64, 1, False),
    ),
    "fastvit-stem": ("kxk+norm-bias,1x1+norm-bias", 3, 64, 2, False),
    "repvit": ("kxk+norm-bias,1x1,identity", 3, 64, 1, True),
    "repghost": ("kxk+norm-bias,identity+norm", 3, 64, 1, False),
    "repconv": ("kxk+norm-bias,1x1+norm-bias", 3, 1, 1, False),
    "repvggdw": ("kxk+norm-bias,3x3+norm-bias", 7, 64, 1, False),
    "span": ("1x1+x2 > 3x3+x2 > 1x1,1x1", 3, 1, 1, False),
    "ecbsr": ("kxk,1x1+x2 > 3x3,1x1 > sobelx,1x1 > sobely,1x1 > laplacian", 3, 1, 1, False),
    "edbb": (
        "kxk,1x1,1x1+x2 > 3x3,1x1 > sobelx,1x1 > sobely,1x1 > laplacian,identity",
        *(3, 1, 1, False),
    ),
    "sesr": ("kxk+c256 > 1x1,identity", 3, 1, 1, False),
    "rrrb": ("1x1+x2 > (3x3 + identity) > 1x1,identity", 3, 1, 1, False),
    "repnext": ("kxk,5x3,3x5,1xk-bias > kx1-bias,1x5-bias > 5x1-bias", 7, 16, 1, False),
    "orepa": (
        "kxk-bias+gamma,1x1-avg-bias+gamma,1x1-bias+gamma,1x1-kxk+idconv-bias+gamma,"
        "kxk-bias+dw+x8 > 1x1-bias > gamma",
        *(3, 1, 1, True),
    ),
    "csla": ("kxk-bias+gamma,1x1-bias+gamma,identity+gamma", 3, 1, 1, True),
    "nextvit": ("norm > 1x1", 1, 1, 1, False),
    "repadapter": ("1x1+c8 > 1x1+g2 > alpha,identity", 1, 1, 1, False),
    "spike": ("1x1-bias > norm > kxk-bias+dw > 1x1-bias > norm", 3, 1, 1, False),
    "pointwise": ("1x1,identity", 1, 1, 1, False),
}

CHANNELS = {
    **dict.fromkeys(("residual", "pointwise"), (2, 2)),
    **dict.fromkeys(("ecbsr", "sesr", "repnext"), (16, 16)),
    **dict.fromkeys(("span", "edbb"), (48, 48)),
    "rrrb": (50, 50),
    "nextvit": (96, 288),
    "repadapter": (768, 768),
    "spike": (256, 256),
}
"""In and out; 64 of the others."""


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_is_the_block_of_its_name(name: str) -> None:
    spec = PRESETS[name].spec
    branches, kernel, groups, stride, post_norm = BLOCKS[name]
    assert show_branches(spec.branches) == branches
    assert spec.kernel_size == spec.fused_kernel_size == (kernel, kernel)
    assert spec.groups == spec.fused_groups == groups
    assert (spec.stride, spec.fused_dilation) == ((stride, stride), (1, 1))
    assert spec.post_norm is post_norm
    assert (spec.in_channels, spec.out_channels) == CHANNELS.get(name, (64, 64))
    assert spec.eps == (1e-3 if name in ("repconv", "repvggdw") else 1e-5)


def test_every_block_has_its_preset_and_the_first_is_the_default() -> None:
    assert list(PRESETS) == list(BLOCKS)
    assert next(iter(PRESETS.values())).spec == BlockSpec()


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_fuses_and_is_known_by_its_spec(name: str) -> None:
    preset = PRESETS[name]
    assert preset.name == name
    assert 0 < len(preset.summary) <= 53
    assert preset_named(preset.spec) == name
    assert preset_named(replace(preset.spec, seed=99)) == name
    spec = replace(preset.spec, input_shape=(8, 8))
    block, x = with_wild_norms(filled_block(spec)), filled_input(spec)
    with torch.no_grad():
        y = block(x)
        torch.testing.assert_close(block.fuse()(x), y, rtol=0, atol=1e-10 * max(1.0, float(y.abs().max())))


def test_a_published_block_names_its_paper() -> None:
    without = {name for name, preset in PRESETS.items() if "et al., 20" not in preset.summary}
    variants = {"repvgg-downsample", "repvgg-grouped", "repvgg-depthwise", "dbb-depthwise", "fastvit-stem"}
    assert without == variants | {"residual", "pointwise"}


@pytest.mark.parametrize("name", list(PRESETS))
@pytest.mark.parametrize("channels", [8, 32, 128])
def test_a_preset_scales_and_keeps_its_structure(name: str, channels: int) -> None:
    spec = PRESETS[name].spec
    scaled = spec.with_in_channels(channels)
    same = spec.in_channels == spec.out_channels
    assert (scaled.in_channels, scaled.out_channels) == (channels, channels if same else spec.out_channels)
    depthwise = spec.groups == spec.in_channels
    assert scaled.groups == (channels if depthwise else spec.groups)
    changed = {"in_channels"} | ({"out_channels"} if same else set()) | ({"groups"} if depthwise else set())
    assert set(scaled.changes_from(spec)) == changed
    assert scaled.with_in_channels(spec.in_channels) == spec


# kernel size: kernel sizes and dilations of the small convs, as in the paper's code (DilatedReparamBlock)
SMALL_CONVS = {
    17: ([5, 9, 3, 3, 3], [1, 2, 4, 5, 7]),
    15: ([5, 7, 3, 3, 3], [1, 2, 3, 5, 7]),
    13: ([5, 7, 3, 3, 3], [1, 2, 3, 4, 5]),
    11: ([5, 5, 3, 3, 3], [1, 2, 3, 4, 5]),
    9: ([5, 5, 3, 3], [1, 2, 3, 4]),
    7: ([5, 3, 3], [1, 2, 3]),
    5: ([3, 3], [1, 2]),
}


@pytest.mark.parametrize("size", SMALL_CONVS)
def test_unireplknets_table(size: int) -> None:
    assert unireplknet_convs(size) == tuple(zip(*SMALL_CONVS[size], strict=True))


@pytest.mark.parametrize("size", SMALL_CONVS)
def test_unireplknets_small_convs_fit_into_the_large_one(size: int) -> None:
    branches = unireplknet_branches(size)
    spec = BlockSpec(8, 8, kernel_size=(size, size), groups=8, branches=branches)
    assert spec.fused_kernel_size == (size, size)
    sizes, dilations = SMALL_CONVS[size]
    assert [branch.kernel_size for branch in branches[1:]] == [(taps, taps) for taps in sizes]
    assert [branch.dilation for branch in branches[1:]] == [(step, step) for step in dilations]
    assert all(branch.batch_norm and not branch.bias for branch in branches)
    block, x = filled_block(spec), filled_input(spec)
    with torch.no_grad():
        torch.testing.assert_close(block.fuse()(x), block(x), rtol=0, atol=1e-12)


def test_unireplknet_has_no_other_sizes() -> None:
    with pytest.raises(ValueError, match="kernel size 5, 7, 9, 11, 13, 15, 17, not 6"):
        unireplknet_convs(6)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_with_another_dtype_input_or_seed_still_is_it(name: str) -> None:
    spec = PRESETS[name].spec
    changed = replace(spec, dtype=Dtype.BFLOAT16, seed=7, batch_size=3, input=InputFill.ONES)
    assert preset_named(changed) == preset_named(replace(changed, weights=WeightFill.INTEGERS)) == name
    assert preset_named(replace(spec, kernel_size=(4, 4), branches=spec.branches[:1])) != name
