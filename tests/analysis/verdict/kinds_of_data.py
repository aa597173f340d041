"""Numbers that networks have and that are not plain: what each kind does to a block and its input."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from tui.fusion.block import ReparamBlock

Change = Callable[[ReparamBlock, Tensor, torch.Generator], None]
"""Changes the parameters of a block and an input, (batch, in_channels, H, W), where they are."""


def _whole(low: int, high: int, generator: torch.Generator) -> int:
    """A number from `low` to `high`."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def _weights(block: ReparamBlock) -> list[Tensor]:
    return [module.weight.data for module in block.modules() if isinstance(module, nn.Conv2d)]


def _plain(_block: ReparamBlock, _x: Tensor, _generator: torch.Generator) -> None:
    """As it was filled."""


def _scaled(_block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    x.mul_(2.0 ** _whole(-140, 120, generator))


def _scaled_weights(block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    for weight in _weights(block):
        weight.mul_(2.0 ** _whole(-100, 40, generator))
    x.mul_(2.0 ** _whole(-40, 20, generator))


def _subnormal(block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    """Below the smallest normal number of the dtype: the input, or the weights of a branch."""
    below = torch.finfo(x.dtype).smallest_normal / 4
    weights = _weights(block)
    target = weights[0] if weights and _whole(0, 2, generator) == 0 else x
    target.copy_((target.double() * below).to(target.dtype))


def _few_valued(block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    levels = _whole(1, 4, generator)
    pixels = torch.randint(0, levels + 1, x.shape, generator=generator)
    x.copy_(pixels * (0.1 + float(torch.rand((), generator=generator))))
    for weight in _weights(block):
        weight.copy_(
            torch.randint(1, levels + 1, weight.shape, generator=generator)
            * (0.1 + float(torch.rand((), generator=generator)))
        )


def _nearly_constant(block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    x.fill_(0.1 + float(torch.rand((), generator=generator)))
    for weight in _weights(block):
        weight.fill_(0.1 + float(torch.rand((), generator=generator)))
        weight.view(-1)[_whole(0, weight.numel() - 1, generator)] *= 1 + 10.0 ** _whole(-6, 0, generator)


def _one_hot(_block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    place = _whole(0, x.numel() - 1, generator)
    value = float(x.reshape(-1)[place]) or 1.0
    x.zero_()
    x.view(-1)[place] = value


def _offset(_block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    x.add_(10.0 ** _whole(1, 4, generator))


def _saturated(_block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    """Patches of one value, as of a picture's white sky."""
    x.clamp_(max=0.3 * float(torch.rand((), generator=generator)))


def _sparse(_block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    x.mul_(torch.rand(x.shape, generator=generator) > 0.9)


def _cancelling(block: ReparamBlock, _x: Tensor, generator: torch.Generator) -> None:
    """A branch takes most of another one away, of 10^7 times the usual size in some channels."""
    weights = _weights(block)
    for one, other in itertools.pairwise(weights):
        if one.shape == other.shape:
            other.copy_(-one)
            loud = _whole(0, len(one) - 1, generator)
            one[loud] *= 1e7
            other[loud] *= 1e7
            other[loud].mul_(1 + 1e-3)


def _not_finite(block: ReparamBlock, x: Tensor, generator: torch.Generator) -> None:
    value = (math.nan, math.inf, -math.inf)[_whole(0, 2, generator)]
    weights = _weights(block)
    target = weights[0] if weights and _whole(0, 2, generator) == 0 else x
    target.view(-1)[_whole(0, target.numel() - 1, generator)] = value


KINDS: Mapping[str, Change] = {
    "plain": _plain,
    "scaled": _scaled,
    "scaled weights": _scaled_weights,
    "subnormal": _subnormal,
    "few-valued": _few_valued,
    "nearly constant": _nearly_constant,
    "one-hot": _one_hot,
    "offset": _offset,
    "saturated": _saturated,
    "sparse": _sparse,
    "cancelling": _cancelling,
    "not finite": _not_finite,
}
