"""What a measurement holds in memory, and its refusal where the machine has not as much."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from tui.analysis.estimate import memory_of_this_machine
from tui.analysis.quantities import memory_in_words
from tui.analysis.speed.devices import CUDA, MeasuringError
from tui.analysis.speed.peaks import bytes_for_peaks
from tui.analysis.speed.work import Shapes

_RUNTIME_BYTES = 64_000_000
"""What torch takes for its own; measured: 30 to 60 MB."""


def bytes_needed(
    shapes: Iterable[Shapes], parameters: int, x: Tensor, device: torch.device, *, with_peaks: bool = True
) -> int:
    """The most that a measurement of these sides holds at once.

    Weights twice, since oneDNN keeps them in an order of its own; the input; of the sides, that which holds
    most, or the copy by which the peak is measured.
    """
    running = max(each.bytes for each in shapes)
    peaks = bytes_for_peaks(device) if with_peaks else 0
    return _RUNTIME_BYTES + 2 * parameters + x.numel() * x.element_size() + max(running, peaks)


def refuse_too_large(needed: int, device: torch.device) -> None:
    """Stop before the system starts to swap, or kills something.

    Raises:
        MeasuringError: so much is not free.
    """
    free = memory_free(device)
    if free is not None and needed > free:
        raise MeasuringError(
            f"timing this block needs about {memory_in_words(needed)} of memory and {memory_in_words(free)} "
            "are free: take fewer channels, a smaller input or a smaller batch"
        )


def memory_free(device: torch.device) -> int | None:
    """Bytes that are free on the device; of a CPU all that the machine has, where the system says no more."""
    if device.type == CUDA:
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return memory_of_this_machine()
    kibibytes = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return next((int(each) * 1024 for each in kibibytes), memory_of_this_machine())
