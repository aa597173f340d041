"""The branch that is a 1 x 1 convolution and something after it: a k x k convolution or average pooling."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.branches.base import Branch, Fold
from tui.fusion.branches.border import border_of, pad_function_mode
from tui.fusion.branches.pointwise import PointwiseStep
from tui.fusion.composition import compose
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import FusionError, Kernel, average_pool, kernel_of
from tui.fusion.pair_text import show_pair
from tui.fusion.spec import PaddingMode, Pair, Scale


class SequenceBranch(Branch):
    """1 x 1 then k x k, or 1 x 1 then average pooling (DBB: Ding et al., 2021, transforms III and V).

    The padding stands between the two. So that the sequence is one convolution at the border too, it holds
    the first step's value at zero, as DBB pads it after a batch norm; plain zeros, `zero_border`, fuse only
    where that value is zero.

    Attributes:
        first: the 1 x 1 convolution and its batch norm.
        second: the k x k convolution or the pooling, without padding of its own.
    """

    second: nn.Conv2d | nn.AvgPool2d

    def __init__(
        self,
        name: str,
        first: PointwiseStep,
        out_channels: int,
        kernel_size: Pair,
        geometry: Geometry,
        *,
        pooled: bool = False,
        bias: bool = True,
        zero_border: bool = False,
        batch_norm: bool = False,
        scaled: Scale = Scale.NONE,
    ) -> None:
        in_channels, between = first.conv.in_channels, first.conv.out_channels
        super().__init__(
            name, in_channels, out_channels, kernel_size, geometry, batch_norm=batch_norm, scaled=scaled
        )
        self.first = first
        self.second = (
            nn.AvgPool2d(kernel_size, geometry.stride)
            if pooled
            else nn.Conv2d(
                between,
                out_channels,
                kernel_size,
                stride=geometry.stride,
                dilation=geometry.dilation,
                groups=geometry.groups,
                bias=bias,
            )
        )
        self.zero_border = zero_border
        self._border = border_of(kernel_size, geometry.dilation)

    def _mapped(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self._bordered(self.first(x)))
        return y

    def _bordered(self, y: Tensor) -> Tensor:
        if not any(self._border):
            return y
        mode = self.geometry.padding_mode
        if self.zero_border or mode is not PaddingMode.ZEROS:
            return functional.pad(
                y, self._border, "constant" if self.zero_border else pad_function_mode(mode)
            )
        left, right, top, bottom = self._border
        height, width = y.shape[2:]
        shape = (*y.shape[:2], top + height + bottom, left + width + right)
        bordered = self.first.at_zero().view(-1, 1, 1).expand(shape).clone()
        bordered[:, :, top : top + height, left : left + width] = y
        return bordered

    def _mapped_folds(self) -> Iterator[Fold]:
        for fold in self.first.folds():
            first = fold.kernel
            yield fold
        self._refuse_inexact_border(first)
        if isinstance(self.second, nn.Conv2d):
            title, second = f"then a {show_pair(self.kernel_size)} convolution", kernel_of(self.second)
        else:
            device = self._placement.device
            title = "then average pooling"
            second = average_pool(self.out_channels, self.kernel_size, self.geometry.groups, device=device)
        yield Fold(title, second)
        yield Fold("both as one convolution", compose(first, second, self.geometry.groups))

    def _refuse_inexact_border(self, first: Kernel) -> None:
        if not (self.zero_border and any(self._border)):
            return
        mode = self.geometry.padding_mode
        if mode is not PaddingMode.ZEROS:
            raise FusionError(
                f"{self.name}: zeros padded between the steps and {mode} elsewhere are not a single "
                f"convolution; pad {mode} between the steps too, or zeros everywhere"
            )
        if first.bias is not None and bool(first.bias.any()):
            raise FusionError(
                f"{self.name}: zeros are padded after a 1x1 whose value at zero is not zero: no single "
                "convolution does that at the border; pad that value instead, as DBB does after its batch "
                "norm, or take bias and batch norm off the 1x1"
            )
