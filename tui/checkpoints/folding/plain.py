"""Fold a block of plain branches strip by strip, a few output channels at a time, in the processor's cache.

A plain branch is a convolution or the identity, and what rescales its channels. Whole kernels in float64,
each step into new memory, cost ten times as much. A large weight is also read strip by strip: memory that
was never touched costs as much again as what is read into it.

What is checked is not the fold done twice: the branches answer a random patch by the file's own numbers and
torch's batch norm, channel by channel, the fused kernel by its own; one matrix times a vector each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from tui.checkpoints.folding.folded import Folded, largest
from tui.checkpoints.folding.patch import answer, random_patch
from tui.checkpoints.folding.rescaling import RESCALING, Affine, Rescaling
from tui.checkpoints.folding.rounding import share_of_rounding
from tui.checkpoints.folding.rows import Rows
from tui.checkpoints.found import FoundBlock, FoundBranch, FoundLayer
from tui.fusion.specs.layer_spec import LayerKind
from tui.fusion.specs.padding import extent, offset_in

STRIP = 98_304
"""Numbers of a strip: two of these in float64 fit into a cache of level 2."""
_NONE: Mapping[str, Rows] = {}


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


def large_weights(found: FoundBlock) -> frozenset[str]:
    """The names of a plain block's weights that `fold_plain` can read strip by strip, and is better to."""
    return frozenset(
        found.full_name(name)
        for branch in found.branches
        for part, name in branch.layers[0].names
        if part == "weight"
        and _taps(branch.layers[0]) == found.kernel_size
        and prod(found.fused[0].shape) > STRIP
    )


@torch.no_grad()
def fold_plain(
    found: FoundBlock,
    tensors: Mapping[str, Tensor],
    eps: float | None,
    large: Mapping[str, Rows] = _NONE,
) -> Folded:
    """The fused convolution of a plain block, and how it answers a random patch.

    `tensors`: as the file has them, by name. `eps`: of all its batch norms, for the family's. `large`: those
    of its `large_weights` that are not among `tensors`.

    Raises:
        CheckpointError: the file that a large weight is read from has changed or is gone.
    """
    under = {name.removeprefix(found.full_name("")): tensor for name, tensor in tensors.items()}
    rescaling = Rescaling(under, eps)
    patch = random_patch(found.in_channels // found.groups, found.kernel_size)
    rows = {name: Rows.of(tensor) for name, tensor in under.items()}
    rows |= {name.removeprefix(found.full_name("")): each for name, each in large.items()}
    branches = [_branch(each, found, rows, rescaling, patch) for each in found.branches]
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
        weight: as stored, its rows in the shape of `taps`; None for the identity.
        taps: (in_channels / groups, kH, kW) of a row.
        window: where its taps stand in the block's frame.
        patch, patch_norm: what of the patch they see, flat, and its Euclidean norm.
        rescaling: the layers that follow.
        after: what they make of the convolution's output, its bias among it.
        answer: what convolution or identity make of the patch, (out_channels,): it is added to.
        size: at least the sum of the absolute values that were added up to that, likewise.
    """

    weight: Rows | None
    taps: tuple[int, ...]
    window: tuple[slice, slice]
    patch: Tensor
    patch_norm: Tensor
    rescaling: list[FoundLayer]
    after: Affine
    answer: Tensor
    size: Tensor

    def fills(self, frame: tuple[int, int]) -> bool:
        """Whether it has a weight for every tap of the frame."""
        return self.weight is not None and self.taps[1:] == frame

    def ask(self, weight: Tensor, stored: Tensor, rows: slice) -> None:
        """Let some rows of its weight, in float64 and as they are stored, answer the patch."""
        self.answer[rows].addmv_(weight.flatten(1), self.patch)
        self.size[rows].add_(_norms(stored.flatten(1)).mul_(self.patch_norm))


def _norms(rows: Tensor) -> Tensor:
    """At least the norm of each row; where float32 is too coarse or too narrow for that, in float64."""
    is_float32 = rows.dtype is torch.float32
    norms: Tensor = torch.linalg.vector_norm(rows, dim=1, dtype=rows.dtype if is_float32 else torch.float64)
    return norms.double() * (1 + rows.shape[1] * 2.0**-23)


def _branch(
    branch: FoundBranch, found: FoundBlock, weights: Mapping[str, Rows], rescaling: Rescaling, patch: Tensor
) -> _Branch:
    first, *rest = branch.layers
    weight, bias = None, None
    if first.spec.kind == LayerKind.CONVOLUTION:
        weight = weights[dict(first.names)["weight"]]
        bias = rescaling.bias_of(first)
    ones = torch.ones(found.out_channels, dtype=torch.float64)
    offset = torch.zeros_like(ones) if bias is None else bias
    rows, columns = _window(first, found)
    seen = patch[:, rows, columns].flatten()
    return _Branch(
        weight,
        (len(patch), *_taps(first)),
        (rows, columns),
        seen,
        torch.linalg.vector_norm(seen),
        rest,
        rescaling.composed(rest, ones, offset, offset.abs()),
        offset.clone(),
        offset.abs(),
    )


def _taps(layer: FoundLayer) -> tuple[int, int]:
    """How many a convolution's weight has, as it is stored."""
    height, width = ((size - 1) // layer.spread + 1 for size in layer.spec.kernel_size)
    return height, width


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
        strip = self.weight[:count]
        self._memory = tuple(torch.empty_like(strip, dtype=torch.float64) for _ in range(2))
        self._read = {
            branch.weight.dtype: torch.empty_like(strip, dtype=branch.weight.dtype)
            for branch, _ in self._whole
            if branch.weight is not None and branch.weight.held is None
        }
        self._narrow = torch.empty_like(strip, dtype=torch.float32)
        self.share = largest([self._fold(rows) for rows in _slices(found.out_channels, count)])

    def _fold(self, rows: slice) -> float:
        """One strip; returns its share of one rounding."""
        total, scratch = (memory[: rows.stop - rows.start] for memory in self._memory)
        for place, (branch, scale) in enumerate(self._whole):
            assert branch.weight is not None  # it fills the frame
            stored = branch.weight.strip(rows, self._read.get(branch.weight.dtype, total)).view(total.shape)
            if place == 0:
                branch.ask(total.copy_(stored), stored, rows)
                torch.mul(total, scale[rows], out=total)
            else:
                branch.ask(scratch.copy_(stored), stored, rows)
                total.addcmul_(scratch, scale[rows])
        if not self._whole:
            total.zero_()
        for window, small in self._small:
            total[:, :, window[0], window[1]].add_(small[rows])
        torch.mv(total.flatten(1), self._patch, out=self.fused[rows])
        fused = self.weight[rows].copy_(total)
        return share_of_rounding(fused, total, scratch, self._narrow[: len(total)])


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
            stored = branch.weight.held
            assert stored is not None  # no large one
            kernel = stored.view(len(scale), *branch.taps).to(torch.float64, copy=True)
            branch.ask(kernel, stored, slice(0, len(scale)))
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
