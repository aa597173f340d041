"""The runs of both sides: in the dtype, again in float64, as they should be, and without transforms."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator

import torch
from torch import Tensor, nn

from tui.analysis.alterations.fusion import Fusion
from tui.analysis.numerics.bfloat16 import Bfloat16WithoutMisreading
from tui.analysis.numerics.componentwise import componentwise
from tui.analysis.numerics.convolution import ConvolutionsAsProducts
from tui.analysis.numerics.devices import device_named, refuse_dtype
from tui.analysis.numerics.float16 import Float16ThroughFloat32
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.ran_on import CPU
from tui.analysis.progress import Doing
from tui.analysis.verdict.error_split import ErrorSplit, output_of_given, split_of
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.kernel import Kernel


@torch.no_grad()
def run(module: nn.Module, x: Tensor, device: str = CPU) -> Tensor:
    """The module's output; on a CPU float16 convolutions go through float32, and oneDNN misreads none.

    On another device a copy of the module runs, and its output comes back to where x is.
    """
    if device != CPU:
        there = device_named(device)
        refuse_dtype(x.dtype, there)
        return run(copy.deepcopy(module).to(there), x.to(there)).to(x.device)
    with Float16ThroughFloat32(), Bfloat16WithoutMisreading():
        y: Tensor = module(x)
    return y


def run_in_float64(
    fusion64: Fusion, x: Tensor, doing: Callable[[str, int], Doing] = Doing, number: int = 0
) -> Generator[Doing, None, Outputs]:
    """Yield what is done, by `doing` from that number on; return both outputs of a fusion in float64.

    They are a reference: their convolutions take the fastest way that float64 has, which may not be torch's.
    """
    yield doing("running the branches in float64", number)
    x64 = x.double()
    with ConvolutionsAsProducts():
        unfused = run(fusion64.block, x64)
    yield doing("running the fused convolution in float64", number + 1)
    with ConvolutionsAsProducts():
        return Outputs(unfused, run(conv_of(fusion64.kernel, fusion64.geometry), x64))


def split_between(
    outputs: Outputs, outputs64: Outputs, right64: Outputs | None, fusion: Fusion, x: Tensor
) -> ErrorSplit | None:
    """Where the difference of a fusion's outputs comes from; None where no element of theirs is finite."""
    with ConvolutionsAsProducts():
        given64 = output_of_given(fusion.kernel, fusion.geometry, x, outputs64.fused)
        return split_of(outputs, (right64 or outputs64).unfused, given64)


def run_rightly(
    block64: ReparamBlock, kernel: Kernel, fusion64: Fusion, x: Tensor, outputs64: Outputs
) -> Outputs | None:
    """What both sides should have given in float64: the block, and the convolution of its `kernel`.

    None where the block itself ran as the unfused side. A right fused output is not run again.
    """
    if fusion64.block is block64:
        return None
    x64 = x.double()
    right = fusion64.kernel is kernel
    with ConvolutionsAsProducts():
        fused = outputs64.fused if right else run(conv_of(kernel, block64.geometry), x64)
        return Outputs(run(block64, x64), fused)


def run_componentwise(block: nn.Module, conv: nn.Module, x: Tensor) -> Outputs:
    """Both sides once more, without transforms."""
    with componentwise():
        return Outputs(run(block, x), run(conv, x))
