"""Which family a block is of, where one or several fit; and what is told of names that fit none."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tui.checkpoints.contents import Entry
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


@dataclass(slots=True)
class _Outcome:
    """What stands at a place, its names those under the prefix.

    Attributes:
        claimed: names that nothing further inside may take.
    """

    blocks: list[FoundBlock] = field(default_factory=list)
    left_alone: list[tuple[Family | None, str, bool]] = field(default_factory=list)
    claimed: set[str] = field(default_factory=set)

    def leave(
        self, family: Family | None, reason: str, names: Collection[str], *, damaged: bool = False
    ) -> None:
        if self.claimed.isdisjoint(names):
            self.claimed.update(names)
            self.left_alone.append((family, reason, damaged))


class Chooser:
    """Goes through the candidates, outer ones first, for a block inside of another is part of it.

    Blocks alike in names, shapes and dtypes are worked out once.

    Attributes:
        blocks, left_alone: what has been found so far.
    """

    def __init__(self, all_names: str, wanted: Family | None) -> None:
        self._all_names = all_names
        self._wanted = wanted
        self._claimed: set[str] = set()
        self._outcomes: dict[Hashable, _Outcome] = {}
        self._shown: dict[str, bool] = {}
        self.blocks: list[FoundBlock] = []
        self.left_alone: list[LeftAlone] = []

    def look_at(self, candidate: Candidate) -> None:
        """Take the blocks of this place, or tell why it has none."""
        names = candidate.names
        claimed = frozenset(name for name, entry in names.items() if entry.name in self._claimed)
        if len(claimed) == len(names):
            return
        key = candidate.structure, claimed
        if key not in self._outcomes:
            families = [family for family in candidate.families if self._is_shown(family)]
            self._outcomes[key] = self._worked_out(families, names, claimed)
        outcome = self._outcomes[key]
        self._claimed.update(names[name].name for name in outcome.claimed)
        self.blocks += map(candidate.placed, outcome.blocks)
        for family, reason, damaged in outcome.left_alone:
            known = None if family is None else family.name
            self.left_alone.append(LeftAlone(candidate.prefix, known, reason, damaged))

    def _worked_out(
        self, families: Iterable[Family], names: Mapping[str, Entry], claimed: frozenset[str]
    ) -> _Outcome:
        fits: list[_Fit] = []
        misses: list[tuple[Family, Misfit, frozenset[str]]] = []
        fused: list[Family] = []
        for family in families:
            own = names_of(family, names)
            if not own or not own.isdisjoint(claimed):
                continue
            if _is_fused(family, own):
                fused.append(family)
                continue
            try:
                block = matched(family, names)
            except Misfit as misfit:
                if misfit.certain or not family.plain:
                    misses.append((family, misfit, own))
            else:
                fits.append(_Fit(family, block, frozenset(block.reads)))
        outcome = _Outcome()
        for group in _overlapping(fits):
            self._take(group, outcome)
        for family, miss, own in sorted(misses, key=lambda each: -len(each[2])):
            outcome.leave(family, _reason(miss, family, names), own, damaged=miss.damaged)
        self._tell_fused(fused, names, outcome)
        return outcome

    def _take(self, group: Sequence[_Fit], outcome: _Outcome) -> None:
        left = self._likeliest(group)
        first = left[0]
        written_over = {name for fit in group for name in fit.block.written_over}
        if any(_result(fit) != _result(first) for fit in left):
            names = " and ".join(fit.family.name for fit in left)
            options = " or ".join(fit.family.option for fit in left)
            reason = f"{names} fit, and nothing in the file tells which: {options} decides"
            outcome.leave(None, reason, written_over)
        else:
            outcome.claimed.update(written_over)
            outcome.blocks.append(first.block)

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
        if family.name not in self._shown:
            self._shown[family.name] = any(piece in self._all_names for piece in family.evidence)
        return self._shown[family.name]

    def _tell_fused(self, fused: Iterable[Family], names: Mapping[str, Entry], outcome: _Outcome) -> None:
        telling = [family for family in fused if family.fused_tells]
        if telling:
            likely = [family for family in telling if family is self._wanted] or telling
            there = [name for name in telling[0].fused_names if name in names]
            outcome.leave(likely[0] if len(likely) == 1 else None, ALREADY_FUSED, there)


def _is_fused(family: Family, own: Collection[str]) -> bool:
    """Whether the fused names are there, and none of a branch."""
    weight, bias = family.fused_names
    if any(name not in (weight, bias) for name in own):
        return False
    return weight in own and (bias in own or weight not in family.branch_weights)


def _reason(misfit: Misfit, family: Family, names: Mapping[str, Entry]) -> str:
    """With the words that it is half fused, where that is so."""
    fused = [name for name in family.fused_names if name in names and name not in family.branch_weights]
    if fused and misfit.incomplete:
        return f"half fused: {' and '.join(fused)} stand beside branches of which {misfit.reason}"
    return misfit.reason


def _result(fit: _Fit) -> object:
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
