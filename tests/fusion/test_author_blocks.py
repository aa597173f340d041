"""Presets against their authors' blocks in float64: of the same numbers the same output, border and all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.fusion.author_blocks import AUTHOR_BLOCKS, AuthorBlock, MBRConv5, Part, RepDWConvS, RVSRRepConv
from tests.fusion.strategies import with_wild_norms
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.layers import Convolution, Factor, FixedDepthwise, Norm
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec

CHANNELS = 6


def randomised(block: AuthorBlock) -> AuthorBlock:
    """The block with random weights and statistics, in eval mode and float64."""
    module = block.double().eval()
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator, dtype=torch.float64) - 0.5)
    return with_wild_norms(module, 5)


def our_numbers(block: ReparamBlock) -> Iterator[list[Part]]:
    """What holds the block's numbers, in the order of `AuthorBlock.parts`."""
    for branch in block.branches:
        parts: list[Part] = []
        for _, layer in branch.all_layers():
            match layer:
                case Convolution():
                    parts.append(layer.conv)
                case Norm():
                    parts.append(layer.norm)
                case Factor():
                    parts.append(layer.factor)
                case FixedDepthwise():
                    assert layer.bias is not None
                    parts.append((layer.factor, layer.bias))
        yield parts
    if block.post_norm is not None:
        yield [block.post_norm]


@torch.no_grad()
def copy(theirs: Part, ours: Part) -> None:
    """Their numbers into ours: the same ones, in the same shapes; an eps is part of the structure."""
    if isinstance(ours, nn.Module) and isinstance(theirs, nn.Module):
        ours.load_state_dict(theirs.state_dict())
    elif isinstance(ours, Tensor) and isinstance(theirs, Tensor):
        assert ours.shape == theirs.shape
        ours.copy_(theirs)
    else:
        assert isinstance(ours, tuple)
        assert isinstance(theirs, tuple)
        for one, other in zip(ours, theirs, strict=True):
            copy(other, one)


@pytest.mark.parametrize("name", AUTHOR_BLOCKS)
def test_a_preset_is_its_authors_block(name: str) -> None:
    spec = replace(PRESETS[name].spec.with_in_channels(CHANNELS), input_shape=(9, 8))
    assert_same(randomised(AUTHOR_BLOCKS[name](CHANNELS)), spec)


@pytest.mark.parametrize(
    ("theirs", "text", "values"),
    [
        (RepDWConvS(CHANNELS), "3x3,1x3,3x1,2x2d2", {"groups": CHANNELS}),
        (
            RepDWConvS(CHANNELS, stride=2),
            "3x3,1x3-bias > 3x1-bias,2x2d2",
            {"groups": CHANNELS, "stride": (2, 2)},
        ),
        (RVSRRepConv(CHANNELS), "1x1+x2 > 3x3+x2 > 1x1,1x1+x2 > 3x3+x2 > 1x1,3x3,1x1,identity", {}),
        (
            MBRConv5(CHANNELS),
            ",".join(
                f"{size}+x4 > (1x1{'' if size == '5x5' else '-bias'} + norm > 1x1-bias)"
                for size in ("5x5", "1x1", "3x3", "3x1", "1x3")
            ),
            {},
        ),
    ],
    ids=["RepNeXt, small", "RepNeXt, downsampling", "RVSR", "MobileIE"],
)
def test_a_text_is_the_authors_block(theirs: AuthorBlock, text: str, values: dict[str, Any]) -> None:
    spec = BlockSpec(CHANNELS, CHANNELS, branches=parse_branches(text), input_shape=(9, 8), **values)
    assert_same(randomised(theirs), spec)


@torch.no_grad()
def assert_same(theirs: AuthorBlock, spec: BlockSpec) -> None:
    """Ours with their numbers gives what theirs gives, and so does the convolution that it fuses to."""
    block = build_block(spec).double()
    for ours, parts in zip(our_numbers(block), theirs.parts(), strict=True):
        for one, other in zip(ours, parts, strict=True):
            copy(other, one)
    assert sum(map(Tensor.numel, block.parameters())) == sum(map(Tensor.numel, theirs.parameters()))
    x = torch.rand(2, CHANNELS, 9, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) - 0.5
    expected = theirs(x)
    size = 1e-12 * max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(block(x), expected, rtol=0, atol=size)
    torch.testing.assert_close(block.fuse()(x), expected, rtol=0, atol=size)


def test_every_preset_of_the_chains_has_its_authors_block() -> None:
    newer = list(PRESETS)[list(PRESETS).index("repconv") :]
    assert set(newer) - {"pointwise"} == set(AUTHOR_BLOCKS)
