"""float16 convolutions through float32; every other dtype and call as torch runs it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tui.analysis.numerics.float16 import Float16ThroughFloat32

OTHER = [torch.float64, torch.float32, torch.bfloat16]


class ConvolutionsSeen(TorchFunctionMode):
    """The dtypes of the inputs of every conv2d that reaches torch."""

    def __init__(self) -> None:
        super().__init__()
        self.dtypes: list[torch.dtype] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.conv2d:
            self.dtypes.append((*args, *(kwargs or {}).values())[0].dtype)
        return func(*args, **(kwargs or {}))


def rand(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


@torch.no_grad()
def test_a_float16_convolution_is_the_float32_one_rounded_once() -> None:
    x, conv = rand(1, 4, 7, 7).half(), nn.Conv2d(4, 4, 3, padding=1, groups=2).half()
    with Float16ThroughFloat32():
        y = conv(x)
    assert y.dtype is torch.float16
    assert torch.equal(y, conv.float()(x.float()).half())


def test_no_float16_convolution_reaches_torch() -> None:
    x, conv = rand(1, 4, 5, 5).half(), nn.Conv2d(4, 4, 3, bias=False).half()
    with ConvolutionsSeen() as seen, Float16ThroughFloat32():
        conv(x)
    assert seen.dtypes == [torch.float32]


def test_arguments_by_name() -> None:
    x, weight, bias = rand(1, 2, 5, 5).half(), rand(2, 2, 3, 3).half(), rand(2).half()
    with ConvolutionsSeen() as seen, Float16ThroughFloat32():
        y = functional.conv2d(input=x, weight=weight, bias=bias, padding="same")
    assert seen.dtypes == [torch.float32]
    assert torch.equal(y, functional.conv2d(x.float(), weight.float(), bias.float(), padding="same").half())


@pytest.mark.parametrize("dtype", OTHER)
@torch.no_grad()
def test_other_dtypes_run_natively(dtype: torch.dtype) -> None:
    x, conv = rand(1, 4, 7, 7).to(dtype), nn.Conv2d(4, 4, 3).to(dtype)
    native = conv(x)
    with ConvolutionsSeen() as seen, Float16ThroughFloat32():
        y = conv(x)
    assert seen.dtypes == [dtype]
    assert torch.equal(y, native)


@torch.no_grad()
def test_other_float16_calls_stay_float16() -> None:
    x = rand(1, 4, 7, 7).half()
    norm = nn.BatchNorm2d(4).half().eval()
    with Float16ThroughFloat32():
        results = [x + x, norm(x), functional.pad(x, (1, 1))]
    assert {result.dtype for result in results} == {torch.float16}


@torch.no_grad()
def test_it_is_close_to_torchs_own_float16() -> None:
    x, conv = rand(1, 8, 9, 9).half(), nn.Conv2d(8, 8, 3).half()
    native = conv(x)
    with Float16ThroughFloat32():
        y = conv(x)
    differences = (y.double() - native.double()).abs()
    assert float(differences.max()) <= 2 * 2**-11 * float(native.abs().max())


def test_the_mode_ends_with_the_block_and_leaves_the_module() -> None:
    x, conv = rand(1, 2, 5, 5).half(), nn.Conv2d(2, 2, 3).half()
    with ConvolutionsSeen() as seen:
        with Float16ThroughFloat32():
            conv(x)
        conv(x)
    assert seen.dtypes == [torch.float32, torch.float16]
    assert conv.weight.dtype is torch.float16
