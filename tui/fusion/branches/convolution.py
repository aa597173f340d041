"""The branch that is a convolution: k x k, 1 x 1, 1 x k, k x 1, or of a size and dilation of its own."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.branches.base import Branch, Fold
from tui.fusion.branches.border import border_of, pad_function_mode
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import kernel_of
from tui.fusion.padding import symmetric_padding
from tui.fusion.spec import Pair, Scale


class ConvBranch(Branch):
    """A convolution with "same" padding (RepVGG: Ding et al., 2021; ACNet, 2019; RepLKNet, 2022)."""

    def __init__(
        self,
        name: str,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        geometry: Geometry | None = None,
        *,
        bias: bool = True,
        batch_norm: bool = False,
        scaled: Scale = Scale.NONE,
    ) -> None:
        geometry = geometry or Geometry()
        super().__init__(
            name, in_channels, out_channels, kernel_size, geometry, batch_norm=batch_norm, scaled=scaled
        )
        symmetric = symmetric_padding(kernel_size, geometry.dilation)
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=geometry.stride,
            padding=symmetric or 0,
            dilation=geometry.dilation,
            groups=geometry.groups,
            bias=bias,
            padding_mode=geometry.padding_mode.value,
        )
        self._border = None if symmetric else border_of(kernel_size, geometry.dilation)

    def _mapped(self, x: Tensor) -> Tensor:
        if self._border is not None:
            x = functional.pad(x, self._border, pad_function_mode(self.geometry.padding_mode))
        y: Tensor = self.conv(x)
        return y

    def _mapped_folds(self) -> Iterator[Fold]:
        yield Fold("convolution", kernel_of(self.conv))
