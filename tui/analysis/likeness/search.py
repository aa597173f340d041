"""A difference laid beside what each mistake makes: one alone, one with a number of its own, two at once."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from tui.analysis.alterations.gallery import Extent, Mistake, possible
from tui.analysis.alterations.wrong_fusion import title_in, wrongly_fused
from tui.analysis.likeness.families import families
from tui.analysis.likeness.fitting import fitted
from tui.analysis.likeness.found import Likeness
from tui.analysis.likeness.pairs import Pair, Sample, pairs_near
from tui.analysis.progress import Doing
from tui.fusion.block import Folded, ReparamBlock, conv_of
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.structure import structure_of

SAME = 1e-6
"""Two differences are the same one where they are apart by less than this part of their norm."""

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

_LESS_THAN_SAME = 0.99


@dataclass(frozen=True, eq=False)
class Search:
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
        part = max(SAME, 4 * self.tolerance / float(self.difference.norm()))
        level = part * float(self.difference.abs().max())
        differing = int((torch.maximum(largest.abs(), smallest.abs()) > level).sum())
        return differing < FEWEST_NUMBERS and bool((largest - smallest <= level).all())

    @cached_property
    def _sample(self) -> Sample:
        return Sample(self.difference.numel())

    @cached_property
    def _structure(self) -> BlockSpec:
        return structure_of(self.block, self.x)

    def each(self) -> Generator[Doing, None, list[Likeness]]:
        """Yield a Doing before each mistake that is tried; return how well each fits."""
        found = []
        for mistake in possible(self._structure):
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
        repeated = [self._may_be_repeated(mistake) for mistake, _ in self.tried]
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
        wrong = wrongly_fused(name, self.block, self.x, self.folded, self._structure)
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
            title = title_in(self.block, mistake.name)
            return Likeness(mistake.name, 1.0, told="" if title == mistake.title else title)
        channels = self.difference.transpose(0, 1).flatten(1).norm(dim=1) > self.tolerance
        own = tuple(channel for channel, differs in enumerate(channels.tolist()) if differs)
        if own and float(rest[channels].norm()) <= self.tolerance / 2:
            return Likeness(mistake.name, _LESS_THAN_SAME, channels=own)
        share, multiple = _best_multiple(self.difference, made)
        if not self._tells(mistake):
            share = 0.0
        elif self._is_repeated(mistake, made, multiple):
            return Likeness(mistake.name, 1.0, round(multiple))
        if not FEWEST_TIMES <= multiple <= MOST_TIMES:
            share = 0.0
        return Likeness(mistake.name, min(share, _LESS_THAN_SAME), multiple)

    def _tells(self, mistake: Mistake) -> bool:
        """Whether what the mistake makes is more than a few numbers, of which some multiple is like any."""
        return mistake.extent is not Extent.CONSTANT or self.difference.shape[1] >= FEWEST_NUMBERS

    def _may_be_repeated(self, mistake: Mistake) -> bool:
        return mistake.name in REPEATED and self._tells(mistake) and not self.is_thin

    def _is_repeated(self, mistake: Mistake, made: Tensor, multiple: float) -> bool:
        """Whether the mistake was made a whole number of times."""
        times = round(multiple)
        if not self._may_be_repeated(mistake) or not 2 <= times <= MOST_REPEATED:
            return False
        return float((self.difference - times * made).norm()) <= self.tolerance


def _best_multiple(difference: Tensor, made: Tensor) -> tuple[float, float]:
    """The share of |difference|^2 that a positive multiple of `made` accounts for, and that multiple."""
    length = float(made.norm())
    along = float((difference * made).sum())
    if along <= 0 or length == 0:
        return 0.0, 0.0
    return (along / length / float(difference.norm())) ** 2, along / length**2
