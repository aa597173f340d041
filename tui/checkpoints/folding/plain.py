"""Fold a block of plain branches strip by strip, a few output channels at a time, in the processor's cache.

A plain branch is a convolution or the identity, and what rescales its channels. Whole kernels in float64,
each step into new memory, cost ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tui.checkpoints.folding.folded import Folded, largest
from tui.checkpoints.folding.patch import answer, random_patch
from tui.checkpoints.folding.rescaling import RESCALING, Affine, Rescaling
from tui.checkpoints.folding.rounding import share_of_rounding
from tui.checkpoints.found import FoundBlock, FoundBranch, FoundLayer
from tui.fusion.layer_spec import LayerKind
from tui.fusion.padding import centre, extent, offset_in

STRIP = 32_768
"""Numbers of a strip: two in float64 fit into a cache of level 2, and torch starts no threads for so few."""


def is_plain(found: FoundBlock) -> bool:
    """Whether each branch is a convolution or the identity, and what rescales its channels."""
    return all(_is_plain(branch, found.groups) for branch in found.branches)


def _is_plain(branch: FoundBranch, groups: int) -> bool:
    first, *rest = branch.layers
    spec = first.spec
    if any(layer.spec.kind not in RESCALING for layer in rest):
        return False
    if spec.kind == LayerKind.IDENTITY:
        return True
    return spec.kind == LayerKind.CONVOLUTION and (spec.groups or spec.in_channels) == groups


@torch.no_grad()
def fold_plain(found: FoundBlock, tensors: Mapping[str, Tensor], eps: float | None) -> Folded:
    """The fused convolution of a plain block, and how it answers a random patch.

    `tensors`: as the file has them, by name. `eps`: of all its batch norms, for the family's.
    """
    under = {name.removeprefix(found.full_name("")): tensor for name, tensor in tensors.items()}
    rescaling = Rescaling(under, eps)
    branches = [_branch(each, found, under, rescaling) for each in found.branches]
    branches.sort(key=lambda branch: not branch.fills(found.kernel_size))
    post = [] if found.post_norm is None else [found.post_norm]
    sums = [
        torch.stack(each).sum(dim=0) for each in zip(*(branch.after[1:] for branch in branches), strict=True)
    ]
    scale, bias, size = rescaling.composed(post, torch.ones_like(sums[0]), *sums)
    strips = _Strips(found, branches, scale)
    unfused = sum(
        (rescaling.run(branch.rescaling, branch.answer) for branch in branches), torch.zeros_like(bias)
    )
    sizes = sum((branch.size * branch.after.scale.abs() for branch in branches), torch.zeros_like(bias))
    stored = bias.to(strips.weight.dtype)
    return Folded(
        strips.weight,
        stored,
        largest([strips.share, share_of_rounding(stored, bias)]),
        answer(
            strips.fused + bias,
            rescaling.run(post, unfused),
            sizes * scale.abs() + size,
            strips.weight[:1].numel() * len(branches),
        ),
    )


@dataclass(eq=False)
class _Branch:
    """One summand.

    Attributes:
        weight: (out_channels, in_channels / groups, taps) as stored; None for the identity.
        window: where its taps stand in the block's frame.
        bias: of the convolution.
        rescaling: the layers that follow.
        after: what they make of the convolution's output, its bias among it.
        answer: what convolution or identity make of the patch, (out_channels,).
        size: at least the sum of the absolute values that were added up to that.
    """

    weight: Tensor | None
    window: tuple[slice, slice]
    bias: Tensor | None
    rescaling: list[FoundLayer]
    after: Affine
    answer: Tensor = field(init=False)
    size: Tensor = field(init=False)

    def __post_init__(self) -> None:
        zeros = torch.zeros_like(self.after.scale) if self.bias is None else self.bias
        self.answer, self.size = zeros.clone(), zeros.abs()

    def fills(self, frame: tuple[int, int]) -> bool:
        """Whether it has a weight for every tap of the frame."""
        return self.weight is not None and tuple(self.weight.shape[2:]) == frame


def _branch(
    branch: FoundBranch, found: FoundBlock, tensors: Mapping[str, Tensor], rescaling: Rescaling
) -> _Branch:
    first, *rest = branch.layers
    weight, bias = None, None
    if first.spec.kind == LayerKind.CONVOLUTION:
        taps = [(size - 1) // first.spread + 1 for size in first.spec.kernel_size]
        weight = tensors[dict(first.names)["weight"]].reshape(found.out_channels, -1, *taps)
        bias = rescaling.bias_of(first)
    ones = torch.ones(found.out_channels, dtype=torch.float64)
    offset = torch.zeros_like(ones) if bias is None else bias
    return _Branch(
        weight, _window(first, found), bias, rest, rescaling.composed(rest, ones, offset, offset.abs())
    )


def _window(layer: FoundLayer, found: FoundBlock) -> tuple[slice, slice]:
    """Where the layer's taps stand in the block's frame."""
    spec = layer.spec
    height, width = (extent(size, step) for size, step in zip(spec.kernel_size, spec.dilation, strict=True))
    starts = offset_in((height, width), found.kernel_size)
    rows, columns = (
        slice(start, start + size, max(layer.spread, step))
        for start, size, step in zip(starts, (height, width), spec.dilation, strict=True)
    )
    return rows, columns


class _Strips:
    """Goes through the output channels in strips.

    Attributes:
        weight: the fused weight, in the block's dtype.
        share: see `Folded`.
        fused: what the fused weight makes of the patch, without the bias, (out_channels,).
    """

    def __init__(self, found: FoundBlock, branches: list[_Branch], post: Tensor) -> None:
        columns, dtype = found.in_channels // found.groups, getattr(torch, found.dtype)
        self.weight = torch.empty(found.out_channels, columns, *found.kernel_size, dtype=dtype)
        self.fused = torch.empty(found.out_channels, dtype=torch.float64)
        self._branches = branches
        self._scales = [branch.after.scale * post for branch in branches]
        self._patch = random_patch(columns, found.kernel_size)
        self._centre = [centre(size) for size in found.kernel_size]
        count = max(STRIP // max(self.weight[:1].numel(), 1), 1)
        first = torch.empty_like(self.weight[:count], dtype=torch.float64)
        self._memory = first, torch.empty_like(first)
        shares = [self._fold(rows) for rows in _slices(found.out_channels, count)]
        self.share = largest(shares)

    def _fold(self, rows: slice) -> float:
        """One strip; returns its share of one rounding."""
        total, scratch = (memory[: rows.stop - rows.start] for memory in self._memory)
        if not self._branches[0].fills((total.shape[2], total.shape[3])):
            total.zero_()
        for place, (branch, scales) in enumerate(zip(self._branches, self._scales, strict=True)):
            scale = scales[rows].view(-1, 1, 1, 1)
            if branch.weight is None:
                self._add_identity(total, rows, branch, scale)
                continue
            stored = branch.weight[rows]
            fills = stored.shape == total.shape
            raw = scratch.copy_(stored) if fills else stored.to(torch.float64, copy=True)
            self._ask(raw, rows, branch)
            if place == 0 and fills:
                torch.mul(raw, scale, out=total)
            else:
                total[:, :, branch.window[0], branch.window[1]] += raw.mul_(scale)
        fused = self.weight[rows].copy_(total)
        torch.mv(total.flatten(1), self._patch.flatten(), out=self.fused[rows])
        return share_of_rounding(fused, total, scratch)

    def _ask(self, raw: Tensor, rows: slice, branch: _Branch) -> None:
        """Let a convolution's weights in float64 answer the patch."""
        patch = self._patch[:, branch.window[0], branch.window[1]].flatten()
        flat = raw.flatten(1)
        branch.answer[rows] += flat @ patch
        branch.size[rows] += torch.linalg.vector_norm(flat, dim=1) * torch.linalg.vector_norm(patch)

    def _add_identity(self, total: Tensor, rows: slice, branch: _Branch, scale: Tensor) -> None:
        row, column = self._centre
        places = torch.arange(rows.start, rows.stop)
        columns = places % total.shape[1]
        total[places - rows.start, columns, row, column] += scale.flatten()
        pixel = self._patch[columns, row, column]
        branch.answer[rows] += pixel
        branch.size[rows] += pixel.abs()


def _slices(length: int, count: int) -> Iterator[slice]:
    for start in range(0, length, count):
        yield slice(start, min(start + count, length))
