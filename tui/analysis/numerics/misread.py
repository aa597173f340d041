"""Convolutions that oneDNN computes from memory that is not the image's, in 16 bit."""

from __future__ import annotations

from collections.abc import Iterable


def is_misread(columns: int, kernel_width: int, stride_width: int, out_width: int) -> bool:
    """Whether oneDNN may read beyond the numbers of a bfloat16 convolution of this shape on a CPU with AMX.

    `columns`: in_channels / groups. The outputs are then off by more than their size, not finite now and
    then, or the process ends. Found in torch 2.13 by 22,000 drawn shapes: all that were wrong are of these
    two kinds, a stride to an output one pixel wide, and 8 channels under a kernel 8 wide.
    """
    return (out_width == 1 and stride_width > 1) or (columns == 8 and kernel_width == 8)


def sees_nothing(sides: Iterable[tuple[int, int, int, int, tuple[int, int]]]) -> bool:
    """Whether along a side no tap of any output lies inside the image: the outputs are the bias alone.

    `sides`: of each the pixels, kernel_size, stride, dilation, and the padding before and after. In bfloat16
    and float16 oneDNN may end the process then (torch 2.13, a CPU with AMX: one in 15 of 300 such shapes, and
    one in 7; of 17,600 drawn ones in bfloat16 no other).
    """
    return any(not _meets(*side) for side in sides)


def _meets(pixels: int, taps: int, stride: int, dilation: int, padding: tuple[int, int]) -> bool:
    before, after = padding
    firsts = range(-before, pixels + after - dilation * (taps - 1), stride)
    return any(0 <= first + tap * dilation < pixels for first in firsts for tap in range(taps))
