"""Fold a block of plain branches strip by strip, a few output channels at a time, in the processor's cache.

A plain branch is a convolution or the identity, and what rescales its channels. Whole kernels in float64,
each step into new memory, cost ten times as much. A large weight is also read strip by strip: memory that
was never touched costs as much again as what is read into it.

What is checked is not the fold done twice: the branches answer a random patch by the file's own numbers and
torch's batch norm, channel by channel, the fused kernel by its own; one matrix times a vector each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from tui.checkpoints.folding.folded import Folded, largest
from tui.checkpoints.folding.patch import answer, random_patch
from tui.checkpoints.folding.rescaling import Affine, Rescaling
from tui.checkpoints.folding.rounding import share_of_rounding
from tui.checkpoints.folding.rows import Rows
from tui.checkpoints.found import FoundBlock, FoundBranch, FoundLayer
from tui.fusion.specs.layer_spec import LayerKind
from tui.fusion.specs.padding import extent, offset_in

STRIP = 49_152
"""Numbers of a strip, about: all that it is worked on in, 28 bytes a number, fits into a cache of level 2."""
_NONE: Mapping[str, Rows] = {}

Put = Callable[[int, Tensor], object]
"""Takes rows of the fused weight in the block's dtype, from that one on; they are good until it returns."""


def is_plain(found: FoundBlock) -> bool:
    """Whether each branch is a convolution or the identity, and what rescales its channels."""
    return all(_is_plain(branch, found.groups) for branch in found.branches)


def _is_plain(branch: FoundBranch, groups: int) -> bool:
    first, *rest = branch.layers
    spec = first.spec
    if any(not layer.spec.rescales for layer in rest):
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
    put: Put | None = None,
) -> Folded:
    """The fused convolution of a plain block, and how it answers a random patch.

    `tensors`: as the file has them, by name. `eps`: of all its batch norms, for the family's. `large`: those
    of its `large_weights` that are not among `tensors`. `put`: takes the fused weight while it is in the
    cache, so that it is never in memory as a whole.

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
    strips = _Strips(found, branches, scale, patch, put)
    unfused = sum(
        (rescaling.run(branch.rescaling, branch.answer) for branch in branches), torch.zeros_like(bias)
    )
    sizes = sum((branch.size * branch.after.scale.abs() for branch in branches), torch.zeros_like(bias))
    stored = bias.to(getattr(torch, found.dtype))
    return Folded(
        strips.weight,
        stored,
        largest([strips.share, share_of_rounding(stored, bias)]),
        answer(
            strips.fused + bias,
            rescaling.run(post, unfused),
            sizes * scale.abs() + size,
            patch.numel() * len(branches),
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
        norms: the Euclidean norm of each row of the weight, as it is stored: filled in with the answer.
        offset_size: the absolute values of what was added to the answer beside the weight's products.
    """

    weight: Rows | None
    taps: tuple[int, ...]
    window: tuple[slice, slice]
    patch: Tensor
    patch_norm: Tensor
    rescaling: list[FoundLayer]
    after: Affine
    answer: Tensor
    norms: Tensor
    offset_size: Tensor

    @property
    def size(self) -> Tensor:
        """At least the sum of the absolute values that were added up to the answer, (out_channels,)."""
        norms = self.norms.double() * (1 + prod(self.taps) * 2.0**-23)
        return self.offset_size + norms * self.patch_norm

    def fills(self, frame: tuple[int, int]) -> bool:
        """Whether it has a weight for every tap of the frame."""
        return self.weight is not None and self.taps[1:] == frame

    def ask(self, weight: Tensor, stored: Tensor, rows: slice) -> None:
        """Let some rows of its weight, in float64 and as they are stored, answer the patch; each row flat."""
        self.answer[rows].addmv_(weight, self.patch)
        torch.linalg.vector_norm(stored, dim=1, dtype=self.norms.dtype, out=self.norms[rows])


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
        torch.zeros(found.out_channels, dtype=_dtype_of_norms(weight)),
        offset.abs(),
    )


