"""Which mistake a finished kernel looks like, by its weights alone: each one's own is laid beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.alterations.wrong_fusion import title_in
from tui.analysis.bounds.making import Making, makings
from tui.analysis.bounds.stored import StoredBounds, numbers_of
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.search import FEWEST_TIMES, MOST_REPEATED, MOST_TIMES, REPEATED
from tui.analysis.progress import Doing
from tui.analysis.verdict.rivals import by_number, kernels_of_mistakes
from tui.analysis.verdict.stored import Rival, StoredVerdict
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel, pad_to

ALIKE = 0.9
"""The score from which a mistake is named that does not make the very kernel."""

MOST_PAIRS = 6
"""So many pairs are verified at most, those that leave the least."""

_LESS_THAN_SAME = 0.99


def looks_like_stored(
    block: ReparamBlock, given: Kernel, stored: StoredVerdict
) -> Iterator[Doing | Likenesses]:
    """Yield a Doing before each mistake that is tried, and last those that fit, without a pattern.

    Those whose own kernel has all the given numbers are the only ones named, in the finest arithmetic in
    which there is any; one mistake before one whose number is to be found, that before two at once.

    Args:
        block: the block as it should be, in eval mode.
        given: the finished kernel, `stored` the verdict on it; nothing is looked for where that agrees.

    Raises:
        FusionError: the block cannot be fused.
    """
    numbers = numbers_of(given)
    if stored.agrees or not bool(numbers.isfinite().all()):
        yield Likenesses()
        return
    if stored.mistake is not None:  # it had to be known for the verdict
        yield Likenesses((_likeness(stored.mistake),))
        return
    yield Doing("folding the branches as they should be")
    bounds = StoredBounds(block, pad_to(block.kernel(), given.kernel_size))
    search = _Search(block, given, bounds, numbers, stored)
    for name, kernel in kernels_of_mistakes(block):
        yield Doing(f"trying: {MISTAKES[name].title}")
        search.lay_beside(name, kernel)
    yield Doing("looking for an eps, a factor, or two mistakes at once")
    yield search.result()


def _likeness(rival: Rival) -> Likeness:
    usual = rival.name in MISTAKES and MISTAKES[rival.name].title == rival.title
    told = "" if usual else rival.title
    return Likeness(rival.name, 1.0, told=told, number=rival.number)


@dataclass(frozen=True, eq=False)
class _Tried:
    """A mistake and what it makes: its numbers less the right ones, (out_channels, n + 1)."""

    name: str
    made: Tensor


class _Search:
    """The numbers of a finished kernel among what mistakes make of the right ones."""

    def __init__(
        self, block: ReparamBlock, given: Kernel, bounds: StoredBounds, numbers: Tensor, stored: StoredVerdict
    ) -> None:
        self._block = block
        self._given = given
        self._bounds = bounds
        self._numbers = numbers
        self._stored = stored
        self._difference = numbers - bounds.right
        self._ways = list(makings(stored.making.weight, stored.making.bias))
        self._tried: list[_Tried] = []

    def lay_beside(self, name: str, kernel: Kernel) -> None:
        """Keep what the mistake of that name makes, if it is a kernel of this size."""
        size = self._given.kernel_size
        if all(own <= there for own, there in zip(kernel.kernel_size, size, strict=True)):
            self._tried.append(_Tried(name, numbers_of(pad_to(kernel, size)) - self._bounds.right))

    def result(self) -> Likenesses:
        """The best there is."""
        for making in self._ways:
            same = tuple(self._same(making))
            if same:
                return Likenesses(same)
        for making in self._ways:
            rival = next(by_number(self._block, self._given, self._bounds, making), None)
            if rival is not None:
                return Likenesses((_likeness(rival),))
        for making in self._ways:
            pairs = tuple(self._pairs(making))
            if pairs:
                return Likenesses(pairs)
        return self._alike()

    def _same(self, making: Making) -> Iterator[Likeness]:
        for tried in self._tried:
            if self._is_made(tried.made, making):
                yield _likeness(Rival(tried.name, title_in(self._block, tried.name)))
        for tried in self._tried:
            if tried.name in REPEATED:
                for times in range(2, MOST_REPEATED + 1):
                    if self._is_made(tried.made * times, making):
                        yield Likeness(tried.name, 1.0, times)

    def _is_made(self, made: Tensor, making: Making, channels: list[int] | None = None) -> bool:
        """Whether all numbers, or those of these output channels, are the right ones and what was made."""
        weight = (self._bounds.right + made)[:, :-1].reshape(self._given.weight.shape)
        wrong = Kernel(weight, (self._bounds.right + made)[:, -1])
        beyond = (self._difference - made).abs_() > self._bounds.of(making, wrong)
        return not bool((beyond if channels is None else beyond[channels]).any())

    def _pairs(self, making: Making) -> Iterator[Likeness]:
        """Two mistakes at once, those that leave the least first."""
        if len(self._tried) < 2:
            return
        flat = torch.stack(
            [*(self._scaled(tried.made) for tried in self._tried), self._scaled(self._difference)]
        )
        gram: list[list[float]] = (flat @ flat.T).tolist()
        own = gram[-1]

        def left(pair: tuple[int, int]) -> float:
            one, other = pair
            squares = own[-1] + gram[one][one] + gram[other][other]
            return squares + 2 * (gram[one][other] - own[one] - own[other])

        for one, other in sorted(combinations(range(len(self._tried)), 2), key=left)[:MOST_PAIRS]:
            first, second = self._tried[one], self._tried[other]
            if self._is_made(first.made + second.made, making):
                yield Likeness(first.name, 1.0, beside=(Likeness(second.name, 1.0),))
                return

    def _alike(self) -> Likenesses:
        """Those that make some channels, or a part of what is wrong."""
        channels = list(self._stored.channels)
        found = [self._compared(tried, channels) for tried in self._tried]
        found.sort(key=lambda likeness: -likeness.score)
        alike = tuple(likeness for likeness in found if likeness.score >= ALIKE)
        nearest = found[0] if found and found[0].score > 0 and not alike else None
        return Likenesses(alike, nearest=nearest)

    def _compared(self, tried: _Tried, channels: list[int]) -> Likeness:
        some = 0 < len(channels) < len(self._numbers)
        if some and any(self._is_made(tried.made, making, channels) for making in self._ways):
            return Likeness(tried.name, _LESS_THAN_SAME, channels=tuple(channels))
        difference, made = self._scaled(self._difference), self._scaled(tried.made)
        along, length = float(difference @ made), float(made @ made)
        if along <= 0 or not FEWEST_TIMES <= along / length <= MOST_TIMES:
            return Likeness(tried.name, 0.0)
        share = along**2 / length / float(difference @ difference)
        return Likeness(tried.name, min(share, _LESS_THAN_SAME), along / length)

    def _scaled(self, numbers: Tensor) -> Tensor:
        """Weights and biases, each in parts of the norm of the right ones, in one dimension."""
        parts = zip(
            (numbers[:, :-1], numbers[:, -1]),
            (self._bounds.right[:, :-1], self._bounds.right[:, -1]),
            strict=True,
        )
        return torch.cat([(part / (float(right.norm()) or 1.0)).flatten() for part, right in parts])
