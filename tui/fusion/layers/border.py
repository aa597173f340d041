"""The border that "same" padding puts around an image, as torch.nn.functional.pad takes it."""

from __future__ import annotations

from tui.fusion.padding import same_padding
from tui.fusion.spec import PaddingMode, Pair

Border = tuple[int, int, int, int]
"""Pixels at the left, the right, the top and the bottom."""


def border_of(kernel_size: Pair, dilation: Pair = (1, 1)) -> Border:
    """The pixels that a kernel reaches beyond the image on each side."""
    (top, bottom), (left, right) = map(same_padding, kernel_size, dilation)
    return left, right, top, bottom


def pad_function_mode(mode: PaddingMode) -> str:
    """functional.pad's name for a mode of nn.Conv2d."""
    return "constant" if mode is PaddingMode.ZEROS else mode.value
