"""Whether a tensor was carried over: the same bits, or the same numbers rounded once to another dtype."""

from __future__ import annotations

import torch
from torch import Tensor

from tui.analysis.quantities import count, two_digits
from tui.checkpoints.comparison.compared import Carried, CarriedAs
from tui.checkpoints.contents import Checkpoint, Entry
from tui.checkpoints.conversion.beside import is_of_training

_NARROW = (torch.float16, torch.bfloat16)


def missing(source: Checkpoint, entry: Entry) -> Carried:
    """What is to be said of a tensor of the source that the other file has not."""
    if entry.name.endswith("num_batches_tracked"):
        return Carried(entry.name, None, CarriedAs.NOT_NEEDED, "is not there; nothing is computed with it")
    if is_of_training(source, entry):
        return Carried(entry.name, None, CarriedAs.NOT_NEEDED, "is not there; only training goes on with it")
    return Carried(entry.name, None, CarriedAs.MISSING, "is not there")


@torch.no_grad()
def carried_as(name: str, source: Tensor, other_name: str, given: Tensor) -> Carried:
    """What became of that tensor of the source in the other file."""
    what, words = _what(source, given)
    return Carried(name, other_name, what, words)


def _what(source: Tensor, given: Tensor) -> tuple[CarriedAs, str]:
    if source.shape != given.shape:
        return CarriedAs.CHANGED, f"is {_shape(given)}, and was {_shape(source)}"
    if source.dtype == given.dtype:
        if _same_bits(source, given):
            return CarriedAs.SAME, "the same"
        through = next((each for each in _NARROW if _is_through(source, each, given)), None)
        if through is not None:
            return CarriedAs.CAST, f"rounded to {_name(through)} on the way"
        return CarriedAs.CHANGED, _difference(source, given)
    if _same_numbers(source.to(given.dtype), given):
        finer = torch.promote_types(source.dtype, given.dtype) == given.dtype
        return CarriedAs.CAST, f"{'cast' if finer else 'rounded once'} to {_name(given.dtype)}"
    return CarriedAs.CHANGED, f"in {_name(given.dtype)}, but not rounded once: {_difference(source, given)}"


def _is_through(source: Tensor, dtype: torch.dtype, given: Tensor) -> bool:
    return source.is_floating_point() and _same_numbers(source.to(dtype).to(source.dtype), given)


def _same_bits(one: Tensor, other: Tensor) -> bool:
    if not one.numel():
        return True
    flat = (each.contiguous().reshape(-1).view(torch.uint8) for each in (one, other))
    return torch.equal(*flat)


def _same_numbers(one: Tensor, other: Tensor) -> bool:
    """NaN and NaN alike."""
    if torch.equal(one, other):
        return True
    return one.is_floating_point() and bool(((one == other) | (one.isnan() & other.isnan())).all())


def _difference(source: Tensor, given: Tensor) -> str:
    wide = torch.complex128 if source.is_complex() or given.is_complex() else torch.float64
    one, other = source.to(wide), given.to(wide)
    differs = ~((one == other) | (one.isnan() & other.isnan()))
    number = int(differs.sum())
    if not number:
        return "other bits of the same numbers"
    words = f"{count(number)} of {count(source.numel())} numbers {'differ' if number > 1 else 'differs'}"
    return f"{words}, by {two_digits(float((other - one).abs().max()))} at most"


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
