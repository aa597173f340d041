"""The faults that popular fusers have, one test each: ours must not have them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.fusion.layer_parts import conv_in
from tests.fusion.strategies import filled_block, filled_input, with_wild_norms
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import FusionError
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec

REPVGG = replace(PRESETS["repvgg"].spec, in_channels=8, out_channels=8, input_shape=(9, 9))


def normed(spec: BlockSpec) -> ReparamBlock:
    return with_wild_norms(filled_block(spec))


@torch.no_grad()
def difference(block: ReparamBlock, conv: nn.Conv2d, x: Tensor) -> float:
    """The largest difference, in parts of the largest output."""
    y = block(x)
    return float((conv(x) - y).abs().max() / y.abs().max())


@pytest.mark.parametrize("groups", [2, 4, 8])
def test_groups_above_1_give_the_right_kernel(groups: int) -> None:
    spec = replace(REPVGG, groups=groups)
    block = normed(spec)
    assert difference(block, block.fuse(), filled_input(spec)) < 1e-12
    shifted = with_wild_norms(filled_block(spec), seed=1)  # other values: what a wrong kernel would be
    assert difference(block, shifted.fuse(), filled_input(spec)) > 1e-2


@pytest.mark.parametrize(
    "text", ["kxk+norm", "1x1+norm", "5x5+norm", "1x1-kxk+inner+norm", "1x1-avg+inner+norm"]
)
def test_a_conv_bias_beside_a_batch_norm_is_not_dropped(text: str) -> None:
    spec = replace(REPVGG, branches=parse_branches(text))
    block = normed(spec)
    fused = block.fuse()
    assert difference(block, fused, filled_input(spec)) < 1e-12
    with torch.no_grad():
        for conv in block.modules():
            if isinstance(conv, nn.Conv2d):
                assert conv.bias is not None
                conv.bias.zero_()
    without = block.fuse()
    assert fused.bias is not None
    assert without.bias is not None
    assert not torch.allclose(fused.bias, without.bias)


def test_dilation_is_not_dropped() -> None:
    spec = replace(REPVGG, dilation=(2, 3))
    block = normed(spec)
    conv = block.fuse()
    assert conv.dilation == (2, 3)
    assert difference(block, conv, filled_input(spec)) < 1e-12


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_model_comes_back_in_its_own_dtype(dtype: torch.dtype) -> None:
    conv = normed(replace(REPVGG, post_norm=True)).to(dtype).fuse()
    assert conv.bias is not None
    assert (conv.weight.dtype, conv.bias.dtype) == (dtype, dtype)


@pytest.mark.parametrize("size", [(3, 3), (5, 5), (4, 4)])
def test_a_1x1_alone_beside_a_large_kernel_stands_at_the_centre_only(size: tuple[int, int]) -> None:
    spec = replace(REPVGG, kernel_size=size, branches=parse_branches("kxk,1x1"))
    block = filled_block(spec)
    kxk, pointwise = block.branches
    with torch.no_grad():
        conv_in(kxk).weight.zero_()
    assert block.fuse().padding == ("same" if size == (4, 4) else (size[0] // 2, size[1] // 2))
    kernel = block.kernel()
    centre = kernel.weight[:, :, (size[0] - 1) // 2, (size[1] - 1) // 2].clone()
    assert torch.equal(centre, conv_in(pointwise).weight[:, :, 0, 0].detach())
    kernel.weight[:, :, (size[0] - 1) // 2, (size[1] - 1) // 2] = 0
    assert not kernel.weight.any()


def test_a_lone_1x1_is_fused_without_padding() -> None:
    conv = build_block(replace(REPVGG, branches=parse_branches("1x1+norm"))).fuse()
    assert (conv.kernel_size, conv.padding) == ((1, 1), (0, 0))


@pytest.mark.parametrize("text", ["kxk+norm", "identity", "1x1-kxk+inner", "avg+norm"])
def test_fusing_in_train_mode_says_so(text: str) -> None:
    block = build_block(replace(REPVGG, branches=parse_branches(text))).train()
    with pytest.raises(FusionError, match="a block in train mode cannot be fused"):
        block.fuse()


def test_a_second_call_gives_the_same_again() -> None:
    block = normed(replace(REPVGG, post_norm=True))
    one, other = block.fuse(), block.fuse()
    assert torch.equal(one.weight, other.weight)
    assert difference(block, other, filled_input(REPVGG)) < 1e-12


@pytest.mark.parametrize("eps", [1e-3, 1e-5])
def test_each_norms_own_eps_is_used(eps: float) -> None:
    block = normed(replace(REPVGG, branches=parse_branches("kxk+norm,1x1-kxk+inner+norm"), post_norm=True))
    for norm in block.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eps = eps
    assert difference(block, block.fuse(), filled_input(REPVGG)) < 1e-12
