"""What must be known beside the numbers of a measurement."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import torch

from tui.analysis.numerics.devices import has_tf32_on
from tui.analysis.speed.conditions import BUDGET, CPU, FEWEST_ROUNDS, Conditions
from tui.analysis.speed.report import Side, SpeedReport
from tui.analysis.speed.timing import NOISY
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
THREADS_WAIT = (
    "its threads wait for each other, and a short run can take hundreds of times as long: one thread "
    "alone is disturbed least"
)
NOISY_MEANS = f"noisy: the quartiles of a side lie more than {100 * NOISY:g} % of its median apart"
_MEASURED = re.compile(
    r"(other programs had the processor for about |)(\d+)(?= % of the time:| rounds were made )"
)
"""Where a remark has a number that each measurement has its own of."""
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
    disturbed = (disturbed_in_words(busy, report.machine.threads),) if busy < UNDISTURBED else ()
    return _of_fewer_rounds(report) + disturbed + _beside_the_peaks(report)


def disturbed_in_words(busy: float, threads: int = 1) -> str:
    """What other programs did to the times; threads of one operation wait for each other besides."""
    tens = max(10, 10 * round(10 * (1 - busy)))
    words = (
        f"other programs had the processor for about {tens} % of the time: all times are too long, "
        "and the gain is that of a busy machine"
    )
    return words if threads == 1 else f"{words}; {THREADS_WAIT}"


def _of_fewer_rounds(report: SpeedReport) -> tuple[str, ...]:
    """Nobody asked for the usual number, and how many there were stands beside the times."""
    asked = report.conditions.rounds
    if asked == Conditions().rounds or not 0 < report.rounds < asked:
        return ()
    return (
        f"{report.rounds} rounds were made of the {asked} that were asked for: all of them take about "
        f"{BUDGET:g} s at most, or {FEWEST_ROUNDS} rounds",
    )


def told_once(each: Iterable[tuple[str, Sequence[str]]]) -> list[tuple[str, list[str]]]:
    """Each remark once, with the names of those of which it is; such as differ by a measured number, as one.

    `each`: a name, and the remarks of what bears it.

    >>> told_once([("a", [disturbed_in_words(0.5)]), ("b", [disturbed_in_words(0.3)])])[0][0][:60]
    'other programs had the processor for about 50 to 70 % of the'
    """
    alike: dict[str, tuple[list[int], list[str]]] = {}
    for name, remarks in each:
        for remark in remarks:
            measured = _MEASURED.match(remark)
            template = remark if measured is None else f"{measured[1]}\0{remark[measured.end() :]}"
            numbers, names = alike.setdefault(template, ([], []))
            names.append(name)
            numbers += [] if measured is None else [int(measured[2])]
    return [
        (words.replace("\0", _range(numbers)) if numbers else words, names)
        for words, (numbers, names) in alike.items()
    ]


def _range(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return str(most) if least == most else f"{least} to {most}"


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
