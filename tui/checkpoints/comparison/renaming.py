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
LEAST_FOUND = 2
"""Names, those of one fused convolution, of which fewer do not show that a file holds the same model."""
AS_WELL = 0.9
"""Of the names that the best renaming finds, what another must find to fit as well."""


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


def renamings_of(
    expected: Sequence[str], given: Collection[str], places: Collection[str] = ()
) -> list[Renaming]:
    """The one that finds most of the expected names among those given; where two do, the shortest.

    Where none of these names tells anything, that which finds most of the places, and half of them: names
    with a dot at their end, with which others begin.

    Where others find as many of other names, as where a file holds a model and the average of its weights,
    these too, in the order of the expected names.
    """
    asked = expected[:: ceil(len(expected) / MOST_ASKED)] if expected else ()
    names = frozenset(given)
    tried = [Renaming(before, after) for before in _prefixes(expected) for after in _prefixes(given)]
    pairs = [_pairs(each, asked, names) for each in tried]
    counts = [len(each) for each in pairs]
    telling = [sum(_tells(each, name) for name, _ in found) for each, found in zip(tried, pairs, strict=True)]
    given_places = _places_of(given)
    found_places = [_found_places(each, places, given_places) for each in tried]
    decided = list(zip(telling, found_places, counts, strict=True))
    best = tried[decided.index(max(decided))]
    most = max(telling)
    if best == Renaming() or most < LEAST_FOUND:
        return [best]
    found = [best]
    taken = _pairs(best, asked, names)
    for each, count in zip(tried, telling, strict=True):
        if count >= AS_WELL * most and taken.isdisjoint(_pairs(each, asked, names)):
            found.append(each)
            taken |= _pairs(each, asked, names)
    order = {name: place for place, name in enumerate(asked)}
    firsts = [min((order[name] for name, _ in _pairs(each, asked, names)), default=0) for each in found]
    return [each for _, each in sorted(zip(firsts, found, strict=True), key=lambda one: one[0])]


def _found_places(renaming: Renaming, places: Collection[str], given: Collection[str]) -> int:
    """How many of the places it finds; 0 where that is less than half, as of another model."""
    renamed = (renaming.applied(place) for place in places if place != renaming.before)
    found = sum(place in given for place in renamed)
    return found if 2 * found >= len(places) else 0


def _places_of(names: Iterable[str]) -> set[str]:
    """What names begin with, up to each dot."""
    places: set[str] = set()
    for name in names:
        end = name.rfind(".")
        while end >= 0 and name[: end + 1] not in places:
            places.add(name[: end + 1])
            end = name.rfind(".", 0, end)
    return places


def _tells(renaming: Renaming, name: str) -> bool:
    """Whether a name that was found shows anything: weight and bias alone are below every layer."""
    return "." in name[len(renaming.before) :] or renaming == Renaming()


def _pairs(renaming: Renaming, asked: Iterable[str], given: Collection[str]) -> set[tuple[str, str]]:
    """The names that it finds, and what they are called in the other file."""
    renamed = ((name, renaming.applied(name)) for name in asked)
    return {(name, other) for name, other in renamed if other is not None and other in given}


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
