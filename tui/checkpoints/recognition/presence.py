"""Which branches of a family stand under a prefix: the patterns with their numbers, and what is amiss."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from functools import cache

from tui.checkpoints.contents import Entry
from tui.checkpoints.families import Family
from tui.checkpoints.families.family import ANYTHING
from tui.checkpoints.families.patterns import (
    BranchPattern,
    Conv,
    Factor,
    Fixed,
    LayerPattern,
    Norm,
    Together,
)
from tui.checkpoints.recognition.misfit import Misfit

_PLACE = re.compile(r"\\\{([a-z])\\\}")
_STATISTICS = ("running_mean", "running_var")
_AFFINE = ("weight", "bias")
_COUNTER = "num_batches_tracked"


def present_branches(family: Family, names: Mapping[str, Entry]) -> tuple[BranchPattern, ...]:
    """The family's branches that stand here, their placeholders filled in, all their names there.

    Raises:
        Misfit: a name is missing, or one is there that no branch knows.
    """
    shared = _shared_names(family)
    present: list[BranchPattern] = []
    for pattern in family.branches:
        present += _filled(pattern, names, shared)
    for alternatives in family.one_of:
        if sum(each.name in alternatives for each in present) != 1:
            *some, last = alternatives
            words = f"of {', '.join(some)} and {last} exactly one must be there"
            raise Misfit(words, incomplete=True)
    known = {name for each in present for name in _names_in(each)}
    if family.post_norm:
        norm = Norm(family.post_norm)
        _refuse_missing(required_names(norm, names), names)
        known.update(all_names(norm))
    _refuse_surplus(family, present, known, names)
    return tuple(present)


def _names_in(pattern: BranchPattern) -> list[str]:
    return [name for layer in pattern.flat() for name in all_names(layer)]


@cache
def _shared_names(family: Family) -> frozenset[str]:
    """The names that several branches have, so that they tell of none that it is there."""
    counts = Counter(name for each in family.branches for name in set(_names_in(each)))
    return frozenset(name for name, count in counts.items() if count > 1)


def _filled(
    pattern: BranchPattern, names: Mapping[str, Entry], shared: frozenset[str]
) -> Iterator[BranchPattern]:
    templates = _names_in(pattern)
    if any("{" in name for name in templates):
        numbers = _numbers(templates, names)
        if not numbers and not pattern.optional:
            raise Misfit(f"no {pattern.name} is there", incomplete=True)
        filled = [_with_numbers(pattern, each) for each in numbers]
    else:
        filled = [pattern]
    for each in filled:
        if each.optional and not any(name in names for name in _names_in(each) if name not in shared):
            continue
        for layer in each.flat():
            _refuse_missing(required_names(layer, names), names)
        yield each


def _numbers(templates: Iterable[str], names: Iterable[str]) -> list[dict[str, str]]:
    """What stands for the placeholders, once for each set of numbers that the names have.

    Raises:
        Misfit: a number of those that are counted is left out.
    """
    found = {
        tuple(sorted(match.groupdict().items()))
        for pattern in map(_compiled, dict.fromkeys(templates))
        for name in names
        if pattern.groups and (match := pattern.fullmatch(name))
    }
    ordered = sorted(found, key=lambda each: [(letter, int(number)) for letter, number in each])
    numbers = [dict(each) for each in ordered]
    counted = [int(each["i"]) for each in numbers if "i" in each]
    for place, number in enumerate(counted):
        if number != place:
            template = next(template for template in templates if "{i}" in template)
            raise Misfit(f"{template.replace('{i}', str(place))} is missing", incomplete=True)
    return numbers


@cache
def _compiled(template: str) -> re.Pattern[str]:
    """A name with numbers in the place of its placeholders."""
    return re.compile(_PLACE.sub(r"(?P<\1>[0-9]{1,6})", re.escape(template)))


def names_of(family: Family, names: Iterable[str]) -> frozenset[str]:
    """Those names that can be of a block of that family."""
    fixed, numbered = _templates(family)
    there = {name for name in names if name in fixed}
    if numbered:
        there.update(name for name in names if any(each.fullmatch(name) for each in numbered))
    return frozenset(there)


@cache
def _templates(family: Family) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """The names of a family, and what those with numbers in them look like."""
    templates = {name for each in family.branches for name in _names_in(each)}
    templates.update(family.unused, family.fused_names)
    if family.post_norm:
        templates.update(all_names(Norm(family.post_norm)))
    numbered = tuple(_compiled(each) for each in sorted(templates) if "{" in each)
    return frozenset(each for each in templates if "{" not in each), numbered


def _with_numbers(pattern: BranchPattern, numbers: Mapping[str, str]) -> BranchPattern:
    layers = tuple(_layer_with_numbers(layer, numbers) for layer in pattern.layers)
    return replace(pattern, name=_filled_in(pattern.name, numbers), layers=layers)


def _layer_with_numbers(layer: LayerPattern, numbers: Mapping[str, str]) -> LayerPattern:
    if isinstance(layer, Together):
        return Together(
            tuple(tuple(_layer_with_numbers(inner, numbers) for inner in chain) for chain in layer.chains)
        )
    texts = {
        field.name: _filled_in(value, numbers)
        for field in fields(layer)
        if isinstance(value := getattr(layer, field.name), str)
    }
    return replace(layer, **texts)  # type: ignore[arg-type]  # of each kind only its own texts


def _filled_in(text: str, numbers: Mapping[str, str]) -> str:
    for letter, number in numbers.items():
        text = text.replace(f"{{{letter}}}", number)
    return text


def all_names(layer: LayerPattern) -> tuple[str, ...]:
    """Every name that the layer can have."""
    match layer:
        case Conv(weight, bias):
            return weight, bias
        case Norm(key):
            return tuple(f"{key}.{part}" for part in (*_AFFINE, *_STATISTICS, _COUNTER))
        case Factor(name):
            return (name,)
        case Fixed(_, taps, factor, bias):
            return taps, factor, bias
        case _:
            return ()


def required_names(layer: LayerPattern, names: Mapping[str, Entry]) -> tuple[str, ...]:
    """Those of its names that must be there."""
    match layer:
        case Conv(weight, bias):
            return (weight, bias) if layer.biased else (weight,)
        case Norm(key):
            affine = [f"{key}.{part}" for part in _AFFINE]
            needed = tuple(affine) if any(name in names for name in affine) else ()
            return (*needed, *(f"{key}.{part}" for part in _STATISTICS))
        case Factor(name):
            return () if layer.optional else (name,)
        case _:
            return all_names(layer)


def _refuse_missing(required: Iterable[str], names: Mapping[str, Entry]) -> None:
    for name in required:
        if name not in names:
            raise Misfit(f"{name} is missing", incomplete=True)


def _refuse_surplus(
    family: Family, present: Iterable[BranchPattern], known: set[str], names: Mapping[str, Entry]
) -> None:
    """Nothing else may stand there but what comes after the sum: it may be a branch that is not known."""
    for each in present:
        for layer in each.convs:
            if layer.biased is False and layer.bias in names:
                raise Misfit(f"{layer.bias} is there, which this family does not have")
    own = {name.split(".")[0] for name in known if "." in name}
    known = known | {*family.fused_names, *family.unused}
    for name in names:
        word = name.split(".")[0]
        harmless = word in family.beside or family.beside == ANYTHING
        if name not in known and (word in own or not harmless):
            raise Misfit(f"{name} is there, which this family does not know")
