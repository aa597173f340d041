"""The fused convolution of a block in another file: under its family's name, a relative's, or any."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from tui.checkpoints.comparison.renaming import Renaming
from tui.checkpoints.contents import Entry
from tui.checkpoints.families import FAMILIES
from tui.checkpoints.found import FoundBlock


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The names of the fused tensors in the other file; the bias may be absent there."""

    weight: str
    bias: str | None


def counterpart_of(
    found: FoundBlock,
    names: Iterable[tuple[str, str]],
    renaming: Renaming,
    given: Collection[str],
    taken: Collection[str | None],
) -> Counterpart | None:
    """Where the other file has the block's fused convolution, by its name; None where it has none.

    A name that one of the block's own tensors has too, as of a convolution with its batch norm, is that of
    the fused one only where the block's others are gone.

    Args:
        found: the block.
        names: what weight and bias may be called in the source, the likeliest first.
        renaming: from the source's names to the other file's.
        given: the names in the other file.
        taken: those of them that stand for something else.
    """
    own = _own_names(found, renaming, given)
    for weight, bias in names:
        name, beside = renaming.applied(weight), renaming.applied(bias)
        if name is None or name not in given or name in taken:
            continue
        if name not in own or own <= {name, beside}:
            return Counterpart(name, beside if beside in given else None)
    return None


def counterpart_by_shape(
    found: FoundBlock,
    roots: Iterable[str],
    renaming: Renaming,
    given: Mapping[str, Entry],
    taken: Collection[str | None],
) -> Counterpart | None:
    """Where the other file has the block's fused convolution under a name of nobody's; None where not.

    `roots`: what its name begins with in the source, without the dot. The others are as of `counterpart_of`.
    """
    own = _own_names(found, renaming, given)
    for root in roots:
        start = renaming.applied(f"{root}." if root else renaming.before)
        for name, entry in given.items():
            if start is None or not name.startswith(start) or name in taken or not _fits(entry, found):
                continue
            bias = _bias_of(name, found, given, taken)
            if own <= {name, bias}:
                return Counterpart(name, bias)
    return None


def _own_names(found: FoundBlock, renaming: Renaming, given: Collection[str]) -> set[str | None]:
    """Of its own tensors those that the other file has; a counter of batches tells nothing."""
    names = (renaming.applied(name) for name in found.reads if not name.endswith("num_batches_tracked"))
    return {name for name in names if name in given}


def _fits(entry: Entry, found: FoundBlock) -> bool:
    """Whether it has the shape of the block's weight, or that in the odd frame of an even kernel."""
    out, in_, *size = (found.out_channels, found.in_channels // found.groups, *found.kernel_size)
    frame = [each + 1 - each % 2 for each in size]
    return entry.is_floating and entry.shape in ((out, in_, *size), (out, in_, *frame))


def _bias_of(
    weight: str, found: FoundBlock, given: Mapping[str, Entry], taken: Collection[str | None]
) -> str | None:
    """What stands beside a weight: of its name with another word, else the only one of that shape."""
    above, _, word = weight.rpartition(".")
    beside = f"{above}.{word.replace('weight', 'bias')}" if above else word.replace("weight", "bias")
    shape = (found.out_channels,)
    near = [name for name in given if name.rpartition(".")[0] == above and name not in taken]
    fitting = [name for name in near if given[name].shape == shape and given[name].is_floating]
    if beside in fitting:
        return beside
    return fitting[0] if len(fitting) == 1 else None


def names_of(found: FoundBlock) -> tuple[tuple[str, str], ...]:
    """What weight and bias of the fused convolution may be called: the family's own names first."""
    return tuple(_names(found))


def names_under(path: str) -> Iterator[tuple[str, str]]:
    """What every family calls weight and bias of a fused convolution that stands there."""
    dot = "." if path else ""
    for fused in dict.fromkeys(family.fused for family in FAMILIES):
        weight, bias = (f"{path}{dot}{each}" for each in _parts(fused))
        yield weight, bias


def _names(found: FoundBlock) -> Iterator[tuple[str, str]]:
    """The family's own first; no name that a branch of the block has."""
    weight, bias = found.fused
    yield weight.name, bias.name
    for names in names_under(found.prefix):
        if not set(names) & set(found.reads):
            yield names


def _parts(fused: str) -> tuple[str, str]:
    dot = "." if fused else ""
    return f"{fused}{dot}weight", f"{fused}{dot}bias"


def still_unfused(found: FoundBlock, renaming: Renaming, given: Collection[str]) -> bool:
    """Whether the other file has a branch of the block."""
    return any(renaming.applied(name) in given for name in found.reads)


def shaped(entry: Entry, found: FoundBlock) -> tuple[int, ...]:
    """The shape in which a weight is judged: that of two dimensions, one or none as the block has it."""
    weight = found.fused[0]
    full = (found.out_channels, found.in_channels // found.groups, *found.kernel_size)
    return full if entry.shape == weight.shape else entry.shape
