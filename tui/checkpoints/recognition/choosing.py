"""Which family a block is of, where one or several fit; and what is told of names that fit none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tui.checkpoints.families import Family
from tui.checkpoints.found import FoundBlock, LeftAlone
from tui.checkpoints.recognition.candidates import Candidate
from tui.checkpoints.recognition.matching import matched
from tui.checkpoints.recognition.misfit import Misfit
from tui.checkpoints.recognition.presence import names_of

ALREADY_FUSED = "already fused"


@dataclass(frozen=True, slots=True)
class _Fit:
    family: Family
    block: FoundBlock
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Miss:
    family: Family
    reason: str
    names: frozenset[str]


class Chooser:
    """Goes through the candidates, outer ones first, for a block inside of another is part of it.

    Attributes:
        blocks, left_alone: what has been found so far.
    """

    def __init__(self, all_names: str, wanted: Family | None) -> None:
        self._all_names = all_names
        self._wanted = wanted
        self._claimed: set[str] = set()
        self.blocks: list[FoundBlock] = []
        self.left_alone: list[LeftAlone] = []

    def look_at(self, candidate: Candidate) -> None:
        """Take the blocks of this place, or tell why it has none."""
        fits: list[_Fit] = []
        misses: list[_Miss] = []
        fused: list[Family] = []
        for family in candidate.families:
            if not self._is_shown(family):
                continue
            own = names_of(family, candidate.names)
            if not self._claimed.isdisjoint(own.values()):
                continue
            if _is_fused(family, own):
                fused.append(family)
                continue
            try:
                block = matched(family, candidate.prefix, candidate.names)
            except Misfit as misfit:
                if misfit.certain or not family.plain:
                    misses.append(_Miss(family, _reason(misfit, family, candidate), frozenset(own.values())))
                continue
            fits.append(_Fit(family, block, frozenset(block.reads)))
        for group in _overlapping(fits):
            self._claimed.update(*(fit.block.written_over for fit in group))
            self._take(candidate.prefix, group)
        for miss in sorted(misses, key=lambda each: -len(each.names)):
            if self._claimed.isdisjoint(miss.names):
                self._claimed |= miss.names
                self.left_alone.append(LeftAlone(candidate.prefix, miss.family.name, miss.reason))
        self._tell_fused(candidate, fused)

    def _take(self, prefix: str, group: Sequence[_Fit]) -> None:
        left = self._likeliest(group)
        first = left[0]
        if any(_outcome(fit) != _outcome(first) for fit in left):
            names = [fit.family.name for fit in left]
            reason = f"{' and '.join(names)} fit, and nothing in the file tells which; --family decides"
            self.left_alone.append(LeftAlone(prefix, None, reason))
        else:
            self.blocks.append(first.block)

    def _likeliest(self, group: Sequence[_Fit]) -> Sequence[_Fit]:
        """Those that are left by what was asked for, by what else the file has, by how much each explains."""
        asked = [fit for fit in group if fit.family is self._wanted]
        if asked:
            return asked
        told = [fit for fit in group if fit.family.evidence] or group
        most = max(len(fit.reads) for fit in told)
        return [fit for fit in told if len(fit.reads) == most]

    def _is_shown(self, family: Family) -> bool:
        """Whether the file has what the family cannot be taken for granted without."""
        if not family.evidence or family is self._wanted:
            return True
        return any(piece in self._all_names for piece in family.evidence)

    def _tell_fused(self, candidate: Candidate, fused: Sequence[Family]) -> None:
        telling = [family for family in fused if family.fused_tells]
        if not telling:
            return
        names = {candidate.names[name].name for name in telling[0].fused_names if name in candidate.names}
        if not self._claimed.isdisjoint(names):
            return
        self._claimed |= names
        likely = [family for family in telling if family is self._wanted] or telling
        known = likely[0].name if len(likely) == 1 else None
        self.left_alone.append(LeftAlone(candidate.prefix, known, ALREADY_FUSED))


def _is_fused(family: Family, own: Mapping[str, str]) -> bool:
    """Whether the fused names are there, and none of a branch."""
    weight, bias = family.fused_names
    if any(name not in (weight, bias) for name in own):
        return False
    return weight in own and (bias in own or weight not in family.branch_weights)


def _reason(misfit: Misfit, family: Family, candidate: Candidate) -> str:
    """With the words that it is half fused, where that is so."""
    fused = [name for name in family.fused_names if name in candidate.names]
    if fused and misfit.incomplete:
        return f"half fused: {' and '.join(fused)} stand beside branches of which {misfit.reason}"
    return misfit.reason


def _outcome(fit: _Fit) -> object:
    """What would come of it, and what would be written."""
    block = fit.block
    chains = [branch.chain for branch in block.branches]
    return block.fused, block.eps if block.has_norm else None, sorted(map(repr, chains))


def _overlapping(fits: Iterable[_Fit]) -> list[list[_Fit]]:
    """In groups that read the same names."""
    groups: list[list[_Fit]] = []
    for fit in fits:
        touching = [group for group in groups if any(not fit.reads.isdisjoint(each.reads) for each in group)]
        groups = [group for group in groups if group not in touching]
        groups.append([*(each for group in touching for each in group), fit])
    return groups
