"""Convolutions as products: torch's own value within the bound of a sum, for every call that torch takes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from tui.analysis.numerics import convolution, convolution_shape
from tui.analysis.numerics.bfloat16 import Bfloat16WithoutMisreading
from tui.analysis.numerics.convolution import ConvolutionsAsProducts
from tui.analysis.numerics.precision import gamma_n

UNITS = {torch.float64: 2.0**-53, torch.float32: 2.0**-24}
PADDINGS: tuple[Any, ...] = ("same", "valid", 0, 1, (2, 1), (0, 3), (1,))


class ConvolutionsSeen(TorchFunctionMode):
    """How many conv2d reach torch."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.conv2d
        return func(*args, **(kwargs or {}))


def rand(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 1) -> Tensor:
    return (torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) - 0.5).to(
        dtype
    )


def by_products(*arguments: Any, **named: Any) -> tuple[Tensor, int]:
    """What comes out, and how many convolutions torch was left to do."""
    with ConvolutionsSeen() as seen, ConvolutionsAsProducts():
        y = functional.conv2d(*arguments, **named)
    return y, seen.count


@pytest.fixture(params=[2**18, 2**10, 50], ids=["whole", "in pieces", "row by row"])
def always(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small convolutions by products too, with so much at a time."""
    monkeypatch.setattr(convolution, "_IN_CACHE", request.param)
    monkeypatch.setattr(convolution, "_AT_ONCE", request.param)
    monkeypatch.setattr(convolution_shape, "UNFOLDED", 0)
    monkeypatch.setattr(convolution_shape, "MOST_WASTE", float("inf"))
    monkeypatch.setattr(convolution_shape, "ONE_DNN_REACH", 1)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@pytest.mark.usefixtures("always")
@given(
    st.data(),
    st.sampled_from(list(UNITS)),
    st.integers(1, 3),
    st.sampled_from([1, 1, 2, 3]),
    pairs,
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    pairs,
    pairs,
    st.sampled_from(PADDINGS),
)
def test_it_is_torchs_value_but_for_the_order_of_summing(
    data: st.DataObject,
    dtype: torch.dtype,
    batch: int,
    groups: int,
    channels: tuple[int, int],
    size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: Any,
) -> None:
    columns, rows = channels
    height, width = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    stride = (1, 1) if padding == "same" else stride
    x = rand(batch, columns * groups, height, width, dtype=dtype, seed=height)
    if data.draw(st.booleans()):
        x = x.to(memory_format=torch.channels_last)
    weight = rand(rows * groups, columns, *size, dtype=dtype, seed=width)
    bias = rand(rows * groups, dtype=dtype) if data.draw(st.booleans()) else None
    call = (stride, padding, dilation, groups)
    try:
        with Bfloat16WithoutMisreading():
            expected = functional.conv2d(x, weight, bias, *call)
    except RuntimeError as error:  # the kernel is larger than the image
        with pytest.raises(RuntimeError, match=re.escape(str(error))):
            by_products(x, weight, bias, *call)
        return
    y, _ = by_products(x, weight, bias, *call)
    offset = None if bias is None else bias.abs().double()
    sizes = functional.conv2d(x.abs().double(), weight.abs().double(), offset, *call)
    assert y.shape == expected.shape
    assert y.dtype is dtype
    assert bool(
        ((y.double() - expected).abs() <= 2 * gamma_n(weight[0].numel() + 2, UNITS[dtype]) * sizes).all()
    )


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("groups", [1, 4])
def test_nothing_is_cancelled_on_the_way(groups: int) -> None:
    """Winograd and Fourier lose what is small beside what is large; a sum of products does not."""
    x, weight = rand(1, 4, 9, 9), rand(4, 4 // groups, 3, 3)
    x[0, :, :4] *= 2.0**60
    y, left = by_products(x, weight, padding=1, groups=groups)
    alone = functional.conv2d(x[:, :, 4:], weight, padding=1, groups=groups)[:, :, 1:]
    assert left == 0
    torch.testing.assert_close(y[:, :, 5:], alone, rtol=1e-13, atol=0)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_spoils_what_it_touches_and_no_more(groups: int, value: float) -> None:
    x, weight = rand(2, 3, 9, 8), rand(3, 3 // groups, 3, 3)
    x[1, 0, 4, 4] = value
    y, left = by_products(x, weight, padding=1, groups=groups)
    assert left == 0
    expected = functional.conv2d(x, weight, padding=1, groups=groups)
    assert torch.equal(y.isnan(), expected.isnan())
    assert torch.equal(y.isfinite(), expected.isfinite())


@pytest.mark.parametrize(
    ("channels", "groups", "size", "image", "dtype", "left"),
    [
        (64, 64, 31, 32, torch.float64, 0),
        (64, 64, 15, 16, torch.float32, 0),
        (64, 64, 13, 16, torch.float32, 1),
        (64, 64, 1, 16, torch.float64, 1),
        (64, 1, 3, 56, torch.float64, 0),
        (64, 1, 3, 56, torch.float32, 1),
        (8, 1, 3, 8, torch.float64, 1),
    ],
)
def test_which_convolutions_are_left_to_torch(
    channels: int, groups: int, size: int, image: int, dtype: torch.dtype, left: int
) -> None:
    x, weight = rand(1, channels, image, image, dtype=dtype), rand(channels, channels // groups, size, size)
    assert by_products(x, weight.to(dtype), padding=size // 2, groups=groups)[1] == left


@pytest.mark.usefixtures("always")
@torch.no_grad()
def test_modules_of_every_padding_mode_run_by_products() -> None:
    x = rand(2, 4, 9, 8)
    for mode in ("zeros", "reflect", "replicate", "circular"):
        conv = nn.Conv2d(4, 6, (3, 5), padding=(1, 2), groups=2, padding_mode=mode, dtype=torch.float64)
        with ConvolutionsSeen() as seen, ConvolutionsAsProducts():
            y = conv(x)
        assert seen.count == 0
        torch.testing.assert_close(y, conv(x), rtol=1e-13, atol=1e-14)


@pytest.mark.usefixtures("always")
def test_what_needs_a_gradient_and_other_dtypes_are_left_to_torch() -> None:
    x, weight = rand(1, 2, 5, 5), rand(2, 2, 3, 3)
    y, left = by_products(x, weight.requires_grad_())
    assert left == 1
    assert y.requires_grad
    assert by_products(x.bfloat16(), weight.detach().bfloat16())[1] == 1
    assert by_products(x[0], weight.detach())[0].shape == (2, 3, 3)


@pytest.mark.usefixtures("always")
def test_a_call_that_torch_refuses_is_refused_by_torch() -> None:
    with pytest.raises(RuntimeError, match="expected input"):
        by_products(rand(1, 3, 5, 5), rand(2, 2, 3, 3))
    with pytest.raises(RuntimeError, match="stride"):
        by_products(rand(1, 2, 5, 5), rand(2, 2, 3, 3), stride=0)


@pytest.mark.usefixtures("always")
def test_neither_image_nor_weight_is_changed() -> None:
    x, weight, bias = rand(1, 4, 6, 6), rand(4, 1, 3, 3), rand(4)
    before = [tensor.clone() for tensor in (x, weight, bias)]
    by_products(x, weight, bias, groups=4)
    assert all(map(torch.equal, before, (x, weight, bias)))
