"""The branch that is an average pooling."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.branches.base import Branch, Fold
from tui.fusion.branches.border import border_of
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import average_pool
from tui.fusion.spec import Pair, Scale


class AverageBranch(Branch):
    """Average pooling with "same" padding, the zeros outside counted (DBB: Ding et al., 2021; QARepVGGV2)."""

    def __init__(
        self,
        name: str,
        channels: int,
        kernel_size: Pair,
        *,
        stride: Pair = (1, 1),
        groups: int = 1,
        batch_norm: bool = False,
        scaled: Scale = Scale.NONE,
    ) -> None:
        geometry = Geometry(stride, groups=groups)
        super().__init__(
            name, channels, channels, kernel_size, geometry, batch_norm=batch_norm, scaled=scaled
        )
        self.pool = nn.AvgPool2d(kernel_size, stride)
        self._border = border_of(kernel_size)

    def _mapped(self, x: Tensor) -> Tensor:
        # Padded here, not by the pooling: that can pad neither unevenly nor more than half a window.
        y: Tensor = self.pool(functional.pad(x, self._border))
        return y

    def _mapped_folds(self) -> Iterator[Fold]:
        device = self._placement.device
        kernel = average_pool(self.out_channels, self.kernel_size, self.geometry.groups, device=device)
        yield Fold("average pooling", kernel)
