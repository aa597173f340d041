"""Mistakes with a number of their own: batch norms folded with another eps, or variances off by a factor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tui.analysis.alterations.variances import (
    norms_before_the_stride,
    norms_of,
    values_seen,
    with_eps,
    with_variances_times,
)
from tui.analysis.likeness.found import Likeness
from tui.fusion.block import ReparamBlock

LARGEST_EPS = 10.0
"""No eps beyond that is looked for: none is used."""

LEAST_EPS = 1e-12
"""Nor one below that, where some variance is 0 and an eps of 0 gives nothing finite."""

MOST_EPS = 3
"""Of a block whose batch norms have more different eps than that, only one for all of them is looked for."""


@dataclass(frozen=True)
class Family:
    """Blocks that differ in one number, told by a coordinate in which what they give is nearly linear.

    Attributes:
        name: "eps" or "variance"; of each name the first that fits says it all.
        title: what is looked for.
        first, second: two coordinates to begin with.
        right: whether the block is as it should be at `first`.
        lowest, highest: no coordinate beyond them is tried.
        block_at: the float64 block that was folded, at a coordinate.
        told: the mistake at a coordinate that is known up to a part of its distance from `first`, by which
            name and number; None where it is not one that is named.
    """

    name: str
    title: str
    first: float
    second: float
    lowest: float
    highest: float
    block_at: Callable[[float], ReparamBlock]
    told: Callable[[float, float], Likeness | None]
    right: bool = True


def families(block: ReparamBlock, x: Tensor) -> Iterator[Family]:
    """Those to look for in a difference on that block and input, (batch, in_channels, H, W)."""
    if norms_of(block):
        yield from _eps_families(block)
        yield from _variance_families(block, x)


def _eps_families(block: ReparamBlock) -> Iterator[Family]:
    """One eps for all batch norms; where they have several: for those of one, or all times a factor."""
    all_eps = [norm.eps for norm in norms_of(block)]
    different = sorted(set(all_eps), reverse=True)
    yield _one_for(block, different)
    if 1 < len(different) <= MOST_EPS:
        for eps in different:
            yield _one_for(block, [eps], f" in {all_eps.count(eps)} of {len(all_eps)} batch norms")
        if all(different):
            yield _times(block, different)


def _one_for(block: ReparamBlock, before: list[float], where: str = "") -> Family:
    """One eps in the place of each of `before`."""
    scale = _Scale(block)

    first = scale.at(before[0])

    def told(at: float, error: float) -> Likeness:
        eps, slack = scale.eps_at(at), error * abs(at - first)
        if eps <= error * max(before):
            eps, about = 0.0, False
        else:
            near = _round_between(scale.eps_at(at + slack), eps, scale.eps_at(at - slack))
            eps, about = (eps, True) if near is None else (near, False)
        words = f"eps {eps:.3g} for {_listed(before)}{where}"
        return Likeness("eps", 1.0, told=words, number=eps, about=about)

    return Family(
        name="eps",
        title=f"another eps{where}",
        first=first,
        second=scale.at(before[-1] if len(before) > 1 else before[0] * 10 or 1e-5),
        lowest=scale.lowest,
        highest=scale.highest,
        block_at=lambda at: with_eps(block, lambda eps: scale.eps_at(at) if eps in before else eps),
        told=told,
        right=len(before) == 1,
    )


def _round_between(low: float, eps: float, high: float) -> float | None:
    """The number that a person would have written: a power of 10, or one digit of one; None if none is there.

    `low`, `high`: how far from `eps` it may be; a millionth is always allowed, for the bisection.
    """
    low, high = min(low, eps * (1 - 1e-6)), max(high, eps * (1 + 1e-6))
    for text in (f"1e{round(math.log10(eps))}", f"{eps:.0e}"):
        if low <= float(text) <= high:
            return float(text)
    return None


def _times(block: ReparamBlock, before: list[float]) -> Family:
    """Each eps times the same factor; the coordinate is that of the largest."""
    scale, largest = _Scale(block), before[0]

    def told(at: float, _: float) -> Likeness:
        factor = scale.eps_at(at) / largest
        return Likeness("eps", 1.0, told=f"eps {_listed(before)}, each × {factor:.3g}", number=factor)

    return Family(
        name="eps",
        title="every eps times a factor",
        first=scale.at(largest),
        second=scale.at(largest * 10),
        lowest=scale.lowest,
        highest=scale.highest,
        block_at=lambda at: with_eps(block, lambda eps: eps / largest * scale.eps_at(at)),
        told=told,
    )


class _Scale:
    """A coordinate of an eps, in which what a block gives is nearly linear from 0 to the largest.

    It is the sum of w / sqrt(v + eps) over all variances v of the block, the weights w = 1 / (v + 1e-5) as a
    change of eps tells most in the channels of the smallest ones.
    """

    def __init__(self, block: ReparamBlock) -> None:
        variances = [norm.running_var for norm in norms_of(block) if norm.running_var is not None]
        self._variances = torch.cat([each.detach().double() for each in variances])
        self._weights = 1 / (self._variances + 1e-5)
        self._weights /= self._weights.sum()
        least = 0.0 if bool((self._variances > 0).all()) else LEAST_EPS
        self.lowest, self.highest = self.at(LARGEST_EPS), self.at(least)

    def at(self, eps: float) -> float:
        """The coordinate of that eps: the smaller the larger it is."""
        return float((self._weights / torch.sqrt(self._variances + eps)).sum())

    def eps_at(self, coordinate: float) -> float:
        """The eps at that coordinate, by bisection between powers of 10; 0 where it is smaller."""
        if coordinate >= self.at(0.0):
            return 0.0
        low, high = -40.0, math.log(LARGEST_EPS) + 1
        for _ in range(64):
            middle = (low + high) / 2
            low, high = (middle, high) if self.at(math.exp(middle)) > coordinate else (low, middle)
        return math.exp(low)


def _listed(numbers: list[float]) -> str:
    return " and ".join(f"{number:.3g}" for number in numbers)


def _variance_families(block: ReparamBlock, x: Tensor) -> Iterator[Family]:
    """Variances times n / (n - 1) or its inverse, n that of each batch norm, or the same for all."""
    before, after = values_seen(block, x)
    yield _unbiased(block, 1.0, after)
    if before != after and norms_before_the_stride(block):
        yield _unbiased(block, before / after, after)


def _unbiased(block: ReparamBlock, ratio: float, values: int) -> Family:
    """The coordinate is 1 / n after the stride, negative for the inverse; in front of it n is `ratio` n."""

    def block_at(at: float) -> ReparamBlock:
        return with_variances_times(block, _factor(at / ratio), _factor(at))

    return Family(
        name="variance",
        title="running_var × n / (n - 1), any n",
        first=0.0,
        second=1 / max(values, 2),
        lowest=-0.5,
        highest=0.5,
        block_at=block_at,
        told=lambda at, error: _told_unbiased(at, error, ratio),
    )


def _factor(at: float) -> float:
    return 1 / (1 - at) if at >= 0 else 1 + at


def _told_unbiased(at: float, error: float, ratio: float) -> Likeness | None:
    factor = f"running_var × {_factor(at):.6g}"
    values = round(1 / abs(at))
    if abs(abs(at) * values - 1) > max(error, 1e-6):
        return Likeness("var-scaled", 1.0, told=factor, number=_factor(at)) if ratio == 1 else None
    words = "n / (n - 1)" if at > 0 else "(n - 1) / n"
    before = "" if ratio == 1 else f", {round(values * ratio):,} before the stride"
    return Likeness(
        "var-unbiased", 1.0, told=f"{factor} = {words}, n = {values:,}{before}", number=_factor(at)
    )
