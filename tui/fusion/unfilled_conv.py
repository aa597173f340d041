"""An nn.Conv2d without values, for parameters that are replaced at once."""

from __future__ import annotations

from typing import Any

from torch import nn


class _Unfilled(nn.Conv2d):
    def reset_parameters(self) -> None:
        """Draw nothing: torch before 2.7 imports sympy to draw what takes no memory, half a second."""


def unfilled_conv2d(*args: Any, **options: Any) -> nn.Conv2d:
    """`nn.Conv2d(*args, **options)` whose weight and bias take no memory and have no values yet."""
    conv: nn.Conv2d = _Unfilled(*args, **(options | {"device": "meta"}))
    conv.__class__ = nn.Conv2d  # as which it is printed, pickled and recognised
    return conv
