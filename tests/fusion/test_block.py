"""The block and the convolution that it fuses to are one map."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from torch import nn

from tests.fusion.layer_parts import conv_branch, identity_branch
from tests.fusion.oracles import convolve, dense, kernel_by_impulses
from tests.fusion.strategies import EVERYTHING, filled_block, filled_input, specs, with_wild_norms
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, PaddingMode, Pair


def assert_fused_equals_unfused(spec: BlockSpec, *, wild: bool = False) -> None:
    block, x = filled_block(spec), filled_input(spec)
    if wild:
        with_wild_norms(block, spec.seed)
    with torch.no_grad():
        y, fused = block(x), block.fuse()(x)
    assert fused.shape == y.shape == spec.output_nchw
    assert float((fused - y).abs().max()) <= 1e-10 * max(1.0, float(y.abs().max()))


def test_the_block_of_the_projects_origin() -> None:
    assert_fused_equals_unfused(BlockSpec())


@pytest.mark.parametrize(("channels", "groups"), [(2, 2), (64, 1), (64, 4), (64, 64)])
@pytest.mark.parametrize("k", range(1, 8))
def test_fused_equals_unfused_beyond_the_origin(channels: int, groups: int, k: int) -> None:
    spec = BlockSpec(in_channels=channels, out_channels=channels, groups=groups, kernel_size=(k, k))
    assert_fused_equals_unfused(spec.with_branches(batch_norm=True))


@given(specs())
@settings(max_examples=150)
def test_fused_equals_unfused(spec: BlockSpec) -> None:
    assert_fused_equals_unfused(spec)


@given(specs())
@settings(max_examples=150)
def test_fused_equals_unfused_with_statistics_as_training_leaves_them(spec: BlockSpec) -> None:
    assert_fused_equals_unfused(spec, wild=True)


@pytest.mark.parametrize("post_norm", [True, False])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 2), (2, 1)])
def test_a_block_of_everything_is_one_convolution(dilation: Pair, post_norm: bool) -> None:
    branches = parse_branches(f"{EVERYTHING},avg+norm")
    spec = BlockSpec(8, 8, groups=8, dilation=dilation, branches=branches, post_norm=post_norm)
    assert_fused_equals_unfused(spec, wild=True)
    assert_fused_equals_unfused(replace(spec, kernel_size=(4, 6)), wild=True)


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("kernel_size", [(3, 3), (4, 2)])
@pytest.mark.parametrize("mode", list(PaddingMode))
def test_every_padding_mode_is_exact_at_the_border(
    mode: PaddingMode, kernel_size: Pair, stride: Pair
) -> None:
    text = EVERYTHING.replace("identity+norm,", "").replace(",1x1-kxk+zeros-bias", "")
    spec = BlockSpec(
        4, 4, branches=parse_branches(text), padding_mode=mode, kernel_size=kernel_size, stride=stride
    )
    assert_fused_equals_unfused(spec, wild=True)
    conv = build_block(spec).fuse()
    assert conv.padding_mode == mode


@given(specs())
def test_the_fused_kernel_convolved_by_definition_is_the_block(spec: BlockSpec) -> None:
    spec = replace(spec, padding_mode=PaddingMode.ZEROS)
    block, x = filled_block(spec), filled_input(spec)
    kernel = block.kernel()
    y = convolve(
        x,
        kernel.weight,
        kernel.bias,
        stride=spec.stride,
        dilation=spec.fused_dilation,
        groups=spec.fused_groups,
        padding=spec.padding,
    )
    with torch.no_grad():
        expected = block(x)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-10 * max(1.0, float(expected.abs().max())))


@given(specs())
def test_unit_impulses_give_the_fused_kernel(spec: BlockSpec) -> None:
    block = filled_block(spec)
    weight, bias = kernel_by_impulses(block, spec)
    kernel = block.kernel()
    assert kernel.kernel_size == spec.fused_kernel_size
    torch.testing.assert_close(dense(kernel.weight, spec.fused_groups), weight, rtol=0, atol=1e-12)
    fused_bias = torch.zeros_like(bias) if kernel.bias is None else kernel.bias
    torch.testing.assert_close(fused_bias, bias, rtol=0, atol=1e-12)


def test_the_forward_of_a_block_is_the_sum_of_its_branches() -> None:
    block = ReparamBlock([conv_branch("kxk", 2, 2, (3, 3)), identity_branch("identity", 2)]).eval()
    x = torch.ones(1, 2, 4, 4)
    assert torch.equal(block(x), block.branches[0](x) + x)


def test_a_post_norm_stands_behind_the_sum() -> None:
    block = with_wild_norms(filled_block(BlockSpec(post_norm=True)))
    assert isinstance(block.post_norm, nn.BatchNorm2d)
    x = filled_input(BlockSpec())
    with torch.no_grad():
        total = block.branches[0](x) + block.branches[1](x) + x
        assert torch.equal(block(x), block.post_norm(total))


def test_a_state_dict_holds_what_a_checkpoint_does_and_no_more() -> None:
    """A buffer of our own would make load_state_dict refuse everybody else's files."""
    branches = parse_branches(f"{EVERYTHING},avg+norm,identity")
    block = build_block(BlockSpec(8, 8, groups=8, branches=branches, post_norm=True))
    names = {key.rpartition(".")[2] for key in block.state_dict()}
    statistics = {"running_mean", "running_var", "num_batches_tracked"}
    assert names == {"weight", "bias", "factor"} | statistics


def eps_of(block: ReparamBlock) -> list[float]:
    return [norm.eps for norm in block.modules() if isinstance(norm, nn.BatchNorm2d)]


def test_the_blocks_eps_is_that_of_every_norm_without_one_of_its_own() -> None:
    branches = parse_branches("kxk+norm,1x1-kxk+inner+norm,1x1 > norm,1x1 > norm+eps0.5,1x1 > (norm + 1x1)")
    block = build_block(BlockSpec(branches=branches, post_norm=True, eps=1e-3))
    assert eps_of(block) == [1e-3, 1e-3, 1e-3, 1e-3, 0.5, 1e-3, 1e-3]
    assert eps_of(build_block(replace(PRESETS["repvit"].spec, eps=0.0))) == [0, 0]
