"""Geometry: what a kernel does not say of a convolution."""

from __future__ import annotations

from dataclasses import dataclass

from tui.fusion.spec import PaddingMode, Pair


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a kernel is moved over an image: of one branch, or of the convolution that a block fuses to."""

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1
    padding_mode: PaddingMode = PaddingMode.ZEROS
