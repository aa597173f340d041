"""conv2d_of and batch_norm2d_of: torch's modules around numbers that there are already, in eval mode."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import TypeVar

from torch import Tensor, nn

from tui.fusion.pair_text import Pair
from tui.fusion.unfilled_conv import unfilled_conv2d

AnyModule = TypeVar("AnyModule", bound=nn.Module)

_HELD = (dict, OrderedDict, set, list)


def conv2d_of(
    weight: nn.Parameter,
    bias: nn.Parameter | None,
    *,
    stride: Pair = (1, 1),
    padding: Pair | str = (0, 0),
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding_mode: str = "zeros",
) -> nn.Conv2d:
    """An nn.Conv2d with that weight (out_channels, in_channels / groups, kH, kW) and bias (out_channels,).

    It is copied from one of the same settings, which takes a tenth of the time of nn.Conv2d(...).
    """
    out_channels, columns, *size = weight.shape
    conv = _alike(_conv2d((size[0], size[1]), stride, padding, dilation, groups, padding_mode))
    vars(conv).update(in_channels=columns * groups, out_channels=out_channels)
    vars(conv)["_parameters"] = {"weight": weight, "bias": bias}
    return conv


def batch_norm2d_of(
    weight: nn.Parameter | None, bias: nn.Parameter | None, mean: Tensor, var: Tensor, eps: float
) -> nn.BatchNorm2d:
    """An nn.BatchNorm2d with these numbers, each (channels,), copied likewise; it counts no batches."""
    norm = _alike(_batch_norm2d(eps))
    vars(norm).update(num_features=len(mean), affine=weight is not None)
    vars(norm)["_parameters"] = {"weight": weight, "bias": bias}
    vars(norm)["_buffers"] = {"running_mean": mean, "running_var": var, "num_batches_tracked": None}
    return norm


@lru_cache(maxsize=256)
def _conv2d(
    size: Pair, stride: Pair, padding: Pair | str, dilation: Pair, groups: int, padding_mode: str
) -> nn.Conv2d:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "padding_mode": padding_mode}
    return unfilled_conv2d(groups, groups, size, groups=groups, **options).eval()


@lru_cache(maxsize=64)
def _batch_norm2d(eps: float) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(1, eps=eps, device="meta").eval()


def _alike(module: AnyModule) -> AnyModule:
    """One with the same attributes, and dictionaries of its own."""
    made = type(module).__new__(type(module))
    vars(made).update(
        (name, value.copy() if isinstance(value, _HELD) else value) for name, value in vars(module).items()
    )
    return made
