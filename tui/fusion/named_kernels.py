"""Kernels that people know by name, to start from: Sobel, Gaussian, Laplacian, and their like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import comb

from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.padding import offset_in

Taps = tuple[tuple[float, ...], ...]
"""(kH, kW) numbers, row by row."""


@dataclass(frozen=True, slots=True)
class NamedKernel:
    """A kernel of one channel.

    Attributes:
        summary: what it does to an image.
        of_size: its taps for a kernel size; None where it does not fit into one.
    """

    summary: str
    of_size: Callable[[Pair], Taps | None]


def _centred(taps: Taps) -> Callable[[Pair], Taps | None]:
    """These taps about the centre of a larger kernel, zeros around."""
    height, width = len(taps), len(taps[0])

    def of_size(kernel_size: Pair) -> Taps | None:
        if kernel_size[0] < height or kernel_size[1] < width:
            return None
        top, left = offset_in((height, width), kernel_size)
        return tuple(
            tuple(
                float(taps[y - top][x - left]) if 0 <= y - top < height and 0 <= x - left < width else 0.0
                for x in range(kernel_size[1])
            )
            for y in range(kernel_size[0])
        )

    return of_size


def _binomial(kernel_size: Pair) -> Taps:
    """The binomial approximation of a Gaussian: all numbers are n / 2^m, so that sums of them are exact."""
    rows, columns = (
        [comb(size - 1, place) / 2 ** (size - 1) for place in range(size)] for size in kernel_size
    )
    return tuple(tuple(row * column for column in columns) for row in rows)


def _mean(kernel_size: Pair) -> Taps:
    height, width = kernel_size
    return ((1 / (height * width),) * width,) * height


NAMED_KERNELS: Mapping[str, NamedKernel] = {
    "Dirac": NamedKernel("returns its input", _centred(((1.0,),))),
    "Sobel x": NamedKernel("edges that stand upright", _centred(((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)))),
    "Sobel y": NamedKernel("edges that lie", _centred(((-1, -2, -1), (0, 0, 0), (1, 2, 1)))),
    "Gaussian": NamedKernel("blurs, the near pixels most", _binomial),
    "mean": NamedKernel("blurs, all pixels alike", _mean),
    "Laplacian": NamedKernel(
        "what differs from its neighbours", _centred(((0, 1, 0), (1, -4, 1), (0, 1, 0)))
    ),
    "sharpen": NamedKernel("the image minus its Laplacian", _centred(((0, -1, 0), (-1, 5, -1), (0, -1, 0)))),
    "zero": NamedKernel("nothing", _centred(((0.0,),))),
}
