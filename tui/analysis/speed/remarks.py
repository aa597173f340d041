"""What must be known beside the numbers of a measurement."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from tui.analysis.numerics.devices import has_tf32_on
from tui.analysis.speed.conditions import CPU
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.speed.work import Shapes

FLOAT16_ON_A_CPU = (
    "float16 on a CPU: torch's own convolution is timed; where the processor has no float16 arithmetic, "
    "its time says nothing of other machines"
)
NOTHING_TO_FOLD = "there is no batch norm directly behind a convolution: nothing to fold without fusing"
MISREAD = (
    "oneDNN misreads a convolution of this shape in bfloat16: torch's own code is timed in its place, which "
    "is slower"
)
TF32 = "TF32 is on: products of float32 are taken of 10 bits of each factor"
UNDISTURBED = 0.9
"""The share of the time that a measurement has the processor at least where nothing else runs."""
ABOVE_THE_COPY = "more bytes a second than the copy: what fits into a cache does not come from the memory"
ABOVE_THE_PRODUCT = (
    "more FLOP/s than the matrix product: a convolution by Winograd's or Fourier's transform multiplies less "
    "than is counted"
)


def remarks_before(
    dtype: torch.dtype, device: torch.device, shapes: Mapping[Side, Shapes]
) -> tuple[str, ...]:
    """What the block, its dtype and the device tell before anything is timed."""
    on_cpu = device.type == CPU
    misread = any(each.is_misread for each in shapes.values())
    each = {
        FLOAT16_ON_A_CPU: on_cpu and dtype is torch.float16,
        MISREAD: on_cpu and dtype is torch.bfloat16 and misread,
        TF32: has_tf32_on(device, dtype),
        NOTHING_TO_FOLD: nothing_to_fold(shapes),
    }
    return tuple(words for words, holds in each.items() if holds)


def nothing_to_fold(shapes: Mapping[Side, Shapes]) -> bool:
    """Whether the folded side, where there is one, is the unfused one once more."""
    folded = shapes.get(Side.FOLDED)
    return folded is not None and folded.work.operations == shapes[Side.UNFUSED].work.operations


def remarks_after(report: SpeedReport, busy: float = 1.0) -> tuple[str, ...]:
    """What the times tell beside the peaks; `busy`: the share of the time that the processor was ours."""
    disturbed = (disturbed_in_words(busy),) if busy < UNDISTURBED else ()
    return disturbed + _beside_the_peaks(report)


def disturbed_in_words(busy: float) -> str:
    """What other programs did to the times."""
    tens = max(10, 10 * round(10 * (1 - busy)))
    return (
        f"other programs had the processor for about {tens} % of the time: all times are too long, "
        "and the gain is that of a busy machine"
    )


def _beside_the_peaks(report: SpeedReport) -> tuple[str, ...]:
    peaks = report.peaks
    if peaks is None:
        return ()
    flops = [report.flops_reached(side) or 0.0 for side in Side]
    bandwidths = [report.bandwidth_reached(side) or 0.0 for side in Side]
    each = {
        ABOVE_THE_PRODUCT: max(flops) > peaks.flops,
        ABOVE_THE_COPY: max(bandwidths) > peaks.bandwidth,
    }
    return tuple(words for words, holds in each.items() if holds)
