"""bfloat16 convolutions that oneDNN misreads run without it, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tui.analysis.numerics.bfloat16 import Bfloat16WithoutMisreading
from tui.analysis.numerics.misread import sees_nothing
from tui.analysis.study import study_of
from tui.analysis.verdict.cautions import cautions_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec, Dtype

MISREAD: list[dict[str, Any]] = [
    {"size": (4, 4), "kernel": (2, 2), "image": (7, 4), "stride": (1, 2), "dilation": (1, 2)},
    {"size": (8, 8), "kernel": (7, 3), "image": (29, 8), "stride": 2, "dilation": 3},
    {"size": (8, 3), "kernel": (2, 8), "image": (9, 12)},
    {"size": (64, 64), "kernel": (3, 8), "image": (4, 17), "groups": 8},
    {"size": (8, 8), "kernel": (8, 8), "image": (9, 9), "padding": "same"},
    {"size": (4, 4), "kernel": 3, "image": (5, 2), "stride": 2, "padding": 1},
]
NOTHING_SEEN: list[dict[str, Any]] = [
    {
        "size": (4, 2),
        "kernel": 2,
        "image": (1, 6),
        "stride": (1, 2),
        "dilation": (3, 2),
        "padding": 2,
        "groups": 2,
    },
    {
        "size": (3, 6),
        "kernel": (2, 2),
        "image": (2, 8),
        "stride": (3, 1),
        "dilation": (3, 3),
        "padding": (1, 2),
    },
    {"size": (2, 2), "kernel": 1, "image": (7, 2), "stride": (2, 3), "dilation": (3, 3), "padding": 1},
    {"size": (4, 4), "kernel": 2, "image": (9, 1), "dilation": 3, "padding": "same"},
]
"""No tap of any output lies inside the image: oneDNN ended the process for some of these shapes."""
READ: list[dict[str, Any]] = [
    {"size": (4, 4), "kernel": 3, "image": (9, 9), "stride": 2},
    {"size": (4, 4), "kernel": (3, 3), "image": (5, 3)},
    {"size": (16, 16), "kernel": (8, 8), "image": (9, 9)},
]


class OneDNNSeen(TorchFunctionMode):
    """Whether oneDNN may take each conv2d that reaches torch."""

    def __init__(self) -> None:
        super().__init__()
        self.enabled: list[bool] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.conv2d:
            self.enabled.append(bool(torch.backends.mkldnn.enabled))
        return func(*args, **(kwargs or {}))


def made(
    size: tuple[int, int], kernel: Any, image: tuple[int, int], **options: Any
) -> tuple[nn.Conv2d, Tensor]:
    generator = torch.Generator().manual_seed(1)
    conv = nn.Conv2d(*size, kernel, bias=False, **options).bfloat16().requires_grad_(False)
    conv.weight.copy_(torch.rand(conv.weight.shape, generator=generator) - 0.5)
    return conv, (torch.rand(2, size[0], *image, generator=generator) - 0.5).bfloat16()


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("shape", MISREAD)
def test_what_is_misread_runs_without(shape: dict[str, Any]) -> None:
    conv, x = made(**shape)
    with OneDNNSeen() as seen, Bfloat16WithoutMisreading():
        y = conv(x)
    assert seen.enabled == [False]
    assert torch.backends.mkldnn.enabled
    expected = conv.double()(x.double())
    assert (y.double() - expected).abs().max() <= 2.0**-7 * expected.abs().max()


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("shape", NOTHING_SEEN)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_where_nothing_is_seen_it_runs_without(shape: dict[str, Any], dtype: torch.dtype) -> None:
    conv, x = made(**shape)
    with OneDNNSeen() as seen, Bfloat16WithoutMisreading():
        y = conv.to(dtype)(x.to(dtype))
    assert seen.enabled == [False]
    assert torch.equal(y, torch.zeros_like(y))


@given(
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 3),
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
)
def test_sees_nothing_is_a_convolution_of_ones_that_comes_to_nothing(
    pixels: int, taps: int, stride: int, dilation: int, padding: tuple[int, int]
) -> None:
    assume(pixels + sum(padding) > dilation * (taps - 1))
    ones, kernel = torch.ones(1, 1, pixels), torch.ones(1, 1, taps)
    y = functional.conv1d(functional.pad(ones, padding), kernel, None, stride, 0, dilation)
    assert sees_nothing([(pixels, taps, stride, dilation, padding)]) == (not y.any())


def test_a_block_that_sees_nothing_ends_no_program() -> None:
    spec = BlockSpec(
        in_channels=4,
        out_channels=2,
        groups=2,
        kernel_size=(2, 2),
        stride=(1, 2),
        dilation=(3, 2),
        padding=(2, 2),
        input_shape=(1, 6),
        batch_size=3,
        branches=parse_branches("kxk"),
        dtype=Dtype.BFLOAT16,
    )
    assert study_of(spec).verdict.ruling.agrees


@pytest.mark.parametrize("shape", READ)
def test_all_else_runs_as_torch_does(shape: dict[str, Any]) -> None:
    conv, x = made(**shape)
    with OneDNNSeen() as seen, Bfloat16WithoutMisreading():
        y = conv(x)
    assert seen.enabled == [True]
    assert torch.equal(y, conv(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_other_dtypes_are_left_alone(dtype: torch.dtype) -> None:
    conv, x = made(**MISREAD[0])
    with OneDNNSeen() as seen, Bfloat16WithoutMisreading():
        functional.conv2d(input=x.to(dtype), weight=conv.weight.to(dtype), stride=2)
    assert seen.enabled == [True]


@pytest.mark.parametrize(
    "spec",
    [
        BlockSpec(stride=(2, 2), input_shape=(9, 2), branches=parse_branches("kxk,1x1")),
        BlockSpec(in_channels=8, out_channels=8, kernel_size=(8, 8)),
        BlockSpec(in_channels=8, out_channels=8, kernel_size=(9, 9), branches=parse_branches("kxk,8x8")),
    ],
)
def test_a_study_is_right_and_says_how_it_was_run(spec: BlockSpec) -> None:
    assert not any("oneDNN" in words for words in cautions_of(spec))
    spec = replace(spec, dtype=Dtype.BFLOAT16)
    assert study_of(spec).verdict.ruling.agrees
    assert any("it was run without" in words for words in cautions_of(spec))
