"""Which mistake of the gallery a difference looks like: each is made on the same input and laid beside it."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import monotonic

import torch
from torch import Tensor

from tui.analysis.alterations.gallery import Extent, Mistake, possible
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.likeness.families import families
from tui.analysis.likeness.fitting import fitted
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.pairs import Pair, Sample, pairs_near
from tui.analysis.likeness.pattern import pattern_of
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

FEWEST_TIMES, MOST_TIMES = 0.1, 10.0
"""A mistake that fits only as a smaller or larger multiple than these is not named: it is another one."""

REPEATED = frozenset(
    {
        "1x1-missing",
        "1x1-bias-lost",
        "identity-missing",
        "identity-twice",
        "conv-bias-dropped",
        "bias-lost",
        "mean-ignored",
    }
)
"""Those that may be made twice or more: what is missing twice has been subtracted."""

MOST_REPEATED = 4
"""So often at most."""

LONGEST = 60.0
"""Seconds for which somebody is kept waiting for it."""

_LESS_THAN_SAME = 0.99


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


def likenesses_within(study: Study, seconds: float = LONGEST) -> Likenesses | None:
    """The result of `likenesses`, for one who waits; None where it is not there after so many seconds.

    Raises:
        FusionError: as `likenesses`.
    """
    end = monotonic() + seconds
    for step in likenesses(study):
        if isinstance(step, Likenesses):
            return step
        if monotonic() >= end:
            break
    return None


def looks_like(
    block: ReparamBlock, x: Tensor, outputs: Outputs, *, roundoff: float = UNIT64
) -> Iterator[Doing | Likenesses]:
    """Yield a Doing before each mistake that is tried, and last those that fit, without a pattern.

    Those that make this very difference are the only ones named: more than one where mistakes are the same
    thing on this block. One mistake comes before one whose number is to be found, that before two at once.
    None fits a difference that is no more than rounding, or not finite.

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
    yield Doing("running the branches as they should be")
    with torch.no_grad():
        right = block(x)
    search = _Search(block, block.folded(), x, right, difference, min(max(SAME * size, noise), size / 100))
    found = yield from search.each()
    if not any(likeness.same or likeness.channels for likeness in found) and not search.is_thin:
        found += yield from search.by_number()
        if not any(likeness.same for likeness in found):
            found += yield from search.two_at_once()
    yield _best(found)


def _best(found: list[Likeness]) -> Likenesses:
    """Those that make the very difference, or else all that are alike, or else the nearest."""
    ordered = sorted(found, key=lambda likeness: -likeness.score)
    same = tuple(likeness for likeness in found if likeness.same)
    once = tuple(likeness for likeness in same if likeness.multiple == 1)
    alike = tuple(likeness for likeness in ordered if likeness.score >= ALIKE)
    nearest = ordered[0] if ordered and ordered[0].score > 0 else None
    return Likenesses(once or same or alike, nearest=None if same or alike else nearest)


def likest(steps: Iterator[Doing | Likenesses]) -> tuple[Likeness, ...]:
    """Run `looks_like` to its end; returns the mistakes that fit, the best first."""
    for step in steps:
        if isinstance(step, Likenesses):
            return step.found
    raise RuntimeError("the search ended without a result")


