"""What a measurement holds in memory, and its refusal where the machine has not as much."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from tui.analysis.estimate import memory_of_this_machine
from tui.analysis.numerics.devices import CUDA
from tui.analysis.quantities import memory_in_words
from tui.analysis.speed.conditions import CPU
from tui.analysis.speed.devices import MeasuringError
from tui.analysis.speed.peaks import bytes_for_peaks
from tui.analysis.speed.sides import sides_of
from tui.analysis.speed.work import Shapes, bytes_of_parameters, shapes_of
from tui.fusion.block import build_block
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.torch_dtypes import torch_dtype
from tui.fusion.unfilled_conv import unfilled_conv2d

_RUNTIME_BYTES = 150_000_000
"""What torch takes for its own at the first count and the first convolutions; measured: 90 to 190 MB."""


def bytes_needed(
    shapes: Iterable[Shapes], parameters: int, x: Tensor, device: torch.device, *, with_peaks: bool = True
) -> int:
    """The most that a measurement of these sides holds at once.

    Weights twice, since oneDNN keeps them in an order of its own; the input; of the sides, that which holds
    most, or the copy by which the peak is measured.
    """
    running = max((each.bytes for each in shapes), default=0)
    peaks = bytes_for_peaks(device) if with_peaks else 0
    return _RUNTIME_BYTES + 2 * parameters + x.numel() * x.element_size() + max(running, peaks)


def refuse_too_large(needed: int, device: torch.device) -> None:
    """Stop before the system starts to swap, or kills something.

    Raises:
        MeasuringError: so much is not free.
    """
    free = memory_free(device)
    if free is not None and needed > free:
        raise MeasuringError(
            f"timing this block needs about {memory_in_words(needed)} of memory and {memory_in_words(free)} "
            "are free: take fewer channels, a smaller input or a smaller batch"
        )


def memory_free(device: torch.device) -> int | None:
    """Bytes that are free on the device; of a CPU all that the machine has, where the system says no more."""
    if device.type == CUDA:
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return memory_of_this_machine()
    kibibytes = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return next((int(each) * 1024 for each in kibibytes), memory_of_this_machine())


def bytes_for(spec: BlockSpec, device: str = CPU) -> int:
    """The most memory that timing this block takes; neither it nor its input is made."""
    here = torch.device(device)
    with torch.device("meta"):
        block = build_block(spec).to(torch_dtype(spec.dtype))
        x = torch.empty(spec.input_nchw, dtype=torch_dtype(spec.dtype))
    sides = sides_of(block, _unfilled(spec))
    parameters = sum(map(bytes_of_parameters, sides.values()))
    return bytes_needed([shapes_of(module, x) for module in sides.values()], parameters, x, here)


def _unfilled(spec: BlockSpec) -> nn.Conv2d:
    """The convolution that the block fuses to, without numbers."""
    frame = spec.conv2d_frame
    return unfilled_conv2d(
        spec.in_channels,
        spec.out_channels,
        frame.kernel_size,
        stride=spec.stride,
        padding=frame.padding,
        dilation=frame.dilation,
        groups=spec.fused_groups,
        padding_mode=spec.padding_mode.value,
        dtype=torch_dtype(spec.dtype),
    )
