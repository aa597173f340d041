"""Sum: chains side by side inside of a chain, their outputs added."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.composition import Placed
from tui.fusion.kernel import FusionError, Kernel, add
from tui.fusion.layers.base import Layer
from tui.fusion.layers.chain import Chain
from tui.fusion.specs.layer_spec import LayerKind, LayerSpec, aligned_spacing, common_groups, embedded_size
from tui.fusion.specs.padding import Border, same_border, taps_apart
from tui.fusion.widening import dilate


class Sum(Layer):
    """Chains side by side, inside of a chain; their outputs are added.

    Attributes:
        chains: its summands, which pad nothing: each is given as much of the border as it needs.
    """

    called = "a sum"

    def __init__(self, chains: Iterable[Chain]) -> None:
        every = list(chains)
        if not every:
            raise FusionError("a sum needs at least one chain")
        spacing = aligned_spacing(every)
        embedded = [embedded_size(chain, spacing) for chain in every]
        strides = {chain.geometry.stride for chain in every}
        if len(strides) > 1:
            raise FusionError("the chains of a sum have different strides: no single convolution")
        super().__init__(
            every[0].in_channels,
            every[0].out_channels,
            kernel_size=(max(size[0] for size in embedded), max(size[1] for size in embedded)),
            stride=strides.pop(),
            dilation=spacing,
            groups=common_groups(chain.mixing_groups for chain in every),
        )
        for chain in every:
            if chain.own_border or any(any(layer.padding) for layer in chain.layers):
                raise FusionError(
                    "a chain of a sum pads by itself: give its convolutions padding 0, as the chain that the "
                    "sum is in pads up front"
                )
            chain.own_groups = self.out_channels  # of what sees each channel alone
        self.chains = nn.ModuleList(every)

    @property
    def summands(self) -> tuple[Chain, ...]:  # type: ignore[override]  # they are modules of its own
        """Its chains in order."""
        return tuple(cast("Iterable[Chain]", self.chains))

    def crop_of(self, chain: Chain) -> Border:
        """How much of the border that the sum is given a chain of it does without, negative numbers."""
        largest = same_border(self.kernel_size, self.dilation)
        left, right, top, bottom = (few - many for few, many in zip(chain.border, largest, strict=True))
        return left, right, top, bottom

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W), its border around it -> (batch, out_channels, H', W')."""
        first, *rest = self.summands
        y = first.run_bordered(functional.pad(x, self.crop_of(first)))
        for chain in rest:
            y = y + chain.run_bordered(functional.pad(x, self.crop_of(chain)))
        return y

    def constant(self, values: Tensor | None) -> Tensor:
        """The sum of what the chains give."""
        total: Tensor | None = None
        for chain in self.summands:
            y = values
            for layer in chain.layers:
                y = layer.constant(y)
            assert y is not None
            total = y if total is None else total + y
        assert total is not None
        return total

    def kernel(self) -> Kernel:
        """The sum of the chains' kernels."""
        return add([self.placed(chain).kernel for chain in self.summands])

    def placed(self, chain: Chain) -> Placed:
        """The kernel of a chain of it with the sum's groups and spacing of taps, centred on its own."""
        own = list(chain.folds())[-1].placed
        kernel = own.in_groups(self.groups or self.out_channels).kernel
        return Placed(
            dilate(kernel, taps_apart(own.kernel_size, own.dilation, self.dilation)),
            self.groups or self.out_channels,
            self.dilation,
        )

    def spec(self) -> LayerSpec:
        """What it is, in numbers."""
        chains = tuple(chain.spec() for chain in self.summands)
        return replace(self._spec(LayerKind.SUM, adds=any(chain.adds for chain in chains)), chains=chains)
