"""The checks of the steps: two runs in float64 that must give the same, on as much input as is quick."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from tui.analysis.numerics.comparison import compare
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.steps.step import Check
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.kernel import Kernel
from tui.fusion.layers.border import bordered, pad_function_mode
from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.geometry import Geometry

MOST_MACS = 100_000_000
"""Multiply-accumulates of one run, beyond which only a part of the image is run."""

TOLERANCE = 1e-9
"""Of the largest number on the way. Rounding in float64 makes 1e-15 of it, a wrong weight some 1e-5."""


def input_of_checks(block: ReparamBlock, x: Tensor, frame: Pair) -> tuple[Tensor, str]:
    """The part of x, (batch, in_channels, H, W), that the checks run on, in float64, and its name.

    One image, and of that the upper left corner, if it would take too long: never smaller than the
    kernel, whose (kH, kW) is `frame`, so that each weight is seen. Nothing is said of a whole input.
    """
    height, width = x.shape[2:]
    weights = sum(part.weight.numel() for part in block.modules() if isinstance(part, nn.Conv2d)) or 1
    side = math.isqrt(max(1, MOST_MACS // weights))
    reach = [step * (taps - 1) + 1 for step, taps in zip(block.geometry.dilation, frame, strict=True)]
    if block.geometry.border is not None:  # copies are padded of no smaller part
        reach = [size + max(block.geometry.border) for size in reach]
    rows, columns = min(height, max(side, reach[0])), min(width, max(side, reach[1]))
    corner = (rows, columns) != (height, width)
    part = f"on {rows}×{columns} of {height}×{width} pixels" if corner else ""
    return x[:1, :, :rows, :columns].to(torch.float64, copy=True), part


@torch.no_grad()
def run64(module: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The output of a module, without a graph."""
    return module(x)


def convolved(kernel: Kernel, geometry: Geometry, x: Tensor) -> Tensor:
    """The kernel as the convolution that it stands for, run on x (batch, in_channels, H, W)."""
    if geometry.border is None:
        return run64(conv_of(kernel, geometry), x)
    around = bordered(x, geometry.border, pad_function_mode(geometry.padding_mode))
    return run64(conv_of(kernel, replace(geometry, border=(0, 0, 0, 0))), around)


def check_kernel(
    words: str, kernel: Kernel, geometry: Geometry, x: Tensor, reference: Tensor, part: str = ""
) -> Check:
    """Whether the kernel's convolution of x gives the reference, (batch, out_channels, H, W), float64.

    A kernel that gives an output of another shape, as a wrong one may, does not pass.
    """
    y = convolved(kernel, geometry, x)
    largest = max(_largest(kernel.weight) * _largest(x), _largest(reference), _largest(y))
    if y.shape != reference.shape:
        return Check(words, math.inf, TOLERANCE * largest, False, part)
    figure = compare(Outputs(reference, y)).max_abs_diff
    return Check(words, figure, TOLERANCE * largest, figure <= TOLERANCE * largest, part)


def _largest(values: Tensor) -> float:
    return float(values.nan_to_num(0.0, 0.0, 0.0).abs().max()) if values.numel() else 0.0
