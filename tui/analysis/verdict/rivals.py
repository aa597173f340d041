"""Which mistake explains a finished kernel better than the right fold does: one whose own kernel it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from tui.analysis.alterations.gallery import possible
from tui.analysis.alterations.variances import norms_of, values_seen, with_eps, with_variances_times
from tui.analysis.alterations.wrong_fusion import title_in, wrongly_fused
from tui.analysis.bounds.making import Making
from tui.analysis.bounds.stored import StoredBounds, numbers_of
from tui.analysis.numerics.precision import PRECISIONS
from tui.analysis.side import WrongSide
from tui.analysis.verdict.stored import Rival
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.structure import structure_of

ANY_INPUT = (2, 32, 32)
"""Batch, height and width of the input on which mistakes are tried; it tells only which can be made."""

SLIGHT = frozenset({"eps-1e-3", "var-unbiased"})
"""Mistakes that may be smaller than a rounding in 16 bit."""

LARGEST_EPS = 0.1
"""No eps beyond that is looked for here: it would be seen by itself."""

_LEAST = -1e-6
"""An eps below 0 is none, nor is an n."""

_RUNS = 4


def any_input(block: ReparamBlock) -> Tensor:
    """An input that takes no memory, of a shape on which every mistake can be made."""
    batch, height, width = ANY_INPUT
    return torch.zeros(()).expand(batch, block.in_channels, height, width)


def rival_of(
    block: ReparamBlock,
    given: Kernel,
    bounds: StoredBounds,
    making: Making,
    *,
    folded_in: Dtype,
    slight: bool = True,
) -> Rival | None:
    """The mistake whose kernel, made so, has all the given numbers; None where there is none.

    One of the gallery, another eps in all batch norms, or all variances times one factor. Without `slight`
    those that may change all numbers by less than a rounding are left out: chance could be one of them. An
    eps, or a factor, that is what a right fold in `folded_in` makes of the block's own is no mistake.

    Raises:
        FusionError: the block cannot be folded.
    """
    for name, kernel in kernels_of_mistakes(block):
        if (slight or not _may_be_chance(name, kernel, bounds, making)) and is_made(
            kernel, given, bounds, making
        ):
            return Rival(name, title_in(block, name))
    if not slight:
        return None
    numbered = by_number(block, given, bounds, making)
    return next((rival for rival in numbered if not _is_rounding(block, rival, folded_in)), None)


def _may_be_chance(name: str, kernel: Kernel, bounds: StoredBounds, making: Making) -> bool:
    """Whether a mistake changes all numbers by less than a rounding, or may."""
    if name in SLIGHT:
        return True
    if any(own > there for own, there in zip(kernel.kernel_size, bounds.kernel.kernel_size, strict=True)):
        return False
    apart = (numbers_of(pad_to(kernel, bounds.kernel.kernel_size)) - bounds.right).abs_()
    return not bool((apart > bounds.of_cast(making)).any())


def _is_rounding(block: ReparamBlock, rival: Rival, dtype: Dtype) -> bool:
    """Whether rounding to subnormal numbers, which are as far apart as the smallest, brings it about.

    So float16 rounds an eps of 1e-5, in every batch norm alike.
    """
    changes = [
        abs(rival.number - norm.eps)
        if rival.name == "eps"
        else float(norm.running_var.abs().max()) * abs(rival.number - 1)
        for norm in norms_of(block)
        if norm.running_var is not None and rival.number is not None
    ]
    return max(changes, default=0.0) <= PRECISIONS[dtype].smallest


def is_made(kernel: Kernel, given: Kernel, bounds: StoredBounds, making: Making) -> bool:
    """Whether all numbers of a finished kernel are those of that one, made so."""
    if any(own > there for own, there in zip(kernel.kernel_size, given.kernel_size, strict=True)):
        return False
    kernel = pad_to(kernel, given.kernel_size)
    apart = (numbers_of(given) - numbers_of(kernel)).abs_()
    return not bool((apart > bounds.of(making, kernel)).any())


def kernels_of_mistakes(block: ReparamBlock) -> Iterator[tuple[str, Kernel]]:
    """What each mistake of the gallery makes of the block, by name; a mistake of running makes nothing."""
    x, folded = any_input(block), block.folded()
    structure = structure_of(block, x)
    for mistake in possible(structure):
        if mistake.side is WrongSide.FUSED:
            kernel = wrongly_fused(mistake.name, block, x, folded, structure).kernel
            if kernel.weight.shape[:2] == folded.kernel.weight.shape[:2]:
                yield mistake.name, kernel


def by_number(block: ReparamBlock, given: Kernel, bounds: StoredBounds, making: Making) -> Iterator[Rival]:
    """Those that make it with the number that fits best: another eps, or variances times a factor."""
    norms = norms_of(block)
    if not norms:
        return
    fit = partial(_fitted, numbers_of(given) - bounds.right, bounds.of(making).reciprocal_(), bounds)
    eps = norms[0].eps
    if all(norm.eps == eps for norm in norms):
        found = min(max(fit(partial(_with_one_eps, block), eps, eps + 1e-3), 0.0), LARGEST_EPS)
        for number in (float(f"{found:.0e}"), found):
            if is_made(_with_one_eps(block, number), given, bounds, making):
                yield Rival("eps", f"eps {number:.3g} for {eps:.3g}", number)
                return
    part = fit(partial(_with_unbiased, block), 0.0, 1e-3)
    if part < 1 and is_made(_with_unbiased(block, part), given, bounds, making):
        factor = 1 / (1 - part)
        yield Rival("var-scaled", f"running_var × {factor:.6g}", factor)


def _with_one_eps(block: ReparamBlock, eps: float) -> Kernel:
    return with_eps(block, lambda _: eps).kernel()


def _with_unbiased(block: ReparamBlock, part: float) -> Kernel:
    """With running variances times n / (n - 1), part = 1 / n; n is larger in front of a stride."""
    before, after = values_seen(block, any_input(block))
    factors = (1 / (1 - part * after / before), 1 / (1 - part))
    return with_variances_times(block, *factors).kernel()


def _fitted(
    difference: Tensor,
    weights: Tensor,
    bounds: StoredBounds,
    kernel_at: Callable[[float], Kernel],
    right: float,
    second: float,
) -> float:
    """The number that leaves the least of the difference, each of its elements in parts of its bound.

    Newton's method for least squares, with a secant for the derivative; at `right` the kernel is right.
    """
    before, at, made_before = right, second, torch.zeros_like(difference)
    for _ in range(_RUNS):
        if not _LEAST < at < 1:
            return at
        kernel = pad_to(kernel_at(at), bounds.kernel.kernel_size)
        made = (numbers_of(kernel) - bounds.right).mul_(weights)
        slope = (made - made_before) / (at - before)
        length = float(slope.square().sum())
        step = float(((difference * weights - made) * slope).sum()) / length if length else 0.0
        if not step:
            return at
        before, made_before, at = at, made, at + step
    return at
