"""Cost: counted again on the modules themselves, and growing with what is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import Tensor, nn

from tests.fusion.strategies import filled_block, filled_input, specs
from tui.analysis.cost import Sides, cost_of
from tui.fusion.branch_text import parse_branches
from tui.fusion.spec import BlockSpec, PaddingMode


def macs_of(module: nn.Module, x: Tensor) -> int:
    """Multiply-accumulates of every nn.Conv2d that runs: outputs times the products summed in each."""
    count = 0

    def add(conv: nn.Module, _: Any, y: Tensor) -> None:
        nonlocal count
        assert isinstance(conv, nn.Conv2d)
        count += y.numel() * conv.weight[0].numel()

    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(add)
    with torch.no_grad():
        module(x)
    return count


@given(specs())
def test_counts_are_those_of_the_modules(spec: BlockSpec) -> None:
    block, x = filled_block(spec), filled_input(spec)
    kernel = block.kernel()
    bias = 0 if kernel.bias is None else kernel.bias.numel()
    cost = cost_of(spec)
    assert cost.params.unfused == sum(parameter.numel() for parameter in block.parameters())
    assert cost.params.fused == kernel.weight.numel() + bias
    assert cost.macs.unfused == macs_of(block, x)
    with torch.no_grad():
        assert cost.macs.fused == block(x).numel() * kernel.weight[0].numel()


@given(specs())
def test_fused_counts_are_those_of_the_conv_where_it_needs_no_larger_frame(spec: BlockSpec) -> None:
    odd = tuple(
        replace(branch, kernel_size=(branch.kernel_size[0] | 1, branch.kernel_size[1] | 1))
        if branch.kernel_size
        else branch
        for branch in spec.branches
    )
    kernel_size = (spec.kernel_size[0] | 1, spec.kernel_size[1] | 1)
    spec = replace(spec, kernel_size=kernel_size, branches=odd, padding_mode=PaddingMode.ZEROS)
    conv = filled_block(spec).fuse()
    cost = cost_of(spec)
    assert cost.params.fused == sum(parameter.numel() for parameter in conv.parameters())
    assert cost.macs.fused == macs_of(conv, filled_input(spec))


def test_figures_of_the_default_block() -> None:
    cost = cost_of(BlockSpec())
    assert cost.params == Sides(unfused=2 * 2 * 9 + 2 + 2 * 2 + 2, fused=2 * 2 * 9 + 2)
    assert cost.macs == Sides(unfused=81 * 2 * 2 * (9 + 1), fused=81 * 2 * 2 * 9)


@pytest.mark.parametrize(
    ("text", "params", "macs"),
    [
        ("kxk+norm+gamma", 8 * 8 * 9 + 8 + 16 + 8, 81 * 8 * 8 * 9),
        ("kxk-bias+g4+alpha", 8 * 2 * 9 + 1, 81 * 8 * 2 * 9),
        ("avg+norm", 16, 0),
        ("identity", 0, 0),
        ("1xk-bias,kx1-bias", 2 * 8 * 8 * 3, 81 * 2 * 8 * 8 * 3),
        ("1x1-avg+inner", 8 * 8 + 8 + 16, 81 * 8 * 8),
        ("1x1-kxk+inner+x2", 16 * 8 + 16 + 32 + 8 * 16 * 9 + 8, 81 * (16 * 8 + 8 * 16 * 9)),
        ("3x3d2,5x1-bias", 8 * 8 * 9 + 8 + 8 * 8 * 5, 81 * 8 * 8 * (9 + 5)),
    ],
)
def test_figures_of_each_kind(text: str, params: int, macs: int) -> None:
    spec = BlockSpec(8, 8, branches=parse_branches(text))
    cost = cost_of(spec)
    assert (cost.params.unfused, cost.macs.unfused) == (params, macs)
    assert cost_of(replace(spec, post_norm=True)).params.unfused == params + 16


def test_the_first_step_of_a_sequence_runs_on_every_pixel() -> None:
    spec = BlockSpec(8, 8, stride=(3, 3), branches=parse_branches("1x1-kxk"))
    assert cost_of(spec).macs.unfused == 81 * 8 * 8 + 9 * 8 * 8 * 9
