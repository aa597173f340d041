"""What the device reaches at best: a large matrix product, a large copy."""

from __future__ import annotations

from functools import partial
from statistics import median

import torch

from tui.analysis.numerics.devices import CUDA
from tui.analysis.speed.arithmetic import FLOPS_PER_MAC, Peaks
from tui.analysis.speed.devices import Stopwatch

SMALLEST, LARGEST = 256, 8192
"""Rows and columns of the square matrices."""
LONG_ENOUGH = 0.02
"""Seconds that a product must take: a shorter one is not at its best yet."""
RUNS = 5
_COPIED = {CUDA: 1 << 30}
_COPIED_ELSEWHERE = 1 << 27
"""Bytes: more than caches hold."""


def peaks_of(dtype: torch.dtype, device: torch.device, stopwatch: Stopwatch) -> Peaks:
    """FLOP/s of a product of two square matrices in that dtype, and bytes/s of a copy, read and written.

    The matrices grow until a product takes a while; of several runs the median counts.
    """
    return Peaks(_flops(dtype, device, stopwatch), _bandwidth(device, stopwatch))


def bytes_for_peaks(device: torch.device) -> int:
    """The most memory that the copy takes, which is more than the matrices do on most devices."""
    return 2 * _COPIED.get(device.type, _COPIED_ELSEWHERE)


def _flops(dtype: torch.dtype, device: torch.device, stopwatch: Stopwatch) -> float:
    size = SMALLEST
    while True:
        a = torch.ones(size, size, dtype=dtype, device=device)
        run = partial(torch.mm, a, a, out=torch.empty_like(a))
        run()
        if size >= LARGEST or stopwatch.seconds(run, 1) >= LONG_ENOUGH:
            return FLOPS_PER_MAC * size**3 / median(stopwatch.seconds(run, 1) for _ in range(RUNS))
        size *= 2


def _bandwidth(device: torch.device, stopwatch: Stopwatch) -> float:
    size = _COPIED.get(device.type, _COPIED_ELSEWHERE)
    a = torch.ones(size, dtype=torch.int8, device=device)
    run = partial(torch.empty_like(a).copy_, a)
    run()
    return 2 * size / median(stopwatch.seconds(run, 1) for _ in range(RUNS))
