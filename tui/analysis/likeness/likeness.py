"""Which mistake of the gallery a difference looks like: each is made on the same input and laid beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tui.analysis.alterations.gallery import Extent, Mistake, possible
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.likeness.pattern import Pattern, pattern_of
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.precision import FLOAT64_NOISE, UNIT64
from tui.analysis.progress import Doing
from tui.analysis.study import Study
from tui.analysis.verdict.verdict import Reason
from tui.fusion.block import Folded, ReparamBlock, conv_of
from tui.fusion.structure import structure_of

SAME = 1e-6
"""Two differences are the same one where they are apart by less than this part of their norm."""

ALIKE = 0.9
"""The score from which a mistake is named.

Measured over 48 blocks, the presets in 8 and 32 channels among them: the mistake that was made always scored
1, another one only where both are the same thing on that block. Of 8390 pairs of others 268 scored above 0.5
and 6 above 0.9. Of 580 kernels changed at random, in a weight, a bias or all over, none was taken for one.
"""

FEWEST_NUMBERS = 8
"""Of a difference that is one number a channel, fewer than these are alike by chance."""

_LESS_THAN_SAME = 0.99


@dataclass(frozen=True, slots=True)
class Likeness:
    """A mistake and how well it accounts for a difference.

    Attributes:
        name: the mistake's.
        score: 1 where it makes this very difference, up to rounding. Below that the share of |d|^2 that the
            best positive multiple of what it makes accounts for, at most 0.99.
        multiple: that multiple.
        channels: the output channels in which the difference is what it makes, where it is not found in
            others; empty where it is found in all.
    """

    name: str
    score: float
    multiple: float = 1.0
    channels: tuple[int, ...] = ()

    @property
    def same(self) -> bool:
        """Whether this mistake makes the very difference."""
        return self.score == 1


@dataclass(frozen=True, eq=False)
class Likenesses:
    """What is known of a wrong fusion beside its verdict.

    Attributes:
        found: the mistakes that fit, the best first; none where the fusion is right.
        nearest: where none fits, the one that comes nearest, if any points the same way.
        pattern: where the float64 outputs differ; None where the fusion is right.
    """

    found: tuple[Likeness, ...] = ()
    pattern: Pattern | None = None
    nearest: Likeness | None = None


def likenesses(study: Study) -> Iterator[Doing | Likenesses]:
    """Yield a Doing before each mistake that is tried, and the result last.

    It looks at the float64 run. Where that finds nothing wrong, nothing is tried.

    Raises:
        FusionError: the block cannot be fused.
    """
    if study.verdict.reason is not Reason.ALGEBRA:
        yield Likenesses()
        return
    yield Doing("finding where they differ")
    outputs = study.outputs64
    pattern = pattern_of(outputs.fused - outputs.unfused, FLOAT64_NOISE * study.float64.max_abs)
    for step in looks_like(study.block64, study.x.double(), outputs):
        yield step if isinstance(step, Doing) else replace(step, pattern=pattern)


def looks_like(
    block: ReparamBlock, x: Tensor, outputs: Outputs, *, roundoff: float = UNIT64
) -> Iterator[Doing | Likenesses]:
    """Yield a Doing before each mistake that is tried, and last those that fit, without a pattern.

    Those that make this very difference are the only ones named: more than one where mistakes are the same
    thing on this block. None fits a difference that is no more than rounding, or not finite.

    Args:
        block: the block as it should be, in float64 and eval mode.
        x: the input, (batch, in_channels, H, W), float64.
        outputs: what the two sides gave for it.
        roundoff: unit roundoff of the coarsest dtype that went into either, a finished kernel's for instance.

    Raises:
        FusionError: the block cannot be fused.
    """
    difference = (outputs.fused - outputs.unfused).detach()
    size = float(difference.norm())
    noise = (64 * UNIT64 + 4 * roundoff) * float(outputs.unfused.detach().norm())
    if not math.isfinite(size) or not size > noise:
        yield Likenesses()
        return
    tolerance = min(max(SAME * size, noise), size / 100)
    yield Doing("running the branches as they should be")
    with torch.no_grad():
        right = block(x)
    folded = block.folded()
    found = []
    for mistake in possible(structure_of(block, x)):
        yield Doing(f"trying: {mistake.title}")
        made = _difference_made(mistake.name, block, folded, x, right)
        found.append(_compared(mistake, difference, made, tolerance))
    yield _best(found)


def _best(found: list[Likeness]) -> Likenesses:
    """Those that make the very difference, or else all that are alike, or else the nearest."""
    ordered = sorted(found, key=lambda likeness: -likeness.score)
    same = tuple(likeness for likeness in found if likeness.same)
    alike = tuple(likeness for likeness in ordered if likeness.score >= ALIKE)
    nearest = ordered[0] if ordered and ordered[0].score > 0 else None
    return Likenesses(same or alike, nearest=None if same or alike else nearest)


def likest(steps: Iterator[Doing | Likenesses]) -> tuple[Likeness, ...]:
    """Run `looks_like` to its end; returns the mistakes that fit, the best first."""
    for step in steps:
        if isinstance(step, Likenesses):
            return step.found
    raise RuntimeError("the search ended without a result")


@torch.no_grad()
def _difference_made(name: str, block: ReparamBlock, folded: Folded, x: Tensor, right: Tensor) -> Tensor:
    """fused - unfused of that mistake; `right` is what both should give."""
    wrong = wrongly_fused(name, block, x, folded)
    if wrong.block is not block:
        unfused: Tensor = wrong.block(x)
        return right - unfused
    fused: Tensor = conv_of(wrong.kernel, wrong.geometry)(x)
    return fused - right


def _compared(mistake: Mistake, difference: Tensor, made: Tensor, tolerance: float) -> Likeness:
    """How well `made` accounts for the difference, whose norm is a multiple of `tolerance`.

    `tolerance` is the norm up to which what it leaves over counts as nothing.
    """
    rest = (difference - made).transpose(0, 1).flatten(1).norm(dim=1)
    if float(rest.norm()) <= tolerance:
        return Likeness(mistake.name, 1.0)
    channels = difference.transpose(0, 1).flatten(1).norm(dim=1) > tolerance
    own = tuple(channel for channel, differs in enumerate(channels.tolist()) if differs)
    if own and float(rest[channels].norm()) <= tolerance / 2:
        return Likeness(mistake.name, _LESS_THAN_SAME, channels=own)
    share, multiple = _best_multiple(difference, made)
    if mistake.extent is Extent.CONSTANT and len(rest) < FEWEST_NUMBERS:
        share = 0.0
    return Likeness(mistake.name, min(share, _LESS_THAN_SAME), multiple)


def _best_multiple(difference: Tensor, made: Tensor) -> tuple[float, float]:
    """The share of |difference|^2 that a positive multiple of `made` accounts for, and that multiple."""
    length = float(made.norm())
    along = float((difference * made).sum())
    if along <= 0 or length == 0:
        return 0.0, 0.0
    return (along / length / float(difference.norm())) ** 2, along / length**2
