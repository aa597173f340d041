"""Fold a block of plain branches strip by strip, a few output channels at a time, in the processor's cache.

A plain branch is a convolution or the identity, and what rescales its channels. Whole kernels in float64,
each step into new memory, cost ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.checkpoints.folding.folded import Folded, largest
from tui.checkpoints.folding.patch import answer, random_patch
from tui.checkpoints.folding.rescaling import RESCALING, Affine, Rescaling
from tui.checkpoints.folding.rounding import share_of_rounding
from tui.checkpoints.found import FoundBlock, FoundBranch, FoundLayer
from tui.fusion.layer_spec import LayerKind
from tui.fusion.padding import extent, offset_in

STRIP = 98_304
"""Numbers of a strip: two of these in float64 fit into a cache of level 2."""


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
    patch = random_patch(found.in_channels // found.groups, found.kernel_size)
    branches = [_branch(each, found, under, rescaling, patch) for each in found.branches]
    post = [] if found.post_norm is None else [found.post_norm]
    sums = [
        torch.stack(each).sum(dim=0) for each in zip(*(branch.after[1:] for branch in branches), strict=True)
    ]
    scale, bias, size = rescaling.composed(post, torch.ones_like(sums[0]), *sums)
    strips = _Strips(found, branches, scale, patch)
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


@dataclass(frozen=True, eq=False)
class _Branch:
    """One summand.

    Attributes:
        weight: (out_channels, in_channels / groups, taps) as stored; None for the identity.
        window: where its taps stand in the block's frame.
        patch: what of the patch they see, flat.
        rescaling: the layers that follow.
        after: what they make of the convolution's output, its bias among it.
        answer: what convolution or identity make of the patch, (out_channels,): it is added to.
        size: at least the sum of the absolute values that were added up to that, likewise.
    """

    weight: Tensor | None
    window: tuple[slice, slice]
    patch: Tensor
    rescaling: list[FoundLayer]
    after: Affine
    answer: Tensor
    size: Tensor

    def fills(self, frame: tuple[int, int]) -> bool:
        """Whether it has a weight for every tap of the frame."""
        return self.weight is not None and tuple(self.weight.shape[2:]) == frame

    def ask(self, weight: Tensor, stored: Tensor, rows: slice) -> None:
        """Let some rows of its weight, in float64 and as they are stored, answer the patch."""
        self.answer[rows] += torch.mv(weight.flatten(1), self.patch)
        self.size[rows] += _norms(stored.flatten(1)) * torch.linalg.vector_norm(self.patch)


def _norms(rows: Tensor) -> Tensor:
    """At least the norm of each row; where float32 is too coarse or too narrow for that, in float64."""
    is_float32 = rows.dtype is torch.float32
    norms: Tensor = torch.linalg.vector_norm(rows, dim=1, dtype=rows.dtype if is_float32 else torch.float64)
    return norms.double() * (1 + rows.shape[1] * 2.0**-23)


def _branch(
    branch: FoundBranch, found: FoundBlock, tensors: Mapping[str, Tensor], rescaling: Rescaling, patch: Tensor
) -> _Branch:
    first, *rest = branch.layers
    weight, bias = None, None
    if first.spec.kind == LayerKind.CONVOLUTION:
        taps = [(size - 1) // first.spread + 1 for size in first.spec.kernel_size]
        weight = tensors[dict(first.names)["weight"]].reshape(found.out_channels, -1, *taps)
        bias = rescaling.bias_of(first)
    ones = torch.ones(found.out_channels, dtype=torch.float64)
    offset = torch.zeros_like(ones) if bias is None else bias
    rows, columns = _window(first, found)
    return _Branch(
        weight,
        (rows, columns),
        patch[:, rows, columns].flatten(),
        rest,
        rescaling.composed(rest, ones, offset, offset.abs()),
        offset.clone(),
        offset.abs(),
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

    def __init__(self, found: FoundBlock, branches: list[_Branch], post: Tensor, patch: Tensor) -> None:
        self.weight = torch.empty(
            found.out_channels, len(patch), *found.kernel_size, dtype=getattr(torch, found.dtype)
        )
        self.fused = torch.empty(found.out_channels, dtype=torch.float64)
        self._patch = patch.flatten()
        scales = [(branch.after.scale * post).view(-1, 1, 1, 1) for branch in branches]
        scaled = list(zip(branches, scales, strict=True))
        self._whole = [each for each in scaled if each[0].fills(found.kernel_size)]
        small = [each for each in scaled if not each[0].fills(found.kernel_size)]
        self._small = _summed(small, len(patch))
        count = max(STRIP // max(self.weight[:1].numel(), 1), 1)
        first = torch.empty_like(self.weight[:count], dtype=torch.float64)
        self._memory = first, torch.empty_like(first)
        self.share = largest([self._fold(rows) for rows in _slices(found.out_channels, count)])

    def _fold(self, rows: slice) -> float:
        """One strip; returns its share of one rounding."""
        total, scratch = (memory[: rows.stop - rows.start] for memory in self._memory)
        for place, (branch, scale) in enumerate(self._whole):
            assert branch.weight is not None  # it fills the frame
            scratch.copy_(branch.weight[rows])
            branch.ask(scratch, branch.weight[rows], rows)
            if place == 0:
                torch.mul(scratch, scale[rows], out=total)
            else:
                total.add_(scratch.mul_(scale[rows]))
        if not self._whole:
            total.zero_()
        for window, small in self._small:
            total[:, :, window[0], window[1]] += small[rows]
        stored = self.weight[rows].copy_(total)
        torch.mv(total.flatten(1), self._patch, out=self.fused[rows])
        return share_of_rounding(stored, total, scratch)


_Window = tuple[slice, slice]


def _summed(scaled: Iterable[tuple[_Branch, Tensor]], columns: int) -> list[tuple[_Window, Tensor]]:
    """The kernels of branches that do not fill the frame, scaled; those that stand at one place as one."""
    sums: list[tuple[_Window, Tensor]] = []
    # The identity last: it is added to what is there.
    for branch, scale in sorted(scaled, key=lambda each: each[0].weight is None):
        there = next((kernel for place, kernel in sums if place == branch.window), None)
        if branch.weight is None:
            kernel = scale.new_zeros(len(scale), columns, 1, 1) if there is None else there
            _add_identity(branch, kernel, scale)
        else:
            kernel = branch.weight.to(torch.float64, copy=True)
            branch.ask(kernel, branch.weight, slice(0, len(scale)))
            kernel.mul_(scale)
            if there is not None:
                there += kernel
        if there is None:
            sums.append((branch.window, kernel))
    return sums


def _add_identity(branch: _Branch, kernel: Tensor, scale: Tensor) -> None:
    """Add the scaled identity to a 1 x 1 kernel, and let it answer the patch."""
    rows = torch.arange(len(scale))
    columns = rows % kernel.shape[1]
    kernel[rows, columns, 0, 0] += scale.flatten()
    pixel = branch.patch[columns]
    branch.answer.add_(pixel)
    branch.size.add_(pixel.abs())


def _slices(length: int, count: int) -> Iterator[slice]:
    for start in range(0, length, count):
        yield slice(start, min(start + count, length))
