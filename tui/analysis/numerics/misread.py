"""Convolutions that oneDNN computes from memory that is not the image's, in bfloat16."""

from __future__ import annotations


def is_misread(columns: int, kernel_width: int, stride_width: int, out_width: int) -> bool:
    """Whether oneDNN may read beyond the numbers of a bfloat16 convolution of this shape on a CPU with AMX.

    `columns`: in_channels / groups. The outputs are then off by more than their size, not finite now and
    then, or the process ends. Found in torch 2.13 by 22,000 drawn shapes: all that were wrong are of these
    two kinds, a stride to an output one pixel wide, and 8 channels under a kernel 8 wide.
    """
    return (out_width == 1 and stride_width > 1) or (columns == 8 and kernel_width == 8)