@dataclass(frozen=True, eq=False)
class _Search:
    """A difference, (batch, out_channels, H, W), that is looked for among what mistakes make.

    Attributes:
        right: what both sides should give.
        tolerance: the norm up to which what is left over counts as nothing.
        tried: the mistakes that `each` has tried, and a sample of what each makes.
    """

    block: ReparamBlock
    folded: Folded
    x: Tensor
    right: Tensor
    difference: Tensor
    tolerance: float
    tried: list[tuple[Mistake, Tensor]] = field(default_factory=list)

    @cached_property
    def is_thin(self) -> bool:
        """Whether the difference is one number a channel, and too few of them to tell by."""
        largest, smallest = self.difference.amax(dim=(0, 2, 3)), self.difference.amin(dim=(0, 2, 3))
        level = float(self.difference.abs().max()) * SAME
        differing = int((torch.maximum(largest.abs(), smallest.abs()) > level).sum())
        return differing < FEWEST_NUMBERS and bool((largest - smallest <= level).all())

    @cached_property
    def _sample(self) -> Sample:
        return Sample(self.difference.numel())

    def each(self) -> Generator[Doing, None, list[Likeness]]:
        """Yield a Doing before each mistake that is tried; return how well each fits."""
        found = []
        for mistake in possible(structure_of(self.block, self.x)):
            yield Doing(f"trying: {mistake.title}")
            made = self._made(mistake.name)
            found.append(self._compared(mistake, made))
            self.tried.append((mistake, self._sample.of(made)))
        return found

    def by_number(self) -> Generator[Doing, None, list[Likeness]]:
        """Yield a Doing before each run; return the mistakes that make the difference with some number."""
        found: dict[str, Likeness] = {}
        for family in families(self.block, self.x):
            if family.name not in found:
                likeness = yield from fitted(
                    family, self.difference, self._made_by, self.tolerance, self._sample
                )
                if likeness is not None:
                    found[family.name] = likeness
        return list(found.values())

    def two_at_once(self) -> Generator[Doing, None, list[Likeness]]:
        """Yield a Doing before each pair that is made again; return those that make the difference."""
        samples = [sample for _, sample in self.tried]
        repeated = [mistake.name in REPEATED for mistake, _ in self.tried]
        found: list[tuple[Pair, Likeness]] = []
        for pair in pairs_near(self._sample.of(self.difference), samples, repeated):
            first, second = self.tried[pair.first][0], self.tried[pair.second][0]
            yield Doing(f"trying: {first.title} and {second.title}")
            made = pair.first_times * self._made(first.name) + pair.second_times * self._made(second.name)
            if float((self.difference - made).norm()) <= self.tolerance:
                other = Likeness(second.name, 1.0, pair.second_times)
                found.append((pair, Likeness(first.name, 1.0, pair.first_times, beside=(other,))))
        fewest = min((pair.times for pair, _ in found), default=0)
        return [likeness for pair, likeness in found if pair.times == fewest]

    @torch.no_grad()
    def _made(self, name: str) -> Tensor:
        """fused - unfused of that mistake."""
        wrong = wrongly_fused(name, self.block, self.x, self.folded)
        if wrong.block is not self.block:
            unfused: Tensor = wrong.block(self.x)
            return self.right - unfused
        fused: Tensor = conv_of(wrong.kernel, wrong.geometry)(self.x)
        return fused - self.right

    @torch.no_grad()
    def _made_by(self, folded: ReparamBlock) -> Tensor:
        """fused - unfused where that block was folded in the place of the right one."""
        fused: Tensor = conv_of(folded.kernel(), folded.geometry)(self.x)
        return fused - self.right

    def _compared(self, mistake: Mistake, made: Tensor) -> Likeness:
        """How well `made` accounts for the difference."""
        rest = (self.difference - made).transpose(0, 1).flatten(1).norm(dim=1)
        if float(rest.norm()) <= self.tolerance:
            return Likeness(mistake.name, 1.0)
        channels = self.difference.transpose(0, 1).flatten(1).norm(dim=1) > self.tolerance
        own = tuple(channel for channel, differs in enumerate(channels.tolist()) if differs)
        if own and float(rest[channels].norm()) <= self.tolerance / 2:
            return Likeness(mistake.name, _LESS_THAN_SAME, channels=own)
        share, multiple = _best_multiple(self.difference, made)
        if mistake.extent is Extent.CONSTANT and len(rest) < FEWEST_NUMBERS:
            share = 0.0
        elif self._is_repeated(mistake, made, multiple):
            return Likeness(mistake.name, 1.0, round(multiple))
        if not FEWEST_TIMES <= multiple <= MOST_TIMES:
            share = 0.0
        return Likeness(mistake.name, min(share, _LESS_THAN_SAME), multiple)

    def _is_repeated(self, mistake: Mistake, made: Tensor, multiple: float) -> bool:
        """Whether the mistake was made a whole number of times."""
        times = round(multiple)
        if mistake.name not in REPEATED or not 2 <= times <= MOST_REPEATED or self.is_thin:
            return False
        return float((self.difference - times * made).norm()) <= self.tolerance


def _best_multiple(difference: Tensor, made: Tensor) -> tuple[float, float]:
    """The share of |difference|^2 that a positive multiple of `made` accounts for, and that multiple."""
    length = float(made.norm())
    along = float((difference * made).sum())
    if along <= 0 or length == 0:
        return 0.0, 0.0
    return (along / length / float(difference.norm())) ** 2, along / length**2
