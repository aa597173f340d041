"""Branch: a chain of layers that is one summand of a block."""

from __future__ import annotations

from collections.abc import Iterable

from tui.fusion.layers.base import Layer
from tui.fusion.layers.chain import Chain
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.padding import Border


class Branch(Chain):
    """A chain with a name.

    >>> from torch import nn
    >>> from tui.fusion.layers import Convolution
    >>> branch = Branch("3x3", [("conv", Convolution(nn.Conv2d(4, 8, 3, padding=1)))])
    >>> branch.kernel_size, branch.out_channels
    ((3, 3), 8)
    """

    def __init__(
        self,
        name: str,
        layers: Iterable[tuple[str, Layer]],
        *,
        own_groups: int = 1,
        padding_mode: PaddingMode = PaddingMode.ZEROS,
        zeros_between: bool = False,
        own_border: Border | None = None,
    ) -> None:
        super().__init__(
            layers,
            own_groups=own_groups,
            padding_mode=padding_mode,
            zeros_between=zeros_between,
            own_border=own_border,
        )
        self.name = name