def _dtype_of_norms(weight: Rows | None) -> torch.dtype:
    """In float64 where float32 is too coarse or too narrow for the numbers."""
    return torch.float32 if weight is not None and weight.dtype is torch.float32 else torch.float64


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
        weight: the fused weight, in the block's dtype; None where it is put elsewhere.
        share: see `Folded`.
        fused: what the fused weight makes of the patch, without the bias, (out_channels,).
    """

    def __init__(
        self, found: FoundBlock, branches: list[_Branch], post: Tensor, patch: Tensor, put: Put | None
    ) -> None:
        dtype, of_row = getattr(torch, found.dtype), (len(patch), *found.kernel_size)
        self.weight = torch.empty(found.out_channels, *of_row, dtype=dtype) if put is None else None
        self.fused = torch.empty(found.out_channels, dtype=torch.float64)
        self._put = put
        self._patch = patch.flatten()
        scaled = [(branch, (branch.after.scale * post).view(-1, 1)) for branch in branches]
        self._whole = [each for each in scaled if each[0].fills(found.kernel_size)]
        small = [each for each in scaled if not each[0].fills(found.kernel_size)]
        self._small = _summed(small, len(patch))
        count = -(-found.out_channels // max(round(found.out_channels * patch.numel() / STRIP), 1))
        memory = _Memory.of(count, of_row, dtype)
        shares = []
        for rows in _slices(found.out_channels, count):
            if rows.stop - rows.start < count:  # the last one
                memory = _Memory.of(rows.stop - rows.start, of_row, dtype)
            shares.append(self._fold(rows, memory))
        self.share = largest(shares)

    def _fold(self, rows: slice, memory: _Memory) -> float:
        """One strip; returns its share of one rounding."""
        total, scratch = memory.total, memory.scratch
        for place, (branch, scale) in enumerate(self._whole):
            assert branch.weight is not None  # it fills the frame
            stored = branch.weight.strip(rows, memory.read)
            if place == 0:
                branch.ask(total.copy_(stored), stored, rows)
                torch.mul(total, scale[rows], out=total)
            else:
                branch.ask(scratch.copy_(stored), stored, rows)
                total.addcmul_(scratch, scale[rows])
        if not self._whole:
            total.zero_()
        for window, small in self._small:
            memory.frame[:, :, window[0], window[1]].add_(small[rows])
        torch.mv(total, self._patch, out=self.fused[rows])
        fused = memory.stored if self.weight is None else self.weight[rows].view(total.shape)
        share = share_of_rounding(fused.copy_(total), total, scratch, memory.narrow)
        if self._put is not None:
            self._put(rows.start, fused)
        return share


@dataclass(frozen=True, eq=False, slots=True)
class _Memory:
    """What a strip is worked on in, a row for each output channel; made once, as the first touch costs.

    Attributes:
        total: the fused weight, in float64; `frame`: the same memory, (rows, in_channels / groups, kH, kW).
        scratch, narrow: for what comes up on the way, in float64 and float32.
        read, stored: what is read from the file and what is written, in the block's dtype.
    """

    total: Tensor
    frame: Tensor
    scratch: Tensor
    narrow: Tensor
    read: Tensor
    stored: Tensor

    @classmethod
    def of(cls, rows: int, of_row: tuple[int, ...], dtype: torch.dtype) -> _Memory:
        """For so many rows."""
        kinds = torch.float64, torch.float64, torch.float32, dtype, dtype
        total, *others = (torch.empty(rows, prod(of_row), dtype=kind) for kind in kinds)
        return cls(total, total.view(rows, *of_row), *others)


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
            flat = stored.reshape(len(scale), -1)
            rows = flat.to(torch.float64, copy=True)
            branch.ask(rows, flat, slice(0, len(scale)))
            kernel = rows.mul_(scale).view(len(scale), *branch.taps)
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
    branch.offset_size.add_(pixel.abs())


def _slices(length: int, count: int) -> Iterator[slice]:
    for start in range(0, length, count):
        yield slice(start, min(start + count, length))
