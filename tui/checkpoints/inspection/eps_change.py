"""What a wrong eps would do, for eps is in no file: how much it scales a batch norm's worst channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Tensor

CANDIDATES = (1e-5, 1e-3)
"""What batch norms have: torch's default, and the one that came from TensorFlow and is in YOLO's nets."""


@dataclass(frozen=True, slots=True)
class EpsChange:
    """The channel that feels another eps most.

    Attributes:
        name: of its running_var, in the file.
        channel: of that tensor.
        variance: of that channel.
        factor: by how much its weights are larger with the smaller eps than with the larger one.
    """

    name: str
    channel: int
    variance: float
    factor: float


def worst_change(
    names: Iterable[str], read: Callable[[str], Tensor], candidates: tuple[float, float] = CANDIDATES
) -> EpsChange | None:
    """The worst channel among the batch norms whose tensors are among these names; None where there is none.

    A channel is scaled by 1 / sqrt(variance + eps), so that the factor is
    sqrt((variance + larger) / (variance + smaller)): 3.16 at variance 1e-4, 1.0005 at 1. Channels whose
    variance is not a positive number are passed over.
    """
    small, large = sorted(candidates)
    worst: EpsChange | None = None
    for name in names:
        if not name.endswith("running_var"):
            continue
        variances = read(name).detach().double().flatten()
        usable = variances.isfinite() & (variances >= 0) & (variances + small > 0)
        if not bool(usable.any()):
            continue
        variance, channel = variances.where(usable, float("inf")).min(dim=0)
        value = float(variance)
        factor = ((value + large) / (value + small)) ** 0.5
        if worst is None or factor > worst.factor:
            worst = EpsChange(name, int(channel), value, factor)
    return worst
