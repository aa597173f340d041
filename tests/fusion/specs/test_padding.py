"""Padding: torch's own "same", whatever the kernel size, the dilation and the stride."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec, Pair
from tui.fusion.specs.padding import centre, conv2d_frame, same_padding, symmetric_padding

SIZES = [(size, dilation) for size in range(1, 8) for dilation in range(1, 5)]


@pytest.mark.parametrize(("size", "tap"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2), (7, 3)])
def test_centre_tap(size: int, tap: int) -> None:
    assert centre(size) == tap


@pytest.mark.parametrize(("size", "dilation"), SIZES)
def test_it_is_torchs_own(size: int, dilation: int) -> None:
    x = torch.arange(1.0, 18.0).view(1, 1, 1, 17)
    weight = torch.arange(1.0, size + 1.0).view(1, 1, 1, size)
    by_torch = functional.conv2d(x, weight, padding="same", dilation=(1, dilation))
    padded = functional.pad(x, same_padding(size, dilation))
    assert torch.equal(functional.conv2d(padded, weight, dilation=(1, dilation)), by_torch)


@pytest.mark.parametrize(
    ("kernel_size", "dilation", "padding"),
    [
        ((1, 1), (1, 1), (0, 0)),
        ((3, 5), (1, 1), (1, 2)),
        ((3, 5), (2, 3), (2, 6)),
        ((2, 3), (1, 1), None),
        ((3, 4), (1, 2), (1, 3)),
        ((2, 4), (3, 1), None),
    ],
)
def test_symmetric_padding_exists_where_the_extent_is_odd(
    kernel_size: Pair, dilation: Pair, padding: Pair | None
) -> None:
    assert symmetric_padding(kernel_size, dilation) == padding


@pytest.mark.parametrize(("size", "dilation"), SIZES)
@pytest.mark.parametrize("stride", [1, 2, 3])
@torch.no_grad()
def test_what_is_given_away_pads_as_torchs_same_at_each_stride(size: int, dilation: int, stride: int) -> None:
    """The strided map is every so many-th of torch's own output."""
    x = torch.arange(1.0, 18.0).view(1, 1, 1, 17) ** 2
    weight = torch.arange(1.0, size + 1.0).view(1, 1, 1, size)
    by_torch = functional.conv2d(x, weight, padding="same", dilation=(1, dilation))[..., ::stride]
    frame = conv2d_frame((1, size), (1, stride), (1, dilation))
    conv = nn.Conv2d(
        1,
        1,
        frame.kernel_size,
        stride=(1, stride),
        padding=frame.padding,
        dilation=frame.dilation,
        bias=False,
    )
    taps = torch.zeros(frame.kernel_size)
    first = frame.kernel_size[1] - ((size - 1) * dilation // frame.dilation[1] + 1)
    taps[0, first :: dilation // frame.dilation[1]] = weight.flatten()
    conv.weight.copy_(taps[None, None])
    assert torch.equal(conv(x), by_torch)


@pytest.mark.parametrize(
    ("branches", "size", "dilation"),
    [
        ("2x2d2", (2, 2), (2, 2)),
        ("2x2d2,1x1", (3, 3), (1, 1)),
        ("4x4d2,1x1", (7, 7), (1, 1)),
        ("4x4d2,2x2d2", (4, 4), (2, 2)),
        ("4x4d4,1x1", (7, 7), (2, 2)),
        ("2x2d3,1x1", (4, 4), (1, 1)),
        ("2x3d2,1x1", (3, 3), (1, 2)),
        ("3x3d2,1x1", (3, 3), (2, 2)),
        ("1x1 > (2x2d2 + identity)", (3, 3), (1, 1)),
    ],
)
def test_the_fused_kernel_is_spaced_so_that_each_branchs_taps_fall_on_its_own(
    branches: str, size: Pair, dilation: Pair
) -> None:
    spec = BlockSpec(branches=parse_branches(branches))
    assert (spec.fused_kernel_size, spec.fused_dilation) == (size, dilation)
