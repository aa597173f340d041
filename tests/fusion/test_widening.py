"""The same map with zeros between its taps or between its groups, against torch's own dilation and groups."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from tests.fusion.oracles import convolve, dense
from tests.fusion.strategies import pairs
from tests.fusion.test_kernel import rand
from tui.fusion.kernel import FusionError, Kernel
from tui.fusion.specs.block_spec import Pair
from tui.fusion.widening import dilate, ungroup


@pytest.mark.parametrize("kernel_size", [(3, 3), (5, 1), (1, 7), (1, 1)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3), (4, 1)])
def test_a_dilated_kernel_is_torchs_dilation(kernel_size: Pair, dilation: Pair) -> None:
    kernel = Kernel(rand(4, 2, *kernel_size), rand(4))
    wide = dilate(kernel, dilation)
    assert wide.kernel_size == tuple(
        (size - 1) * step + 1 for size, step in zip(kernel_size, dilation, strict=True)
    )
    x = rand(1, 4, 20, 20)
    y = functional.conv2d(x, kernel.weight, kernel.bias, dilation=dilation, groups=2)
    torch.testing.assert_close(functional.conv2d(x, wide.weight, wide.bias, groups=2), y, rtol=0, atol=1e-14)


@given(pairs(1, 6), pairs(1, 4), pairs(1, 3), pairs(1, 2))
def test_a_dilated_kernel_stays_where_it_is_even_sizes_too(
    kernel_size: Pair, dilation: Pair, step: Pair, stride: Pair
) -> None:
    kernel = Kernel(rand(2, 3, *kernel_size), rand(2))
    wide = dilate(kernel, dilation)
    total = (dilation[0] * step[0], dilation[1] * step[1])
    x = rand(1, 3, 9, 8)
    torch.testing.assert_close(  # of as many pixels, both begin as far before theirs
        convolve(x, wide.weight, wide.bias, stride=stride, dilation=step),
        convolve(x, kernel.weight, kernel.bias, stride=stride, dilation=total),
        rtol=0,
        atol=1e-13,
    )


def test_where_the_zeros_stand() -> None:
    odd, even = (Kernel(torch.arange(1.0, size + 1).view(1, 1, 1, size), None) for size in (3, 2))
    assert dilate(odd, (1, 3)).weight.flatten().tolist() == [1, 0, 0, 2, 0, 0, 3]
    assert dilate(even, (1, 3)).weight.flatten().tolist() == [1, 0, 0, 2]
    assert dilate(odd, (5, 1)) is odd


def test_dilate_refuses_a_dilation_of_nothing() -> None:
    with pytest.raises(FusionError, match="at least 1, not 0"):
        dilate(Kernel(rand(1, 1, 3, 3), None), (1, 0))


@st.composite
def groupings(draw: st.DrawFn) -> tuple[int, int]:
    fewer = draw(st.integers(1, 4))
    return fewer * draw(st.integers(1, 4)), fewer


@given(groupings(), st.integers(1, 3), st.integers(1, 3), pairs(1, 3))
def test_an_ungrouped_kernel_is_the_grouped_conv(
    grouping: tuple[int, int], rows: int, columns: int, kernel_size: Pair
) -> None:
    groups, fewer = grouping
    kernel = Kernel(rand(rows * groups, columns, *kernel_size), rand(rows * groups))
    written = ungroup(kernel, groups, fewer)
    assert written.weight.shape == (rows * groups, columns * groups // fewer, *kernel_size)
    x = rand(1, columns * groups, 5, 5)
    y = functional.conv2d(x, kernel.weight, kernel.bias, groups=groups)
    torch.testing.assert_close(
        functional.conv2d(x, written.weight, written.bias, groups=fewer), y, rtol=0, atol=1e-13
    )
    assert torch.equal(dense(written.weight, fewer), dense(kernel.weight, groups))


def test_ungroup_leaves_a_kernel_of_these_groups_alone() -> None:
    kernel = Kernel(rand(4, 1, 1, 1), None)
    assert ungroup(kernel, 4, 4) is kernel


@pytest.mark.parametrize(
    ("groups", "fewer", "words"),
    [
        (4, 3, "a kernel of 4 groups cannot be written with 3: 3 does not divide 4"),
        (2, 4, "a kernel of 2 groups cannot be written with 4"),
        (3, 1, "3 groups do not divide 4 output channels"),
    ],
)
def test_ungroup_refuses_what_is_no_grouping(groups: int, fewer: int, words: str) -> None:
    with pytest.raises(FusionError, match=words):
        ungroup(Kernel(rand(4, 2, 3, 3), None), groups, fewer)
