"""What batch norms and factors do to each channel: composed to one affine map, or run on an output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from tui.checkpoints.found import FoundLayer


class Affine(NamedTuple):
    """y -> scale y + offset, each (out_channels,) in float64.

    `size`: the sum of the absolute values of what was added up to the offset.
    """

    scale: Tensor
    offset: Tensor
    size: Tensor


class Rescaling:
    """The layers of one block that rescale, with its numbers.

    `tensors`: as the file has them, by name. `eps`: of all batch norms, for the family's.
    """

    def __init__(self, tensors: Mapping[str, Tensor], eps: float | None) -> None:
        self._tensors = tensors
        self._eps = eps

    def composed(self, layers: Iterable[FoundLayer], scale: Tensor, offset: Tensor, size: Tensor) -> Affine:
        """`scale` y + `offset`, and then these layers."""
        for layer in layers:
            if layer.spec.eps is not None:
                mean, variance, gamma, beta = self._statistics(layer)
                factor = gamma / torch.sqrt(variance + self._eps_of(layer))
                offset, size = (
                    (offset - mean) * factor + beta,
                    (size + mean.abs()) * factor.abs() + beta.abs(),
                )
            else:
                factor = self._factor(layer)
                offset, size = offset * factor, size * factor.abs()
            scale = scale * factor
        return Affine(scale, offset, size)

    def run(self, layers: Iterable[FoundLayer], y: Tensor) -> Tensor:
        """These layers on an output of one pixel, (out_channels,), by torch's own batch norm."""
        for layer in layers:
            if layer.spec.eps is not None:
                mean, variance, gamma, beta = self._statistics(layer)
                eps = self._eps_of(layer)
                y = functional.batch_norm(y[None], mean, variance, gamma, beta, eps=eps)[0]
            else:
                y = y * self._factor(layer)
        return y

    def bias_of(self, layer: FoundLayer) -> Tensor | None:
        """A convolution's own bias, in float64."""
        name = dict(layer.names).get("bias")
        return None if name is None else self._tensors[name].double()

    def _statistics(self, layer: FoundLayer) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        names = dict(layer.names)
        mean, variance = (self._tensors[names[part]].double() for part in ("running_mean", "running_var"))
        gamma = self._tensors[names["weight"]].double() if "weight" in names else torch.ones_like(mean)
        beta = self._tensors[names["bias"]].double() if "bias" in names else torch.zeros_like(mean)
        return mean, variance, gamma, beta

    def _eps_of(self, layer: FoundLayer) -> float:
        eps = layer.spec.eps if self._eps is None else self._eps
        assert eps is not None  # asked of batch norms
        return eps

    def _factor(self, layer: FoundLayer) -> Tensor:
        if layer.number is not None:
            return torch.tensor([layer.number], dtype=torch.float64)
        return self._tensors[dict(layer.names)["factor"]].double().flatten()
