"""The first step of a sequence: a 1 x 1 convolution, and the batch norm that may follow it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.branches.base import Fold
from tui.fusion.kernel import add, dirac, fold_batch_norm, kernel_of


class OffsetIdentityConv(nn.Conv2d):
    """A 1 x 1 convolution that stores its weight minus the identity (DBB's IdentityBasedConv1x1)."""

    identity: Tensor

    def __init__(self, channels: int, *, groups: int = 1, bias: bool = True) -> None:
        super().__init__(channels, channels, 1, groups=groups, bias=bias)
        identity = nn.init.dirac_(torch.empty_like(self.weight), groups)
        self.register_buffer("identity", identity, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> the same shape, by the stored weight plus the identity."""
        return functional.conv2d(x, self.weight + self.identity, self.bias, groups=self.groups)


class PointwiseStep(nn.Module):
    """A 1 x 1 convolution and its batch norm, inside a branch.

    Attributes:
        conv: an OffsetIdentityConv where `identity_offset` was asked for.
        norm: the inner batch norm, None where there is none.
    """

    norm: nn.Module | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        groups: int = 1,
        bias: bool = True,
        batch_norm: bool = False,
        identity_offset: bool = False,
    ) -> None:
        super().__init__()
        self.conv: nn.Conv2d = (
            OffsetIdentityConv(in_channels, groups=groups, bias=bias)
            if identity_offset
            else nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=bias)
        )
        self.norm = nn.BatchNorm2d(out_channels) if batch_norm else None

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W) -> (batch, out_channels, H, W)."""
        y: Tensor = self.conv(x)
        return y if self.norm is None else self.norm(y)

    def at_zero(self) -> Tensor:
        """The output where the input is 0, (out_channels,), by the batch norm's running statistics."""
        bias = self.conv.bias
        y = self.conv.weight.new_zeros(self.conv.out_channels) if bias is None else bias
        if not isinstance(self.norm, nn.BatchNorm2d):
            return y
        norm = self.norm  # in train mode too, as DBB does: the border is no pixel to take statistics of
        y = functional.batch_norm(
            y.view(1, -1, 1, 1), norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )
        return y.flatten()

    def folds(self) -> Iterator[Fold]:
        """The folds to its kernel (out_channels, in_channels / groups, 1, 1), which is the last one's.

        Raises:
            FusionError: the norm cannot be folded.
        """
        kernel = kernel_of(self.conv)
        yield Fold("1x1 convolution", kernel)
        if isinstance(self.conv, OffsetIdentityConv):
            identity = dirac(len(kernel.weight), self.conv.groups, device=kernel.weight.device)
            kernel = add([kernel, identity])
            yield Fold("identity added to the 1x1", kernel)
        if self.norm is not None:
            kernel = fold_batch_norm(kernel, self.norm)
            yield Fold("inner batch norm folded", kernel)
