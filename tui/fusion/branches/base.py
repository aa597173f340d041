"""Branch, what all kinds share: a map, a batch norm and a scale after it, the folds to a kernel."""

from __future__ import annotations

import abc
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tui.fusion.geometry import Geometry
from tui.fusion.kernel import Kernel, fold_batch_norm, scale
from tui.fusion.spec import Pair, Scale


class Fold(NamedTuple):
    """One fold on the way from a branch to its kernel: what was done, in words, and what came out."""

    title: str
    kernel: Kernel


def last_of(folds: Iterator[Fold]) -> Fold:
    """The last fold, which holds the kernel; none before it is kept."""
    return deque(folds, maxlen=1)[0]


class Branch(nn.Module, abc.ABC):
    """One summand of a block: a module whose output is affine and shift-equivariant in its input.

    A kind says by `_mapped` what it does and by `_mapped_folds` which kernel that is; the batch norm and the
    scale that may follow are the same for all.

    Attributes:
        name: what the screen and `check` call it: "kxk", "1x1 #2", "identity".
        kernel_size: of its convolution or pooling, before any dilation.
        geometry: its own stride, dilation, groups and padding mode.
        norm: the batch norm at its end, None where it has none.
        alpha, gamma: the one number, or one a channel, that multiplies its output; None where it has none.
    """

    norm: nn.Module | None
    alpha: nn.Parameter | None
    gamma: nn.Parameter | None
    _placement: Tensor

    def __init__(
        self,
        name: str,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        geometry: Geometry,
        *,
        batch_norm: bool = False,
        scaled: Scale = Scale.NONE,
    ) -> None:
        super().__init__()
        self.name = name
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.geometry = geometry
        self.norm = nn.BatchNorm2d(out_channels) if batch_norm else None
        self.alpha = nn.Parameter(torch.ones(())) if scaled is Scale.ALPHA else None
        self.gamma = nn.Parameter(torch.ones(out_channels)) if scaled is Scale.GAMMA else None
        # A plain identity has no parameter: this follows .to(), so that fuse() knows dtype and device.
        self.register_buffer("_placement", torch.empty(0), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W) -> (batch, out_channels, ceil(H / stride), ceil(W / stride))."""
        y = self._mapped(x)
        if self.norm is not None:
            y = self.norm(y)
        if self.alpha is not None:
            y = y * self.alpha
        if self.gamma is not None:
            y = y * self.gamma.view(-1, 1, 1)
        return y

    def kernel(self) -> Kernel:
        """The branch as one kernel (out_channels, in_channels / groups, kH, kW), in float64.

        It has the branch's own groups and taps; the branch's dilation is not yet in it.

        Raises:
            FusionError: the branch is in train mode, or it is not a convolution.
        """
        return last_of(self.folds()).kernel

    def folds(self) -> Iterator[Fold]:
        """The folds by which the branch becomes its kernel, which is the last one's.

        Raises:
            FusionError: as `kernel`.
        """
        for fold in self._mapped_folds():
            kernel = fold.kernel
            yield fold
        if self.norm is not None:
            kernel = fold_batch_norm(kernel, self.norm)
            yield Fold("batch norm folded", kernel)
        if self.alpha is not None:
            kernel = scale(kernel, self.alpha)
            yield Fold("times alpha", kernel)
        if self.gamma is not None:
            kernel = scale(kernel, self.gamma)
            yield Fold("times gamma", kernel)

    @abc.abstractmethod
    def _mapped(self, x: Tensor) -> Tensor:
        """What the branch does before its batch norm and scale."""

    @abc.abstractmethod
    def _mapped_folds(self) -> Iterator[Fold]:
        """The folds to the kernel of `_mapped`: at least one."""
