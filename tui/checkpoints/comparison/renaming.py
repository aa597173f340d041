"""What another tool calls the tensors of a checkpoint: other wrappers and prefixes before the same names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import ceil

MOST_DEPTH = 5
"""Parts of a name that may be a wrapper or prefix of all: "state_dict.module.image_encoder.model."."""
MOST_ASKED = 1_000
"""Names that decide; of more, some."""
LEAST_PART = 0.05
"""Of the names, what must share a prefix for it to be one of many."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """What the names begin with in one file, and with what instead in the other; "" for nothing."""

    before: str = ""
    after: str = ""

    def applied(self, name: str) -> str | None:
        """What it is called in the other file; None for a name that does not begin so."""
        if not name.startswith(self.before):
            return None
        return self.after + name[len(self.before) :]


def renaming_of(expected: Sequence[str], given: Collection[str]) -> Renaming:
    """The one that finds most of the expected names among those given; where two do, the shortest."""
    asked = expected[:: ceil(len(expected) / MOST_ASKED)] if expected else ()
    names = frozenset(given)
    best, most = Renaming(), -1
    for before in _prefixes(expected):
        for after in _prefixes(given):
            tried = Renaming(before, after)
            found = sum(tried.applied(name) in names for name in asked)
            if found > most:
                best, most = tried, found
    return best


def _prefixes(names: Iterable[str]) -> list[str]:
    """What many of them begin with, part by part: the shortest first."""
    counts: Counter[str] = Counter()
    total = 0
    for name in names:
        total += 1
        end = -1
        for _ in range(MOST_DEPTH):
            end = name.find(".", end + 1)
            if end < 0:
                break
            counts[name[: end + 1]] += 1
    many = [prefix for prefix, count in counts.items() if count >= total * LEAST_PART]
    return sorted(("", *many), key=len)
