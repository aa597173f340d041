"""The layers that multiply and shift each channel: a batch norm, a learned factor."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.kernel import Kernel, affine_of
from tui.fusion.layers.base import Layer
from tui.fusion.layers.batch_norms import as_batch_norm
from tui.fusion.specs.layer_spec import USUAL_EPS, LayerKind, LayerSpec


class Norm(Layer):
    """A batch norm with an eps of its own, wrapped as it is and not copied.

    Attributes:
        norm: an nn.BatchNorm2d, or one of the tensors of another batch norm (`as_batch_norm`); a norm that is
            none is taken in, and refused where it is to be fused.
    """

    rescales = True
    called = "a batch norm"
    folded = "batch norm folded"

    def __init__(self, norm: nn.Module, channels: int) -> None:
        super().__init__(channels, channels)
        self.norm = as_batch_norm(norm)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> the same shape."""
        y: Tensor = self.norm(x)
        return y

    def kernel(self) -> Kernel:
        """gamma / sqrt(var + eps) for each channel, and its offset.

        Raises:
            FusionError: as `affine_of`.
        """
        factors, offset = affine_of(self.norm)
        return Kernel(factors.view(-1, 1, 1, 1), offset)

    @property
    def batch_norm(self) -> nn.BatchNorm2d | None:  # type: ignore[override]  # what it wraps may be none
        """The norm where it is one that can be folded."""
        return self.norm if isinstance(self.norm, nn.BatchNorm2d) else None

    def numbers(self) -> dict[str, Tensor]:
        """As `norm_numbers` has them."""
        return norm_numbers(self.norm)

    def constant(self, values: Tensor | None) -> Tensor:
        """By the running statistics, in train mode too: the border is no pixel to take statistics of."""
        if values is None:
            values = self._placement.new_zeros(self.in_channels)
        if not isinstance(self.norm, nn.BatchNorm2d):
            return values
        y = functional.batch_norm(
            values.view(1, -1, 1, 1),
            self.norm.running_mean,
            self.norm.running_var,
            self.norm.weight,
            self.norm.bias,
            eps=self.norm.eps,
        )
        return y.flatten()

    def spec(self) -> LayerSpec:
        """What it is, in numbers."""
        eps = self.norm.eps if isinstance(self.norm, nn.BatchNorm2d) else USUAL_EPS
        return replace(self._spec(LayerKind.NORM, bias=True), eps=eps)


def norm_numbers(norm: nn.Module | None) -> dict[str, Tensor]:
    """gamma, beta, mean, var and eps of a batch norm, as far as it has them; none of what is no batch norm.

    An eps is no tensor in torch, and stands here as a copy (1,).
    """
    if not isinstance(norm, nn.BatchNorm2d):
        return {}
    tensors = {
        "gamma": norm.weight,
        "beta": norm.bias,
        "mean": norm.running_mean,
        "var": norm.running_var,
        "eps": torch.tensor([norm.eps], dtype=torch.float64),
    }
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


class Factor(Layer):
    """Times one learned number (alpha), or one a channel (gamma), as layer scale has it.

    Attributes:
        factor: 0-d, or (channels,).
    """

    rescales = True

    def __init__(self, channels: int, *, by_channel: bool) -> None:
        super().__init__(channels, channels)
        self.factor = nn.Parameter(torch.ones(channels if by_channel else ()))

    @property
    def called(self) -> str:  # type: ignore[override]  # it has two names
        """Alpha or gamma."""
        return "gamma" if self.factor.dim() else "alpha"

    @property
    def folded(self) -> str:  # type: ignore[override]  # it has two names
        """What the fold is called."""
        return f"times {self.called}"

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, H, W) -> the same shape."""
        return x * (self.factor.view(-1, 1, 1) if self.factor.dim() else self.factor)

    def numbers(self) -> dict[str, Tensor]:
        """The factor, (1,) or (channels,)."""
        return {"": self.factor.view(-1)}

    def kernel(self) -> Kernel:
        """The factor of each channel."""
        factors = self.factor.detach().double().expand(self.out_channels)
        return Kernel(factors.reshape(-1, 1, 1, 1), None)

    def spec(self) -> LayerSpec:
        """What it is, in numbers."""
        return self._spec(LayerKind.GAMMA if self.factor.dim() else LayerKind.ALPHA)
