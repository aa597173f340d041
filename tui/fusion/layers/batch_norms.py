"""The batch norms of the field that are another class than nn.BatchNorm2d, seen as one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tui.fusion.kernel import FusionError

_NUMBERS = ("weight", "bias", "running_mean", "running_var")
USUAL_FROZEN_EPS = 1e-5
"""That of frozen batch norms which have it in their forward alone (DETR's)."""


def as_batch_norm(norm: nn.Module) -> nn.Module:
    """An nn.BatchNorm2d of the same tensors, which are not copied, where the norm is one by another name.

    So are nn.SyncBatchNorm, whose running statistics are those of any batch norm, and the frozen batch norms
    of torchvision, detectron2 and DETR: weight, bias, running_mean and running_var as buffers. Any other norm
    is given back as it is.

    Raises:
        FusionError: it looks like a frozen batch norm and does not give what one gives.
    """
    if isinstance(norm, nn.BatchNorm2d):
        return norm
    if isinstance(norm, nn.SyncBatchNorm):
        return _of_tensors(norm, norm.eps).train(norm.training)
    if not _is_frozen(norm):
        return norm
    frozen = _of_tensors(norm, getattr(norm, "eps", USUAL_FROZEN_EPS)).eval()
    _refuse_other_map(norm, frozen)
    return frozen


def _is_frozen(norm: nn.Module) -> bool:
    """Whether it has the four tensors of a batch norm as buffers, each of one number a channel."""
    tensors = dict(norm.named_buffers(recurse=False))
    shapes = {tensors[name].shape for name in _NUMBERS if name in tensors}
    return (
        all(name in tensors for name in _NUMBERS)
        and len(shapes) == 1
        and len(next(iter(shapes))) == 1
        and not any(norm.children())
    )


def _of_tensors(norm: nn.Module, eps: float) -> nn.BatchNorm2d:
    mean = norm.running_mean
    tracks, affine = isinstance(mean, Tensor), isinstance(norm.weight, Tensor)
    channels = len(next(each for each in (mean, norm.weight) if isinstance(each, Tensor)))
    seen = nn.BatchNorm2d(channels, eps=eps, affine=affine, track_running_stats=tracks, device="meta")
    for name in ("weight", "bias") if affine else ():
        tensor = getattr(norm, name)
        given = tensor if isinstance(tensor, nn.Parameter) else nn.Parameter(tensor, requires_grad=False)
        setattr(seen, name, given)
    for name in ("running_mean", "running_var") if tracks else ():
        setattr(seen, name, getattr(norm, name))
    seen.num_batches_tracked = None
    return seen


@torch.no_grad()
def _refuse_other_map(norm: nn.Module, seen: nn.BatchNorm2d) -> None:
    """Ask both for two pixels of each channel, which tell a factor and an offset.

    Raises:
        FusionError: they do not give the same.
    """
    weight = seen.weight
    x = torch.tensor([1.0, -3.0], dtype=weight.dtype, device=weight.device).view(1, 1, 1, 2)
    x = x.expand(1, len(weight), 1, 2)
    try:
        given, expected = norm(x), seen(x)
    except (RuntimeError, TypeError, ValueError) as error:
        raise FusionError(f"{type(norm).__name__} cannot be folded: it fails on an image: {error}") from error
    tolerance = 64 * torch.finfo(weight.dtype).eps * float(expected.abs().max())
    if given.shape != expected.shape or not bool(((given - expected).abs() <= tolerance).all()):
        raise FusionError(
            f"{type(norm).__name__} has the tensors of a batch norm and gives something else than one with "
            f"eps {seen.eps:g}; set its eps attribute, or give an nn.BatchNorm2d"
        )
