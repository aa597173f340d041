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
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec, Dtype, Pair


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
    conv, cost = block.fuse(), cost_of(spec)
    for side, module in (("unfused", block), ("fused", conv)):
        assert getattr(cost.params, side) == sum(parameter.numel() for parameter in module.parameters())
        assert getattr(cost.macs, side) == macs_of(module, x)


@pytest.mark.parametrize("size", [(1, 1), (1, 4), (2, 2), (2, 3), (3, 3), (4, 4), (6, 5)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("branches", ["kxk,1x1", "kxk-bias,1x1-bias"])
def test_the_fused_side_is_the_conv_that_is_given_away(
    size: Pair, stride: Pair, dilation: Pair, branches: str
) -> None:
    spec = BlockSpec(
        3,
        4,
        size,
        stride,
        dilation,
        branches=parse_branches(branches),
        input_shape=(13, 12),
        dtype=Dtype.FLOAT64,
    )
    conv, cost = filled_block(spec).fuse(), cost_of(spec)
    assert conv.kernel_size == spec.conv2d_frame.kernel_size
    assert cost.params.fused == sum(parameter.numel() for parameter in conv.parameters())
    assert cost.macs.fused == macs_of(conv, filled_input(spec))


def test_figures_of_an_even_kernel_with_stride() -> None:
    spec = BlockSpec(4, 4, (4, 4), (2, 2), branches=parse_branches("kxk,1x1"))
    assert cost_of(spec).params.fused == 4 * 4 * 5 * 5 + 4


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
