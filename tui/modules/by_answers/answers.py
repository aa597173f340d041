"""Asked: a module that is asked what it makes of images of our own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from tui.fusion.kernel import FusionError
from tui.fusion.pair_text import Pair
from tui.modules.run.running import RunError, failure

FEW_CHANNELS = 64
"""Up to so many the kernel is found in float64, else in the parameters' dtype, an image a channel."""

_LARGEST_UNIT = 32
"""Pixels: of a module that takes only sides that are multiples of some number, the largest such number."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A module that is asked what it makes of images.

    Attributes:
        unit: the sides of every image are a multiple of that.
        sizes: (H, W) of what it made of an image of each size that it was asked about.
    """

    module: nn.Module
    channels: int
    device: torch.device
    dtype: torch.dtype = torch.float64
    unit: int = 1
    sizes: dict[Pair, Pair] = field(default_factory=dict)

    def answer(self, x: Tensor) -> Tensor:
        """What it gives, in its dtype.

        Raises:
            FusionError: it gives something else than one image each.
            RunError: it fails.
        """
        y = answer_of(self.module, x)
        self.sizes[x.shape[2], x.shape[3]] = y.shape[2], y.shape[3]
        return y

    def size_of(self, size: Pair) -> Pair:
        """(H, W) of what it makes of an image of that size, which is asked once."""
        if size not in self.sizes:
            self.answer(self.zeros(1, size))
        return self.sizes[size]

    def zeros(self, count: int, size: Pair) -> Tensor:
        """Empty images."""
        return torch.zeros(count, self.channels, *size, dtype=self.dtype, device=self.device)

    def side(self, least: int) -> int:
        """Of an image: so many pixels, or a few more."""
        return up_to_unit(least, self.unit)


def up_to_unit(least: int, unit: int) -> int:
    """The smallest multiple of the unit that is no smaller."""
    return -(-least // unit) * unit


def units(size: Pair) -> Iterator[int]:
    """What the sides of an image may have to be a multiple of where a module takes one of that size: 1 first.

    So one that puts 2 x 2 pixels behind each other is never asked about an image of 15 x 14.
    """
    both = math.gcd(*size)
    yield from (unit for unit in range(1, min(both, _LARGEST_UNIT) + 1) if both % unit == 0)


def answer_of(module: nn.Module, x: Tensor) -> Tensor:
    """What the module makes of images.

    Raises:
        FusionError: something else than an image each.
        RunError: it fails.
    """
    try:
        y = module(x.clone())
    except Exception as error:
        shape = "x".join(map(str, x.shape))
        raise RunError(f"{type(module).__name__}'s forward failed on {shape}: {failure(error)}") from error
    if not isinstance(y, Tensor) or y.dim() != 4 or len(y) != len(x):
        raise FusionError("it does not give one image for each that it is given")
    return y
