"""judge_stored(block, given): is a fused kernel that comes finished right, by its weights and no input."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tui.analysis.bounds.making import Making, makings
from tui.analysis.bounds.stored import StoredBounds, holds, numbers_of
from tui.analysis.numerics.precision import FINEST_FIRST, PRECISIONS
from tui.analysis.verdict.rivals import rival_of
from tui.analysis.verdict.stored import (
    Rival,
    StoredNumber,
    StoredReason,
    StoredShapeError,
    StoredVerdict,
)
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.specs.block_spec import Dtype, Pair
from tui.fusion.specs.padding import conv2d_frame
from tui.fusion.torch_dtypes import dtype_of, torch_dtype

MOST_NAMED = 8
"""Wrong numbers that are listed."""

FEWEST_ROUGH = 3
"""Sizes of numbers beyond one rounding from which on a slight mistake may explain more than 16 bit do."""

LEAST_ROUGH = 0.04
"""Of the numbers behind batch norms, the part that a fold step by step leaves beyond one rounding.

Measured over the presets in 8 and 16 channels, float16 and bfloat16: 0.12 to 0.57 of the numbers, in 0.56
to 1 of the output channels. Less is no such fold but a few numbers, or a small mistake in all.
"""

LEAST_ROUGH_CHANNELS = 0.25
"""The same of the output channels."""

FEWEST_CHANNELS = 8
"""Of fewer output channels no part is taken."""

FEWEST_NUMBERS = 64
"""Nor of fewer numbers."""

LEAST_DIFFERENT = 0.5
"""Nor where less than this part of them are different sizes, as of small integers, which round alike."""


@torch.no_grad()
def judge_stored(block: ReparamBlock, given: Kernel, dtype: Dtype | None = None) -> StoredVerdict:
    """Rule on a fused kernel that another tool made of this block, number by number.

    >>> from tui.fusion import BlockSpec, build_block
    >>> block = build_block(BlockSpec(in_channels=4, out_channels=4))
    >>> judge_stored(block, block.kernel().to(torch.bfloat16)).ruling.value
    'exact'

    Each number is held against the float64 fold: |W_given - W| <= u |W| + the fold's bound (`StoredBounds`),
    with the fold in float64, in float32, or in the dtype itself, each step rounded, the finest first: the
    first that explains all of them is what is told. A fold step by step in 16 bit is believed only if it
    rounded most output channels, and if no known mistake explains every number by one rounding, of the block
    or of the block in that dtype.

    Args:
        block: in eval mode, in whatever dtype its parameters are.
        given: its weight (out_channels, in_channels / groups, kH, kW) and its bias, in any dtype each. An
            even kernel may come in the odd frame in which nn.Conv2d takes it.
        dtype: what the numbers were rounded to; where None that of the tensors, or a coarser one that has
            each of their numbers, as NumPy's float32 has those of bfloat16.

    Raises:
        StoredShapeError: it has another shape than what the block comes to.
        FusionError: the block cannot be folded.
    """
    right = framed(block, block.kernel(), given)
    bounds = StoredBounds(block, right)
    apart = (numbers_of(given) - bounds.right).abs_()
    if math.isfinite(float(apart.max())):
        return _judged(block, given, bounds, apart, dtype)
    return _not_finite(block, given, right, dtype)


@dataclass(frozen=True, eq=False)
class _Held:
    """A kernel held against one bound.

    Attributes:
        apart: |W_given - W|, (out_channels, n + 1).
        bound: of that shape. `beyond`: where it is exceeded.
    """

    making: Making
    apart: Tensor
    bound: Tensor
    beyond: Tensor

    @property
    def channels(self) -> Tensor:
        """The output channels that exceed it."""
        return self.beyond.any(dim=1)


def framed(block: ReparamBlock, right: Kernel, given: Kernel) -> Kernel:
    """The right kernel in the frame in which it was given.

    Raises:
        StoredShapeError: it is given in none.
    """
    shape, own = tuple(given.weight.shape), tuple(right.weight.shape)
    frame = conv2d_frame(right.kernel_size, block.geometry.stride, block.geometry.dilation)
    frames = {own, (*own[:2], *frame.kernel_size)} if frame.dilation == block.geometry.dilation else {own}
    if shape not in frames:
        expected = " or ".join(_shown(each) for each in sorted(frames))
        raise StoredShapeError(
            f"the weight that was given is {_shown(shape)}, and this block comes to {expected} "
            "(out_channels × in_channels/groups × kH × kW)"
        )
    if given.bias is not None and tuple(given.bias.shape) != own[:1]:
        raise StoredShapeError(
            f"the bias that was given is {_shown(tuple(given.bias.shape))}, and this block has {own[0]} "
            "output channels"
        )
    return pad_to(right, given.kernel_size)


def _shown(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"


def _ways(given: Kernel, dtype: Dtype | None) -> Iterator[Making]:
    """How it may have come about: the finest arithmetic of the likeliest storage first, 16 bit last."""
    rough = []
    for making in _any_ways(given, dtype):
        if making.step_by_step:
            rough.append(making)
        else:
            yield making
    yield from rough


def _any_ways(given: Kernel, dtype: Dtype | None) -> Iterator[Making]:
    """For each dtype that has all the numbers, the finest first."""
    tensors = [given.weight] if given.bias is None else [given.weight, given.bias]
    if dtype is not None:
        yield from makings(dtype, dtype)
        return
    kinds = [dtype_of(tensor.dtype) for tensor in tensors]
    yield from makings(kinds[0], kinds[-1])
    for coarser in FINEST_FIRST:
        known = all(_is_finer(kind, coarser) for kind in kinds)
        if known and all(holds(tensor, torch_dtype(coarser)) for tensor in tensors):
            yield from makings(coarser, coarser)


def _is_finer(one: Dtype, other: Dtype) -> bool:
    return FINEST_FIRST.index(one) < FINEST_FIRST.index(other)


def _judged(
    block: ReparamBlock, given: Kernel, bounds: StoredBounds, apart: Tensor, dtype: Dtype | None
) -> StoredVerdict:
    """Where all is finite, `apart` being |W_given - W|."""
    tried: list[_Held] = []
    for making in _ways(given, dtype):
        if making.arithmetic is Dtype.FLOAT64 and _same(bounds.kernel, given, making):
            bound = bounds.of_cast(making)
            return _told(StoredReason.SAME, given, bounds, _Held(making, apart, bound, apart > bound))
        held = _held(making, apart, bounds)
        if not bool(held.beyond.any()):
            return _explained(block, given, bounds, tried, held)
        tried.append(held)
    return _told(StoredReason.BEYOND, given, bounds, _telling(tried, bounds))


def _explained(
    block: ReparamBlock, given: Kernel, bounds: StoredBounds, tried: list[_Held], held: _Held
) -> StoredVerdict:
    """What follows where one way explains all numbers, and the finer ones that were tried do not."""
    finer = next((each for each in tried if each.making == held.making.rounded_once), None)
    if not held.making.step_by_step or finer is None:
        return _told(StoredReason.WITHIN, given, bounds, held)
    rough = int(finer.beyond.sum())
    believed = _is_rough(finer, bounds)
    slight = not believed or _different(bounds.right[finer.beyond]) >= FEWEST_ROUGH
    rival = rival_of(block, given, bounds, finer.making, folded_in=held.making.arithmetic, slight=slight)
    if rival is not None:
        return _told(StoredReason.MISTAKE, given, bounds, finer, rival=rival)
    if not believed:
        return _told(StoredReason.BEYOND, given, bounds, finer)
    if not bounds.holds_parameters(held.making.arithmetic):
        cast = copy.deepcopy(block).to(torch_dtype(held.making.arithmetic))
        mistaken = judge_stored(cast, given, held.making.dtype)
        if mistaken.reason is StoredReason.MISTAKE:
            return mistaken
    return _told(StoredReason.STEP_BY_STEP, given, bounds, held, rough=rough)


def _held(making: Making, apart: Tensor, bounds: StoredBounds, kernel: Kernel | None = None) -> _Held:
    bound = bounds.of(making, kernel)
    return _Held(making, apart, bound, apart > bound)


def _same(right: Kernel, given: Kernel, making: Making) -> bool:
    """Whether every number is the right one, rounded once."""
    if not _equal(right.weight.to(torch_dtype(making.weight)), given.weight):
        return False
    zeros = right.weight.new_zeros(len(right.weight))
    one, other = (zeros if kernel.bias is None else kernel.bias for kernel in (right, given))
    return _equal(one.to(torch_dtype(making.bias)), other)


def _equal(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one, other) if one.dtype is other.dtype else torch.equal(one.double(), other.double())


def _is_rough(held: _Held, bounds: StoredBounds) -> bool:
    """Whether as many numbers lie beyond one rounding as a fold step by step leaves there."""
    rounded = bounds.rounded()
    channels = rounded.any(dim=1)
    whole = int(channels.sum())
    if whole < FEWEST_CHANNELS or int(rounded.sum()) < FEWEST_NUMBERS:
        return True
    if _different(bounds.right[rounded]) < LEAST_DIFFERENT * int(rounded.sum()):
        return True
    beyond = held.beyond & rounded
    numbers = int(beyond.sum()) / int(rounded.sum())
    return numbers >= LEAST_ROUGH and int(beyond.any(dim=1).sum()) >= LEAST_ROUGH_CHANNELS * whole


def _different(numbers: Tensor) -> int:
    """How many sizes they have, of at least one: equal ones round alike, and are one number."""
    sizes = numbers.abs().sort().values
    return int((sizes[1:] != sizes[:-1]).sum()) + 1


def _telling(tried: list[_Held], bounds: StoredBounds) -> _Held:
    """Where none explains it, the bound that tells most: a fine one that most output channels keep."""
    most = len(bounds.right) / 2
    return next((held for held in tried if int(held.channels.sum()) < most), tried[-1])


def _not_finite(block: ReparamBlock, given: Kernel, right: Kernel, dtype: Dtype | None) -> StoredVerdict:
    """Where some number is NaN or infinite: what of that is explained, and the verdict on all others."""
    numbers, expected = numbers_of(given), numbers_of(right)
    odd = ~(numbers.isfinite() & expected.isfinite())
    unknown = ~expected.isfinite() & ((numbers == expected) | (numbers.isnan() & expected.isnan()))
    unlike = odd & ~unknown
    making = next(_ways(given, dtype))
    largest = min(PRECISIONS[making.weight].largest, PRECISIONS[making.bias].largest)
    too_large = expected.abs() * (1 + PRECISIONS[making.dtype].unit) >= largest
    overflowed = unlike & numbers.isinf() & (numbers.sign() == expected.sign()) & too_large
    bounds = StoredBounds(block, right)
    if bool((unlike & ~overflowed).any()):
        return _told(StoredReason.NOT_FINITE, given, bounds, _infinitely_apart(making, unlike & ~overflowed))
    cleaned, others_bounds = _cleaned(given, odd), StoredBounds(block, _cleaned(right, odd))
    apart = (numbers_of(cleaned) - others_bounds.right).abs_()
    others = _judged(block, cleaned, others_bounds, apart, dtype)
    if not others.agrees:
        return others
    if bool(overflowed.any()):
        return _told(StoredReason.OVERFLOW, given, bounds, _infinitely_apart(making, overflowed))
    return replace(others, reason=StoredReason.DATA, unknown=int(unknown.sum()))


def _infinitely_apart(making: Making, where: Tensor) -> _Held:
    apart = torch.where(where, math.inf, torch.zeros((), dtype=torch.float64))
    return _Held(making, apart, torch.ones_like(apart), where)


def _cleaned(kernel: Kernel, odd: Tensor) -> Kernel:
    """With 0 for what is marked, of the shape that `numbers_of` gives."""
    weight = kernel.weight.masked_fill(odd[:, :-1].view(kernel.weight.shape), 0.0)
    return Kernel(weight, None if kernel.bias is None else kernel.bias.masked_fill(odd[:, -1], 0.0))


def _told(
    reason: StoredReason,
    given: Kernel,
    bounds: StoredBounds,
    held: _Held,
    *,
    rough: int = 0,
    rival: Rival | None = None,
) -> StoredVerdict:
    """The verdict as data."""
    shares = held.apart / held.bound
    numbers = _Numbers(given, bounds.right, held.bound)
    beyond, flat = int(held.beyond.sum()), shares.flatten()
    has_bias = given.bias is not None or bounds.kernel.bias is not None
    named = flat.topk(min(beyond, MOST_NAMED)).indices.tolist() if beyond else []
    return StoredVerdict(
        reason,
        held.making,
        used=float(flat.max()),
        worst=numbers.at(int(flat.argmax())),
        max_difference=float(held.apart.max()),
        numbers=flat.numel() if has_bias else given.weight.numel(),
        out_channels=len(shares),
        beyond=beyond,
        channels=tuple(held.channels.nonzero().flatten().tolist()) if beyond else (),
        biases=tuple(held.beyond[:, -1].nonzero().flatten().tolist()) if beyond else (),
        taps=tuple(_taps(held.beyond, given.kernel_size)) if beyond else (),
        kernel_size=given.kernel_size,
        first=tuple(map(numbers.at, named)),
        rough=rough,
        mistake=rival,
    )


def _taps(beyond: Tensor, kernel_size: Pair) -> Iterator[Pair]:
    """The taps at which some weight is marked."""
    height, width = kernel_size
    for place in beyond[:, :-1].reshape(-1, height * width).any(dim=0).nonzero().flatten().tolist():
        yield divmod(place, width)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """The numbers of a finished kernel by their place among all of them."""

    given: Kernel
    right: Tensor
    bound: Tensor

    def at(self, place: int) -> StoredNumber:
        """The number at that place of a tensor of the shape that `numbers_of` gives."""
        out, column = divmod(place, self.right.shape[1])
        right, bound = float(self.right[out, column]), float(self.bound[out, column])
        if column == self.right.shape[1] - 1:
            bias = 0.0 if self.given.bias is None else float(self.given.bias[out])
            return StoredNumber("bias", (out,), bias, right, bound)
        height, width = self.given.kernel_size
        in_, (row, col) = column // (height * width), divmod(column % (height * width), width)
        return StoredNumber(
            "weight", (out, in_, row, col), float(self.given.weight[out, in_, row, col]), right, bound
        )
