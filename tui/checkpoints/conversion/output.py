"""What the output of a fusion holds: the fused tensors in each block's place, all others as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui.checkpoints.contents import Checkpoint, Entry, Format
from tui.checkpoints.conversion.beside import is_left_out
from tui.checkpoints.conversion.fused import Sizes
from tui.checkpoints.found import FoundBlock
from tui.checkpoints.plan import Made, Planned, carried

if TYPE_CHECKING:
    from torch import Tensor


def output_of(
    source: Checkpoint, blocks: Sequence[FoundBlock], make: Callable[[Entry], Tensor], format: Format
) -> tuple[Planned, ...]:
    """Every tensor of the output, in the input's order.

    The two fused ones stand where the first tensor of their block stood, also where they had a place of their
    own as placeholders. Safetensors made of a file of torch has none of what only training needs, and the
    names that load_state_dict expects.

    Args:
        source: the input.
        blocks: those that are fused.
        make: gives each of their fused tensors.
        format: of the output.
    """
    gone = {name for block in blocks for name in (*block.reads, *block.placeholders)}
    order = {name: place for place, name in enumerate(source.entries)}
    first = {min(block.reads, key=order.__getitem__): block for block in blocks}
    plan: list[Planned] = []
    for name, entry in source.entries.items():
        if name in first:
            plan += [Made(fused, partial(make, fused)) for fused in first[name].fused]
        if name not in gone and not is_left_out(source, entry, format):
            plan.append(carried(entry))
    return _without_wrapper(plan) if format is Format.SAFETENSORS else tuple(plan)


def _without_wrapper(plan: Sequence[Planned]) -> tuple[Planned, ...]:
    """The plan under the names that load_state_dict expects, where one wrapper is around all of it.

    Where several are, "model." and "ema.", only these tell the tensors apart.
    """
    if len({each.entry.wrapper for each in plan}) != 1:
        return tuple(plan)
    return tuple(
        replace(each, entry=replace(each.entry, name=each.entry.own_name, wrapper="")) for each in plan
    )


def size_of(entries: Iterable[Entry]) -> Sizes:
    """How much there is of these."""
    counted = list(entries)
    params = sum(entry.numel for entry in counted if entry.is_floating)
    return Sizes(len(counted), params, sum(entry.bytes for entry in counted))
