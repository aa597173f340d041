"""A random patch of the input, as large as the fused kernel, by whose answer every weight is checked."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tui.analysis.numerics.precision import UNIT64, gamma_n
from tui.checkpoints.folding.folded import Answer
from tui.fusion.pair_text import Pair

_OTHER_ROUNDINGS = 64
"""More than what rescales and adds up the branches' answers rounds."""


def random_patch(channels: int, kernel_size: Pair) -> Tensor:
    """(channels, kH, kW) numbers in float64, from 0.5 to 1 and of either sign, always the same ones."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.rand(channels, *kernel_size, dtype=torch.float64, generator=generator) * 2 - 1
    return drawn / 2 + drawn.sign() / 2


def answer(fused: Tensor, unfused: Tensor, sizes: Tensor, terms: int) -> Answer:
    """What two answers of one shape say of a fold.

    Args:
        fused, unfused: what the kernel and the branches make of the patch.
        sizes: at least the sum of the absolute values that were added up to either, of a shape that fits.
        terms: how many products.
    """
    difference = (fused - unfused).abs_()
    if not bool(difference.isfinite().all()):
        return Answer(math.nan, math.nan)
    bound = sizes * (2 * gamma_n(terms + _OTHER_ROUNDINGS, UNIT64)) + torch.finfo(torch.float64).tiny
    return Answer(float(difference.max()), float((difference / bound).max()))
