"""The summands of a fused kernel: each branch's kernel, the post norm's offset, and the steps to them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from torch import nn

from tests.fusion.strategies import filled_block, specs, with_wild_norms
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.branch_spec import POST_NORM, names_of


@given(specs())
def test_the_branches_kernels_are_named_and_sum_to_the_fused_kernel(spec: BlockSpec) -> None:
    block = filled_block(spec)
    kernels = block.kernels()
    assert [name for name, _ in kernels] == names_of(spec.branches) + [POST_NORM] * spec.post_norm
    assert [kernel.kernel_size for _, kernel in kernels] == [
        *(spec.embedded_kernel_size(branch) for branch in spec.branches),
        *[(1, 1)] * spec.post_norm,
    ]
    columns = spec.in_channels // spec.fused_groups
    assert {tuple(kernel.weight.shape[:2]) for _, kernel in kernels} == {(spec.out_channels, columns)}
    fused = block.kernel()
    total = sum(float(kernel.weight.sum()) for _, kernel in kernels)
    assert float(fused.weight.sum()) == pytest.approx(total, abs=1e-9)
    biases = [kernel.bias for _, kernel in kernels if kernel.bias is not None]
    assert (fused.bias is None) == (not biases)
    if fused.bias is not None:
        torch.testing.assert_close(fused.bias, torch.stack(biases).sum(dim=0), rtol=0, atol=1e-12)


@given(specs())
def test_the_steps_of_a_branch_end_in_its_kernel_and_begin_with_its_own(spec: BlockSpec) -> None:
    block = filled_block(spec)
    traced, kernels = block.folded().summands, block.kernels()
    assert [name for name, _ in traced] == [name for name, _ in kernels]
    for (_, steps), (_, kernel) in zip(traced, kernels, strict=True):
        assert torch.equal(steps[-1].kernel.weight, kernel.weight)
        assert all(step.title for step in steps)
        assert len({step.title for step in steps}) == len(steps)
    for (_, steps), branch in zip(traced, block.branches, strict=False):
        own = tuple(branch.folds())
        assert [step.title for step in own] == [step.title for step in steps[: len(own)]]
        assert torch.equal(own[-1].kernel.weight, branch.kernel().weight)


def test_what_the_steps_are_called() -> None:
    branches = parse_branches("3x3d2+norm+gamma+g4,1x1-kxk+inner+norm+idconv,1x1-avg+alpha,avg,identity")
    block = filled_block(BlockSpec(4, 4, branches=branches, post_norm=True))
    post = "times the post norm's scale"
    assert {name: [step.title for step in steps] for name, steps in block.folded().summands} == {
        "3x3d2": [
            "3x3 convolution",
            "batch norm folded",
            "times gamma",
            "4 groups written as 1",
            "zeros between the taps",
            post,
        ],
        "1x1-kxk": [
            "1x1 convolution",
            "identity added to the 1x1",
            "inner batch norm folded",
            "then a 3x3 convolution",
            "both as one convolution",
            "batch norm folded",
            post,
        ],
        "1x1-avg": [
            "1x1 convolution",
            "then average pooling",
            "both as one convolution",
            "times alpha",
            post,
        ],
        "avg": ["average pooling", post],
        "identity": ["identity", post],
        "post norm": ["offset of the post norm"],
    }


def test_a_post_norm_is_shared_out_among_the_branches() -> None:
    block = with_wild_norms(filled_block(BlockSpec(post_norm=True)))
    norm = block.post_norm
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    factor = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
    *summands, (name, offset) = block.kernels()
    for (_, summand), branch in zip(summands, block.branches, strict=True):
        own = branch.kernel()
        torch.testing.assert_close(summand.weight, own.weight * factor.view(-1, 1, 1, 1))
    assert name == "post norm"
    assert not offset.weight.any()
    assert offset.bias is not None
    torch.testing.assert_close(offset.bias, (norm.bias - norm.running_mean * factor).detach())
