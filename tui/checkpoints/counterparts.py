"""The fused convolution of a block in another file: under its family's name, or one of its relatives'."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tui.checkpoints.contents import Entry
from tui.checkpoints.families import FAMILIES
from tui.checkpoints.found import FoundBlock
from tui.checkpoints.renaming import Renaming


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The names of the fused tensors in the other file; the bias may be absent there."""

    weight: str
    bias: str | None


def counterpart_of(
    found: FoundBlock, renaming: Renaming, given: Collection[str], taken: Collection[str]
) -> Counterpart | None:
    """Where the other file has the block's fused convolution; None where it has none.

    `taken`: names in the other file that stand for something else.
    """
    for weight, bias in _names(found):
        name, beside = renaming.applied(weight), renaming.applied(bias)
        if name is not None and name in given and name not in taken:
            return Counterpart(name, beside if beside in given else None)
    return None


def _names(found: FoundBlock) -> Iterator[tuple[str, str]]:
    """The family's own first; no name that a branch of the block has."""
    weight, bias = found.fused
    yield weight.name, bias.name
    dot = "." if found.prefix else ""
    for fused in dict.fromkeys(family.fused for family in FAMILIES):
        names = [f"{found.prefix}{dot}{each}" for each in _parts(fused)]
        if not set(names) & set(found.reads):
            yield names[0], names[1]


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
