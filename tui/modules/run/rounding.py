"""ConstantsRounded: numbers that a forward writes into an image are what its own dtype makes of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from tui.fusion.operator_mode import OperatorMode

_WRITING = frozenset(
    (
        *("fill", "fill_", "copy_", "masked_fill", "masked_fill_", "constant_pad_nd"),
        *("full", "full_like", "new_full", "scalar_tensor"),
    )
)
"""Operators that write a number of the forward's as it stands."""


class ConstantsRounded(OperatorMode):
    """`y[..., 0] = 0.3` in float32 writes 0.300000012, and so it does here in float64."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator."""
        kwargs = kwargs or {}
        if str(func._schema.name).split("::")[-1] in _WRITING:
            args, kwargs = tree_map_only((float, Tensor), self._rounded, (args, kwargs))
        return func(*args, **kwargs)

    def _rounded(self, number: float | Tensor) -> float | Tensor:
        """A number alone, as Python has it or as torch makes a tensor of it; an image is none."""
        if not isinstance(number, Tensor):
            return float(torch.tensor(number, dtype=self._dtype))
        alone = number.dim() == 0 and number.is_floating_point()
        return number.to(self._dtype).to(number.dtype) if alone else number
