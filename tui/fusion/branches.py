"""The kinds of branch, one nn.Module each: `forward(x)` runs it, `kernel()` says which convolution it is."""

from __future__ import annotations

import abc

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.kernel import Kernel, dirac, fold_batch_norm, kernel_of
from tui.fusion.padding import same_padding, symmetric_padding
from tui.fusion.spec import Pair


class Branch(nn.Module, abc.ABC):
    """One summand of a block: a module whose output is affine and shift-equivariant in its input."""

    name: str
    """What the screen and `check` call it: "kxk", "1x1", "identity"."""

    norm: nn.BatchNorm2d | None
    """The batch norm at the branch's end, None where it has none."""

    @abc.abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Run the branch on (batch, in_channels, height, width)."""

    @abc.abstractmethod
    def kernel(self) -> Kernel:
        """The branch as one kernel, in float64, batch norm folded.

        Raises:
            FusionError: the branch is in train mode or its norm can not be folded.
        """

    def _normalised(self, y: Tensor) -> Tensor:
        return y if self.norm is None else self.norm(y)

    def _folded(self, kernel: Kernel) -> Kernel:
        return kernel if self.norm is None else fold_batch_norm(kernel, self.norm)


class ConvBranch(Branch):
    """A convolution with "same" padding, k x k or 1 x 1, and the batch norm that may follow it."""

    def __init__(
        self,
        name: str,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        *,
        stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
        groups: int = 1,
        bias: bool = True,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.name = name
        symmetric = symmetric_padding(kernel_size, dilation)
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=symmetric or 0,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.norm = nn.BatchNorm2d(out_channels) if batch_norm else None
        (top, bottom), (left, right) = map(same_padding, kernel_size, dilation)
        self._border = None if symmetric else (left, right, top, bottom)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W) -> (batch, out_channels, ceil(H / stride), ceil(W / stride))."""
        if self._border is not None:
            x = functional.pad(x, self._border)
        return self._normalised(self.conv(x))

    def kernel(self) -> Kernel:
        """(out_channels, in_channels / groups, kH, kW), float64."""
        return self._folded(kernel_of(self.conv))


class IdentityBranch(Branch):
    """The input itself, with the batch norm that may follow it."""

    _placement: Tensor

    def __init__(self, name: str, channels: int, *, groups: int = 1, batch_norm: bool = False) -> None:
        super().__init__()
        self.name = name
        self.channels = channels
        self.groups = groups
        self.norm = nn.BatchNorm2d(channels) if batch_norm else None
        # An identity without batch norm has no parameter: this follows .to(), so that fuse() knows the dtype.
        self.register_buffer("_placement", torch.empty(0), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> the same shape."""
        return self._normalised(x)

    def kernel(self) -> Kernel:
        """(channels, channels / groups, 1, 1), float64."""
        return self._folded(dirac(self.channels, self.groups, device=self._placement.device))
