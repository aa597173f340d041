"""The branch that is the input itself."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from tui.fusion.branches.base import Branch, Fold
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import dirac
from tui.fusion.spec import Scale


class IdentityBranch(Branch):
    """The input, with the batch norm that may follow it (RepVGG: Ding et al., 2021, sec. 3.3)."""

    def __init__(
        self,
        name: str,
        channels: int,
        groups: int = 1,
        *,
        batch_norm: bool = False,
        scaled: Scale = Scale.NONE,
    ) -> None:
        geometry = Geometry(groups=groups)
        super().__init__(name, channels, channels, (1, 1), geometry, batch_norm=batch_norm, scaled=scaled)

    def _mapped(self, x: Tensor) -> Tensor:
        return x

    def _mapped_folds(self) -> Iterator[Fold]:
        identity = dirac(self.out_channels, self.geometry.groups, device=self._placement.device)
        yield Fold("identity", identity)
