"""The block and the convolution that it fuses to are one map; and fusing leaves no trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import nn
from torch.overrides import TorchFunctionMode

from tests.fusion.oracles import convolve, dense, kernel_by_impulses
from tests.fusion.strategies import filled_block, filled_input, specs
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.branches import ConvBranch, IdentityBranch
from tui.fusion.kernel import FusionError
from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec

NO_IDENTITY = (BranchSpec(BranchKind.KXK), BranchSpec(BranchKind.POINTWISE))


def assert_fused_equals_unfused(spec: BlockSpec) -> None:
    block, x = filled_block(spec), filled_input(spec)
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
def test_the_fused_kernel_convolved_by_definition_is_the_block(spec: BlockSpec) -> None:
    block, x = filled_block(spec), filled_input(spec)
    kernel = block.kernel()
    y = convolve(
        x, kernel.weight, kernel.bias, stride=spec.stride, dilation=spec.dilation, groups=spec.groups
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
    torch.testing.assert_close(dense(kernel.weight, spec.groups), weight, rtol=0, atol=1e-12)
    fused_bias = torch.zeros_like(bias) if kernel.bias is None else kernel.bias
    torch.testing.assert_close(fused_bias, bias, rtol=0, atol=1e-12)


@given(specs())
def test_the_branches_kernels_are_named_and_sum_to_the_fused_kernel(spec: BlockSpec) -> None:
    block = filled_block(spec)
    kernels = block.kernels()
    assert [name for name, _ in kernels] == [branch.kind.value for branch in spec.branches]
    assert [kernel.kernel_size for _, kernel in kernels] == [
        spec.branch_kernel_size(branch) for branch in spec.branches
    ]
    total = sum(float(kernel.weight.sum()) for _, kernel in kernels)
    assert float(block.kernel().weight.sum()) == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kinds", [list(BranchKind), [BranchKind.IDENTITY]], ids=["all", "identity"])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_fuse_keeps_the_dtype(dtype: torch.dtype, kinds: list[BranchKind], batch_norm: bool) -> None:
    spec = BlockSpec(branches=tuple(BranchSpec(kind, batch_norm=batch_norm) for kind in kinds))
    conv = build_block(spec).to(dtype).fuse()
    assert {parameter.dtype for parameter in conv.parameters()} == {dtype}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_fuse_rounds_once_from_float64(dtype: torch.dtype) -> None:
    block = filled_block(BlockSpec().with_branches(batch_norm=True)).to(dtype)
    conv, kernel = block.fuse(), block.double().kernel()
    assert kernel.bias is not None
    assert conv.bias is not None
    assert torch.equal(conv.weight, kernel.weight.to(dtype))
    assert torch.equal(conv.bias, kernel.bias.to(dtype))


@pytest.mark.parametrize("device", ["meta", *(["cuda"] if torch.cuda.is_available() else [])])
@pytest.mark.parametrize("kinds", [list(BranchKind), [BranchKind.IDENTITY]], ids=["all", "identity"])
def test_fuse_keeps_the_device(device: str, kinds: list[BranchKind]) -> None:
    spec = BlockSpec(kernel_size=(4, 4), branches=tuple(BranchSpec(kind, batch_norm=True) for kind in kinds))
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


@pytest.mark.parametrize("batch_norm", [True, False])
def test_train_mode_is_refused_in_words(batch_norm: bool) -> None:
    block = build_block(BlockSpec().with_branches(batch_norm=batch_norm)).train()
    with pytest.raises(FusionError, match=r"train mode can not be fused: .* call eval\(\) first"):
        block.fuse()
    block.eval().fuse()


def test_a_single_norm_in_train_mode_is_refused() -> None:
    block = build_block(BlockSpec().with_branches(batch_norm=True))
    norm = block.branches[2].norm
    assert isinstance(norm, nn.BatchNorm2d)
    norm.train()
    with pytest.raises(FusionError, match="batch norm in train mode"):
        block.fuse()


def test_a_block_without_branches_is_refused() -> None:
    with pytest.raises(FusionError, match="at least one branch"):
        ReparamBlock([])


def test_a_module_that_is_no_branch_is_refused_not_left_out() -> None:
    block = build_block(BlockSpec())
    block.branches.append(nn.Sigmoid())
    with pytest.raises(FusionError, match="Sigmoid"):
        block.fuse()


def test_the_forward_of_a_block_is_the_sum_of_its_branches() -> None:
    block = ReparamBlock([ConvBranch("kxk", 2, 2, (3, 3)), IdentityBranch("identity", 2)]).eval()
    x = torch.ones(1, 2, 4, 4)
    assert torch.equal(block(x), block.branches[0](x) + x)


@pytest.mark.parametrize(
    ("spec", "kernel_size", "padding"),
    [
        (BlockSpec(kernel_size=(3, 5)), (3, 5), (1, 2)),
        (BlockSpec(kernel_size=(3, 3), dilation=(2, 3)), (3, 3), (2, 3)),
        (BlockSpec(kernel_size=(2, 3)), (2, 3), "same"),
        (BlockSpec(kernel_size=(2, 3), dilation=(1, 2)), (2, 3), "same"),
        (BlockSpec(kernel_size=(2, 4), dilation=(2, 1), branches=NO_IDENTITY), (3, 5), (2, 2)),
        (BlockSpec(kernel_size=(4, 3), stride=(2, 1), branches=NO_IDENTITY), (5, 3), (2, 1)),
        (BlockSpec(kernel_size=(6, 2), stride=(2, 3), dilation=(3, 2), branches=NO_IDENTITY), (7, 3), (9, 2)),
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
    assert (conv.stride, conv.dilation, conv.groups) == (spec.stride, spec.dilation, spec.groups)
    assert not conv.training
    rebuilt = nn.Conv2d(
        2, 2, kernel_size, stride=spec.stride, padding=padding, dilation=spec.dilation, dtype=torch.float64
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
        spec = BlockSpec(channels, channels, groups=channels if depthwise else 1)
        block = build_block(spec.with_branches(batch_norm=True))
        count = CountCalls()
        with count:
            block.fuse()
        return count.calls

    assert calls_for(2) == calls_for(2048 if depthwise else 64) > 0
