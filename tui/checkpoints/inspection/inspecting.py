"""What can be said of a block or a tensor once its numbers are read: what is amiss, how they are spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.checkpoints.contents import Checkpoint, Entry
from tui.checkpoints.dense_tensor import dense_tensor

if TYPE_CHECKING:
    from torch import Tensor

    from tui.checkpoints.found import FoundBlock
    from tui.checkpoints.inspection.eps_change import EpsChange
    from tui.checkpoints.inspection.value_problems import ValueProblem

MOST_BYTES = 256_000_000
"""A tensor, or the tensors of a block, that take more are not read merely to be looked at."""
MOST_SHOWN = 8
"""Numbers at the beginning of a tensor that are shown."""


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """What was read of a block.

    Attributes:
        eps_change: how the candidates for eps differ at the worst channel; None without a batch norm.
        problems: numbers that a block should not have.
    """

    eps_change: EpsChange | None
    problems: tuple[ValueProblem, ...]


@dataclass(frozen=True, slots=True)
class ReadTensor:
    """What was read of a tensor.

    Attributes:
        least, largest, mean, deviation: of its finite numbers; None where it has none, or is complex.
        first: its first numbers, as text.
        problems: NaN and infinities.
    """

    least: float | None
    largest: float | None
    mean: float | None
    deviation: float | None
    first: tuple[str, ...]
    problems: tuple[ValueProblem, ...]


def is_too_large(checkpoint: Checkpoint, names: tuple[str, ...]) -> bool:
    """Whether these tensors take more than is read merely to be looked at."""
    return sum(checkpoint.entries[name].bytes for name in names) > MOST_BYTES


def read_block(checkpoint: Checkpoint, found: FoundBlock) -> ReadBlock:
    """Read a block's tensors, each once.

    Raises:
        CheckpointError: the file has changed or is gone.
    """
    from tui.checkpoints.inspection.eps_change import worst_change  # these load torch
    from tui.checkpoints.inspection.value_problems import problems_of

    names = [name for name in found.reads if not name.endswith("num_batches_tracked")]
    tensors = {name: dense_tensor(checkpoint, name) for name in names}
    change = worst_change(tensors, tensors.__getitem__) if found.has_norm else None
    return ReadBlock(change, tuple(problems_of(tensors)))


def read_tensor(checkpoint: Checkpoint, entry: Entry) -> ReadTensor:
    """Read a tensor.

    Raises:
        CheckpointError: the file has changed or is gone, or torch has no such dtype.
    """
    import torch

    from tui.checkpoints.inspection.value_problems import problems_of

    tensor = checkpoint.tensor(entry.name).detach()
    flat = tensor.reshape(-1)
    if not (tensor.dtype.is_floating_point or tensor.dtype.is_complex):
        return _read(flat.double(), tuple(str(each) for each in flat[:MOST_SHOWN].tolist()), ())
    if tensor.dtype.is_complex:
        return ReadTensor(None, None, None, None, tuple(map(str, flat[:MOST_SHOWN].tolist())), ())
    wide = tensor.double() if tensor.dtype is torch.float64 else tensor.float()
    first = tuple(f"{each:.4g}" for each in wide.reshape(-1)[:MOST_SHOWN].tolist())
    return _read(wide.reshape(-1), first, tuple(problems_of({entry.name: wide})))


def _read(flat: Tensor, first: tuple[str, ...], problems: tuple[ValueProblem, ...]) -> ReadTensor:
    finite = flat[flat.isfinite()]
    if not finite.numel():
        return ReadTensor(None, None, None, None, first, problems)
    mean, deviation = float(finite.double().mean()), float(finite.double().std(correction=0))
    return ReadTensor(float(finite.min()), float(finite.max()), mean, deviation, first, problems)
