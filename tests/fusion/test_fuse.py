"""fuse(): a plain nn.Conv2d in the block's dtype, on its device; and fusing leaves no trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from torch import nn
from torch.overrides import TorchFunctionMode

from tests.fusion.strategies import EVERYTHING, filled_block, filled_input, specs
from tui.fusion.block import build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec, BranchKind, BranchSpec

KINDS = [list(BranchKind), [BranchKind.IDENTITY], [BranchKind.AVERAGE]]
NO_IDENTITY = (BranchSpec(BranchKind.KXK), BranchSpec(BranchKind.POINTWISE))
ALONE = (BranchSpec(BranchKind.KXK),)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kinds", KINDS, ids=["all", "identity", "avg"])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_fuse_keeps_the_dtype(dtype: torch.dtype, kinds: list[BranchKind], batch_norm: bool) -> None:
    spec = BlockSpec(branches=tuple(BranchSpec(kind, batch_norm=batch_norm) for kind in kinds))
    conv = build_block(spec).to(dtype).fuse()
    assert {parameter.dtype for parameter in conv.parameters()} == {dtype}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_option_keeps_the_dtype_on_both_sides(dtype: torch.dtype) -> None:
    spec = BlockSpec(8, 8, branches=parse_branches(f"{EVERYTHING},avg+norm"), post_norm=True)
    block, x = filled_block(spec).to(dtype), filled_input(spec).to(dtype)
    with torch.no_grad():
        assert block(x).dtype is dtype
        assert {parameter.dtype for parameter in block.fuse().parameters()} == {dtype}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "text", ["kxk,1x1,identity", EVERYTHING, "avg+norm+alpha"], ids=["default", "all", "avg"]
)
def test_fuse_rounds_once_from_float64(dtype: torch.dtype, text: str) -> None:
    spec = BlockSpec(8, 8, branches=parse_branches(text), post_norm=True).with_branches(batch_norm=True)
    block = filled_block(spec).to(dtype)
    conv, kernel = block.fuse(), block.double().kernel()
    assert kernel.bias is not None
    assert conv.bias is not None
    assert torch.equal(conv.weight, kernel.weight.to(dtype))
    assert torch.equal(conv.bias, kernel.bias.to(dtype))


@pytest.mark.parametrize("device", ["meta", *(["cuda"] if torch.cuda.is_available() else [])])
@pytest.mark.parametrize("kinds", KINDS, ids=["all", "identity", "avg"])
def test_fuse_keeps_the_device(device: str, kinds: list[BranchKind]) -> None:
    branches = tuple(BranchSpec(kind, batch_norm=True, identity_offset=True) for kind in kinds)
    spec = BlockSpec(kernel_size=(4, 4), branches=branches, post_norm=True)
    conv = build_block(spec).to(device).fuse()
    assert {parameter.device.type for parameter in conv.parameters()} == {device}


@given(specs())
def test_fusing_twice_gives_equal_convs_and_leaves_the_block_as_it_was(spec: BlockSpec) -> None:
    block = filled_block(spec)
    before = {name: value.clone() for name, value in block.state_dict().items()}
    one, other = block.fuse(), block.fuse()
    _assert_equal_states(one.state_dict(), other.state_dict())
    _assert_equal_states(block.state_dict(), before)
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.fill_(99)
    _assert_equal_states(block.state_dict(), before)
    _assert_equal_states(block.fuse().state_dict(), other.state_dict())


def _assert_equal_states(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


@pytest.mark.parametrize(
    ("spec", "kernel_size", "padding"),
    [
        (BlockSpec(kernel_size=(3, 5)), (3, 5), (1, 2)),
        (BlockSpec(kernel_size=(3, 3), dilation=(2, 3)), (3, 3), (2, 3)),
        (BlockSpec(kernel_size=(2, 3)), (2, 3), "same"),
        (BlockSpec(kernel_size=(2, 3), dilation=(1, 2)), (2, 3), "same"),
        (BlockSpec(kernel_size=(2, 4), dilation=(2, 1), branches=NO_IDENTITY), (3, 4), "same"),
        (BlockSpec(kernel_size=(4, 3), stride=(2, 1), branches=NO_IDENTITY), (5, 3), (2, 1)),
        (BlockSpec(kernel_size=(2, 2), stride=(2, 3), dilation=(3, 2), branches=NO_IDENTITY), (5, 3), (2, 1)),
        (BlockSpec(kernel_size=(2, 3), stride=(2, 1), dilation=(3, 2), branches=ALONE), (5, 3), (2, 2)),
    ],
    ids=lambda value: "x".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_the_conv_to_take_away_is_a_plain_conv2d(
    spec: BlockSpec, kernel_size: tuple[int, int], padding: Any
) -> None:
    block, x = filled_block(spec), filled_input(spec)
    conv = block.fuse()
    assert type(conv) is nn.Conv2d
    assert (conv.kernel_size, conv.padding) == (kernel_size, padding)
    assert (conv.stride, conv.groups) == (spec.stride, 1)
    assert not conv.training
    rebuilt = nn.Conv2d(
        2,
        2,
        kernel_size,
        stride=spec.stride,
        padding=padding,
        dilation=(conv.dilation[0], conv.dilation[1]),
        dtype=torch.float64,
    )
    rebuilt.load_state_dict(conv.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(x), block(x), rtol=0, atol=1e-13)


def test_a_fused_conv_has_a_bias_only_where_something_is_added() -> None:
    bare = BlockSpec().with_branches(bias=False)
    assert build_block(bare).fuse().bias is None
    assert build_block(bare.with_branches(batch_norm=True)).fuse().bias is not None
    assert build_block(replace(bare, branches=(BranchSpec(BranchKind.POINTWISE),))).fuse().bias is not None


class CountCalls(TorchFunctionMode):
    """How many torch functions are called inside `with`."""

    calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("depthwise", [True, False])
def test_fusing_many_channels_takes_no_more_calls_than_fusing_few(depthwise: bool) -> None:
    def calls_for(channels: int) -> int:
        spec = BlockSpec(channels, channels, groups=channels if depthwise else 1, post_norm=True)
        text = "kxk+norm,1x1+gamma,identity,avg,3x3d2,1x1-kxk+inner+idconv,1x1-avg+alpha"
        text = text if depthwise else f"{text},5x5+g2"
        block = build_block(replace(spec, branches=parse_branches(text)))
        block.fuse()  # the first of a shape makes a module that later ones are copies of
        count = CountCalls()
        with count:
            block.fuse()
        return count.calls

    assert calls_for(2) == calls_for(2048 if depthwise else 64) > 0
