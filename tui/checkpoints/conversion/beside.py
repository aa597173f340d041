"""What a training checkpoint holds beside its model, an optimizer's state for one: of the unfused weights."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tui.checkpoints.contents import Checkpoint, Entry, Format
from tui.checkpoints.found import FoundBlock

_OF_TRAINING = re.compile(
    r"optim.*|(lr_)?schedulers?|((grad|loss|amp)_)?scaler|amp"
    r"|((torch|cuda|cpu|np|numpy|python|random)_)?(rng|random_states?)(_(states?|all|torch|cuda|cpu|numpy|python))*",
    re.IGNORECASE,
)
"""The names of parts that are of no use without the training program, optimizers and random states."""


@dataclass(frozen=True, slots=True)
class Beside:
    """One part of a checkpoint in which no block was fused.

    Attributes:
        name: the key at which it stands: "optimizer", "epoch".
        tensors, bytes: how much of it is tensors; 0 of what holds none.
        carried: whether the output has it, as it was; else it was left out.
    """

    name: str
    tensors: int
    bytes: int
    carried: bool


def is_left_out(source: Checkpoint, entry: Entry, format: Format) -> bool:
    """Whether a tensor stays out of the output: in safetensors, which is loaded as a model, of training."""
    return format is Format.SAFETENSORS and is_of_training(source, entry)


def is_of_training(source: Checkpoint, entry: Entry) -> bool:
    """Whether it is of no use without the training program, as an optimizer's state."""
    return _OF_TRAINING.fullmatch(_part_of(source, entry)) is not None


def parts_beside(source: Checkpoint, blocks: Iterable[FoundBlock], format: Format) -> tuple[Beside, ...]:
    """What stands beside the blocks' own parts of the file, what holds tensors first.

    A flat file, whose names are all of one state_dict, has none.
    """
    own = {_part_of(source, source.entries[name]) for block in blocks for name in block.reads}
    of_part: dict[str, list[Entry]] = {}
    for entry in source.entries.values():
        part = _part_of(source, entry)
        if part and part not in own:
            of_part.setdefault(part, []).append(entry)
    for value in source.other_values:
        part = value.partition(".")[0]
        of_part.setdefault(value if part in own else part, [])
    return tuple(_beside(source, name, entries, format) for name, entries in of_part.items())


def _beside(source: Checkpoint, name: str, entries: Collection[Entry], format: Format) -> Beside:
    kept = format is Format.TORCH or any(not is_left_out(source, entry, format) for entry in entries)
    return Beside(name, len(entries), sum(entry.bytes for entry in entries), kept)


def _part_of(source: Checkpoint, entry: Entry) -> str:
    """The key of the file at which it stands; "" where the file is one state_dict."""
    if entry.wrapper or not source.is_nested:
        return entry.wrapper.partition(".")[0]
    return entry.name  # a tensor by itself, beside a state_dict
