"""Padding: where a kernel's centre stands, against torch's own "same" wherever the two must agree."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tui.fusion.padding import centre, same_padding, symmetric_padding


@pytest.mark.parametrize(("size", "tap"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2), (7, 3)])
def test_centre_tap(size: int, tap: int) -> None:
    assert centre(size) == tap


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("dilation", range(1, 4))
@pytest.mark.parametrize("stride", range(1, 4))
def test_the_centre_tap_meets_each_pixel_that_the_stride_visits(
    size: int, dilation: int, stride: int
) -> None:
    """A kernel of one 1, at tap (k - 1) // 2, is then what a 1 x 1 kernel is."""
    x = torch.arange(1.0, 12.0).view(1, 1, 1, 11)
    weight = torch.tensor([float(tap == (size - 1) // 2) for tap in range(size)]).view(1, 1, 1, size)
    padded = functional.pad(x, same_padding(size, dilation))
    y = functional.conv2d(padded, weight, stride=(1, stride), dilation=(1, dilation))
    assert torch.equal(y, x[..., ::stride])


@pytest.mark.parametrize(
    ("size", "dilation"), [(k, d) for k in range(1, 8) for d in (1, 2, 3) if k % 2 or d == 1]
)
def test_torch_pads_alike_for_odd_sizes_or_without_dilation(size: int, dilation: int) -> None:
    x = torch.arange(1.0, 12.0).view(1, 1, 1, 11)
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
        ((3, 4), (1, 2), None),
    ],
)
def test_symmetric_padding_exists_for_odd_sizes(
    kernel_size: tuple[int, int], dilation: tuple[int, int], padding: tuple[int, int] | None
) -> None:
    assert symmetric_padding(kernel_size, dilation) == padding
