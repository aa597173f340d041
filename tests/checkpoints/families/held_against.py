"""Blocks as their authors' classes lay them out, random, held against what comes of their state_dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.checkpoints.folding.held_folds import assert_folds
from tests.fusion.strategies import with_wild_norms
from tui.checkpoints.building import block_of, fused_tensors
from tui.checkpoints.contents import Entry
from tui.checkpoints.found import FoundBlock, LeftAlone, Recognition
from tui.checkpoints.recognising import recognise
from tui.fusion.grammar.branch_text import parse_branches

PREFIXES = ("", "backbone.stage1.0", "module.model.layers.12")

AnyModule = TypeVar("AnyModule", bound=nn.Module)


@torch.no_grad()
def ready(module: AnyModule, seed: int = 0, eps: float = 1e-5) -> AnyModule:
    """The module in eval mode and float64, with random weights and statistics as training leaves them."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double().eval()
    for parameter in module.parameters():
        if parameter.requires_grad:
            parameter.copy_(torch.rand(parameter.shape, generator=generator, dtype=torch.float64) * 2 - 1)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eps = eps
    return with_wild_norms(module, seed)


def state_of(module: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    dot = "." if prefix else ""
    return {f"{prefix}{dot}{name}": tensor.detach() for name, tensor in module.state_dict().items()}


def entries_of(state: Mapping[str, Tensor]) -> dict[str, Entry]:
    return {
        name: Entry(name, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for name, tensor in state.items()
    }


def recognised(
    state: Mapping[str, Tensor], *, family: str | None = None, conv_bn: bool = False
) -> Recognition:
    return recognise(entries_of(state), family=family, conv_bn=conv_bn)


def only_block(
    state: Mapping[str, Tensor], *, family: str | None = None, conv_bn: bool = False
) -> FoundBlock:
    found = recognised(state, family=family, conv_bn=conv_bn)
    assert found.left_alone == ()
    assert len(found.blocks) == 1, [block.prefix for block in found.blocks]
    return found.blocks[0]


def reason(state: Mapping[str, Tensor], *, family: str | None = None) -> LeftAlone:
    """What the one thing is that is left alone, and nothing else is found."""
    found = recognised(state, family=family)
    assert found.blocks == ()
    assert found.rest == tuple(state)
    assert len(found.left_alone) == 1, found.left_alone
    return found.left_alone[0]


def image(channels: int, seed: int = 1, size: tuple[int, int] = (9, 8)) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, channels, *size, dtype=torch.float64, generator=generator)


def as_conv2d(x: Tensor, weight: Tensor, bias: Tensor, groups: int, stride: int = 1) -> Tensor:
    """The fused convolution as torch runs it, in one or two dimensions, with the middle on the pixel."""
    padding = [(size - 1) // 2 for size in weight.shape[2:]]
    run: Callable[..., Tensor] = functional.conv1d if weight.dim() == 3 else functional.conv2d
    return run(x, weight, bias, stride=stride, padding=padding, groups=groups)


@torch.no_grad()
def assert_fuses(
    module: nn.Module,
    x: Tensor,
    family: str,
    fused: str,
    *,
    groups: int = 1,
    stride: int = 1,
    told_groups: int | None = None,
    asked: str | None = None,
    conv_bn: bool = False,
) -> FoundBlock:
    """Under each prefix it is found, is of that family, and its fused tensors do what the module does.

    `groups`: with which it runs; `told_groups`: those that are found, where shapes do not tell them. Gives
    the block that has no prefix.
    """
    expected = module(x)
    size = max(1.0, float(expected.abs().max()))
    first: FoundBlock | None = None
    for prefix in PREFIXES:
        state = state_of(module, prefix)
        beside = {"head.weight": torch.zeros(3, 2), "neck.scale": torch.zeros(())} if prefix else {}
        found = recognised(beside | state, family=asked, conv_bn=conv_bn)
        assert found.left_alone == ()
        assert [(block.prefix, block.family) for block in found.blocks] == [(prefix, family)]
        block = found.blocks[0]
        assert set(found.rest) == set(beside)
        assert set(block.reads) | set(block.placeholders) == set(state)
        assert block.groups == (told_groups or groups)
        tensors = fused_tensors(block, block_of(block, state.__getitem__))
        names = [".".join(filter(None, (prefix, fused, part))) for part in ("weight", "bias")]
        assert [entry.name for entry in block.fused] == names == list(tensors)
        weight, bias = tensors.values()
        assert [entry.shape for entry in block.fused] == [weight.shape, bias.shape]
        y = as_conv2d(x, weight, bias, groups, stride)
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-10 * size)
        assert_folds(block, state, weight, bias)
        assert len(parse_branches(block.branches_text)) == len(block.branches)
        first = first or block
    assert first is not None
    return first
