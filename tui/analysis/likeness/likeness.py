"""Which mistake of the gallery a difference looks like: each is made on the same input and laid beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

import torch
from torch import Tensor

from tui.analysis.failure import CANNOT, in_words
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.likeness.of_weights import looks_like_stored
from tui.analysis.likeness.pattern import pattern_of
from tui.analysis.likeness.search import SAME, Search
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.precision import FLOAT64_NOISE, UNIT64
from tui.analysis.progress import Doing, Failed
from tui.analysis.study import Study
from tui.analysis.verdict.reason import Reason
from tui.fusion.block import ReparamBlock

ALIKE = 0.9
"""The score from which a mistake is named.

Measured over 48 blocks, the presets in 8 and 32 channels among them, and small ones again with variances down
to 1e-4 (tests/bench/likeness_grid): the mistake that was made always scored 1, 1071 of 1071, another one only
where both are the same thing on that block; so did every eps and every unbiased variance, 897 of 897. Of 9556
pairs of others 281 scored above 0.5 and 16 above 0.9, with small variances of 5970 pairs 374 and 102. Of 888
kernels changed at random, in a weight, a bias or all over, none was taken for one.
"""

LONGEST = 60.0
"""Seconds for which somebody is kept waiting for it."""


def likenesses(study: Study) -> Iterator[Doing | Likenesses]:
    """Yield a Doing before each mistake that is tried, and the result last.

    It looks at the float64 run, and of a kernel that came finished at the weights. Where these find nothing
    wrong, nothing is tried.

    Raises:
        FusionError: the block cannot be fused.
    """
    if study.verdict.reason not in (Reason.ALGEBRA, Reason.STORED):
        yield Likenesses()
        return
    yield Doing("finding where they differ")
    outputs, finished, stored = study.outputs64, study.finished, study.verdict.stored
    pattern = pattern_of(outputs.fused - outputs.unfused, FLOAT64_NOISE * study.float64.max_abs)
    if finished is not None and stored is not None and study.right64 is None:
        steps = looks_like_stored(study.block64, finished, stored)
    else:
        steps = looks_like(study.block64, study.x.double(), outputs)
    for step in steps:
        yield step if isinstance(step, Doing) else replace(step, pattern=pattern)


def likenesses_within(study: Study, seconds: float = LONGEST) -> Likenesses | Failed:
    """The result of `likenesses`, for one who waits; why there is none where it takes longer or cannot be."""
    end = monotonic() + seconds
    try:
        for step in likenesses(study):
            if isinstance(step, Likenesses):
                return step
            if monotonic() >= end:
                break
    except CANNOT as error:
        return Failed(in_words(error))
    return Failed(f"not within {seconds:.0f} seconds")


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
    search = Search(block, block.folded(), x, right, difference, min(max(SAME * size, noise), size / 100))
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
