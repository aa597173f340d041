"""Whether one convolution in the place of a region would multiply more than its layers do."""

from __future__ import annotations

import math

from tui.fusion.kernel import FusionError
from tui.modules.linear.meaning import Meanings
from tui.modules.linear.regions import Region
from tui.modules.linear.steps import Average, Convolve, Normalise
from tui.modules.run.graph import Call


def refuse_dearer(region: Region, meanings: Meanings, numbers: int) -> None:
    """A fusion that multiplies more than the layers that it takes the place of is none.

    `numbers`: those of its weight.

    Raises:
        FusionError: it would.
    """
    height, width = region.sink.tensor.shape[2:]
    fused = numbers * height * width
    parts = sum(_products(call, meanings) for call in region.calls)
    if fused > parts:
        raise FusionError(
            f"one convolution would multiply {fused:,} times, and the layers as they are {parts:,} times"
        )


def weights_in_a_row(region: Region, meanings: Meanings) -> int | None:
    """The numbers of the weight that convolutions one after the other come to, the first of them alone wide.

    None where it is not as plain as that, or where what is padded in between may refuse it.
    """
    steps = [
        meanings.of(call.outputs[0]) for call in region.calls if call.outputs and not call.outputs[0].constant
    ]
    first = steps[0]
    if not isinstance(first, Convolve) or not all(isinstance(step, (Convolve, Normalise)) for step in steps):
        return None
    convs = [step for step in steps if isinstance(step, Convolve)]
    if any(step.weight.tensor.shape[2:].numel() > 1 or any(step.border) for step in convs[1:]):
        return None
    taps = first.weight.tensor.shape[2:].numel()
    channels = region.source.tensor.shape[1] * region.sink.tensor.shape[1]
    return channels // math.gcd(*(step.groups for step in convs)) * taps


def _products(call: Call, meanings: Meanings) -> int:
    """Multiplications of a call, for one image."""
    made = call.outputs[0] if call.outputs else None
    if made is None or made.constant or not made.is_image:
        return 0
    step = meanings.of(made)
    _, channels, height, width = made.tensor.shape
    if isinstance(step, Convolve):
        return step.weight.tensor.numel() * height * width
    if isinstance(step, Average):
        return channels * step.kernel_size[0] * step.kernel_size[1] * height * width
    return channels * height * width
