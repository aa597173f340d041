"""compose, against two nn.Conv2d behind each other and against unit impulses."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from tests.fusion.strategies import pairs
from tests.fusion.test_kernel import rand
from tui.fusion.composition import compose
from tui.fusion.kernel import FusionError, Kernel, dirac, kernel_of
from tui.fusion.specs.block_spec import Pair


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    pairs(1, 4),
    st.booleans(),
    st.booleans(),
)
@torch.no_grad()
def test_two_convolutions_become_one(
    groups: int, columns: int, between: int, rows: int, kernel_size: Pair, bias: bool, inner_bias: bool
) -> None:
    """Without padding there is no border, and nothing to be exact about but the algebra."""
    first = nn.Conv2d(columns * groups, between * groups, 1, groups=groups, bias=inner_bias).double()
    second = nn.Conv2d(between * groups, rows * groups, kernel_size, groups=groups, bias=bias).double()
    composed = compose(kernel_of(first), kernel_of(second), groups)
    assert composed.weight.shape == (rows * groups, columns, *kernel_size)
    assert (composed.bias is not None) == (bias or inner_bias)
    x = rand(2, columns * groups, 6, 7)
    y = functional.conv2d(x, composed.weight, composed.bias, groups=groups)
    torch.testing.assert_close(y, second(first(x)), rtol=0, atol=1e-13)


@torch.no_grad()
def test_at_the_border_the_inner_bias_must_be_padded() -> None:
    first, second = nn.Conv2d(3, 5, 1).double(), nn.Conv2d(5, 4, 3).double()
    composed = compose(kernel_of(first), kernel_of(second))
    assert first.bias is not None
    x = rand(1, 3, 5, 5)
    y = functional.conv2d(x, composed.weight, composed.bias, padding=1)
    framed = _in_a_frame(first(x), first.bias)
    torch.testing.assert_close(second(framed), y, rtol=0, atol=1e-13)
    wrong = second(functional.pad(first(x), (1, 1, 1, 1)))
    torch.testing.assert_close(wrong[:, :, 1:-1, 1:-1], y[:, :, 1:-1, 1:-1], rtol=0, atol=1e-13)
    assert float((wrong - y).abs().amax(dim=1)[0, 0].min()) > 1e-3


def _in_a_frame(y: Tensor, value: Tensor) -> Tensor:
    framed = value.view(1, -1, 1, 1).repeat(1, 1, y.shape[2] + 2, y.shape[3] + 2)
    framed[:, :, 1:-1, 1:-1] = y
    return framed


@torch.no_grad()
def test_unit_impulses_give_the_composed_kernel() -> None:
    first, second = (nn.Conv2d(4, 6, 1, groups=2, bias=False), nn.Conv2d(6, 4, (3, 2), groups=2, bias=False))
    first.double()
    second.double()
    composed = compose(kernel_of(first), kernel_of(second), 2)
    impulses = torch.zeros(4, 4, 5, 3, dtype=torch.float64)
    impulses[torch.arange(4), torch.arange(4), 2, 1] = 1
    response = second(first(impulses)).flip((2, 3))  # (in, out, kH, kW)
    for out in range(4):
        start = 0 if out < 2 else 2
        torch.testing.assert_close(composed.weight[out], response[start : start + 2, out], rtol=0, atol=1e-14)
        assert not response[2 - start : 4 - start, out].any()


def test_composing_with_the_identity_changes_nothing() -> None:
    kernel = Kernel(rand(4, 2, 3, 3), rand(4))
    composed = compose(dirac(4, 2), kernel, 2)
    assert torch.equal(composed.weight, kernel.weight)
    assert composed.bias is kernel.bias


@pytest.mark.parametrize(
    ("first", "second", "groups", "words"),
    [
        ((4, 2, 1, 1), (4, 3, 3, 3), 1, "to 4 channels and one from 3 in each of 1 groups to 4 do not fit"),
        ((4, 2, 1, 1), (4, 4, 3, 3), 2, "do not fit"),
        ((4, 2, 1, 1), (3, 2, 3, 3), 2, "in each of 2 groups to 3 do not fit"),
    ],
)
def test_what_does_not_fit_is_refused(
    first: tuple[int, ...], second: tuple[int, ...], groups: int, words: str
) -> None:
    with pytest.raises(FusionError, match=words):
        compose(Kernel(rand(*first), None), Kernel(rand(*second), None), groups)
