"""Where blocks may stand: the prefixes at which a name of a family is found, and the names under each."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from tui.checkpoints.contents import Entry
from tui.checkpoints.families import Family
from tui.checkpoints.found import FoundBlock

_PLACEHOLDER = re.compile(r"\{[a-z]\}")
_ANY_NUMBER = "*"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a block may stand.

    Attributes:
        prefix: what its names begin with, without the dot; "" for the file itself.
        families: those of which a name is there.
        names: every tensor under the prefix, by its name without it, in the file's order.
    """

    prefix: str
    families: list[Family] = field(default_factory=list)
    names: dict[str, Entry] = field(default_factory=dict)

    @property
    def structure(self) -> Hashable:
        """What decides which blocks stand here: families, names, shapes, dtypes."""
        tensors = tuple((name, entry.shape, entry.dtype) for name, entry in self.names.items())
        return tuple(family.name for family in self.families), tensors

    def placed(self, block: FoundBlock) -> FoundBlock:
        """A block that was made of these names, under this prefix."""
        return block.at(self.prefix, next(iter(self.names.values())).wrapper)

    @property
    def depth(self) -> int:
        """How many words the prefix has."""
        return self.prefix.count(".") + 1 if self.prefix else 0


def candidates_in(entries: Mapping[str, Entry], families: Iterable[Family]) -> list[Candidate]:
    """Every such place, in the file's order."""
    found = _prefixes(entries, families)
    whole = found.get("")
    if whole is not None:
        whole.names.update(entries)
    for name, entry in entries.items():
        place = name.find(".")
        while place >= 0:
            candidate = found.get(name[:place]) if place else None
            if candidate is not None:
                candidate.names[name[place + 1 :]] = entry
            place = name.find(".", place + 1)
    return list(found.values())


def _prefixes(entries: Iterable[str], families: Iterable[Family]) -> dict[str, Candidate]:
    triggers, lengths = _triggers(families)
    found: dict[str, Candidate] = {}
    for name in entries:
        if name.rpartition(".")[2] not in lengths:
            continue
        words = name.split(".")
        for count in lengths[words[-1]]:
            last = [_ANY_NUMBER if word.isdecimal() else word for word in words[-count:]]
            here = triggers.get(".".join(last)) if count <= len(words) else None
            if here is not None:
                prefix = ".".join(words[:-count])
                candidate = found.setdefault(prefix, Candidate(prefix))
                inside = frozenset(words[:-count])
                fitting = [each for each in here if not (each.not_under and each.not_under in inside)]
                candidate.families.extend(each for each in fitting if each not in candidate.families)
    return found


def _triggers(families: Iterable[Family]) -> tuple[dict[str, list[Family]], dict[str, list[int]]]:
    """The families by the words that a name of theirs ends with; by the last word, how many those can be."""
    triggers: dict[str, list[Family]] = {}
    lengths: dict[str, set[int]] = {}
    for family in families:
        for name in family.triggers:
            words = [
                _ANY_NUMBER if word.isdecimal() or _PLACEHOLDER.fullmatch(word) else word
                for word in name.split(".")
            ]
            here = triggers.setdefault(".".join(words), [])
            if family not in here:
                here.append(family)
            lengths.setdefault(words[-1], set()).add(len(words))
    return triggers, {word: sorted(each) for word, each in lengths.items()}
