"""Kernels by name do to an image what they say."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tui.fusion.named_kernels import NAMED_KERNELS
from tui.fusion.specs.block_spec import Pair

RAMP = torch.arange(9.0).expand(9, 9).contiguous()
"""Rises by 1 from column to column."""


def filtered(name: str, image: torch.Tensor, kernel_size: Pair = (3, 3)) -> torch.Tensor:
    taps = NAMED_KERNELS[name].of_size(kernel_size)
    assert taps is not None
    return functional.conv2d(image.view(1, 1, 9, 9), torch.tensor(taps).view(1, 1, *kernel_size))[0, 0]


@pytest.mark.parametrize("kernel_size", [(3, 3), (5, 3), (7, 7), (4, 4)])
@pytest.mark.parametrize("name", NAMED_KERNELS)
def test_size_and_sum(name: str, kernel_size: Pair) -> None:
    taps = NAMED_KERNELS[name].of_size(kernel_size)
    assert taps is not None
    assert (len(taps), len(taps[0])) == kernel_size
    keeps_a_constant = name in ("Dirac", "Gaussian", "mean", "sharpen")
    assert sum(map(sum, taps)) == pytest.approx(float(keeps_a_constant))


def test_what_they_do_to_a_ramp() -> None:
    inside = RAMP[1:-1, 1:-1]
    for name in ("Dirac", "Gaussian", "mean", "sharpen"):
        torch.testing.assert_close(filtered(name, RAMP), inside)
    assert (filtered("Sobel x", RAMP) == 8).all()
    assert (filtered("Sobel y", RAMP) == 0).all()
    assert (filtered("Sobel y", RAMP.T.contiguous()) == 8).all()
    assert (filtered("Laplacian", RAMP) == 0).all()


def test_what_is_too_small_for_them() -> None:
    fitting = [name for name, kernel in NAMED_KERNELS.items() if kernel.of_size((1, 1)) is not None]
    assert fitting == ["Dirac", "Gaussian", "mean", "zero"]
