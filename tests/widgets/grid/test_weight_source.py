from __future__ import annotations

from math import inf, isnan, nan
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from tui.fusion.specs.padding import centre
from tui.widgets.grid.weight_source import WeightSource


def counted(*shape: int) -> torch.Tensor:
    size = torch.Size(shape).numel()
    return torch.arange(1.0, size + 1, dtype=torch.float64).reshape(shape)


@given(
    st.tuples(*[st.integers(1, 3)] * 2, *[st.integers(1, 5)] * 2),
    st.tuples(*[st.integers(0, 4)] * 2),
)
def test_a_framed_weight_reads_as_the_padded_one(shape: tuple[int, ...], extra: tuple[int, int]) -> None:
    weight = counted(*shape)
    frame = (shape[2] + extra[0], shape[3] + extra[1])
    top, left = (centre(frame[axis]) - centre(shape[2 + axis]) for axis in (0, 1))
    bottom, right = extra[0] - top, extra[1] - left
    padded = functional.pad(weight, (left, right, top, bottom))
    source = WeightSource(weight, frame)
    assert source.shape == tuple(padded.shape)
    for out in range(shape[0]):
        for ky in range(frame[0]):
            assert source.row(out, ky, 0, shape[1]) == padded[out, :, ky].tolist()


def test_a_row_holds_the_kernels_asked_for() -> None:
    source = WeightSource.of(counted(2, 5, 3, 3))
    assert source.row(1, 2, 3, 5) == source.row(1, 2, 0, 5)[3:5]
    assert source.at(1, 3, 2, 0) == source.row(1, 2, 3, 4)[0][0]


def test_the_frame_is_never_stored() -> None:
    weight = counted(2, 2, 1, 1)
    source = WeightSource(weight, (4096, 4096))
    assert source.weight is weight
    assert source.at(1, 1, 2047, 2047) == 4.0
    assert source.at(1, 1, 2048, 2047) == 0.0


def test_a_norm_is_that_of_the_kernel() -> None:
    weight = counted(2, 4, 3, 2)
    expected = torch.linalg.vector_norm(weight[1, 1:3], dim=(-2, -1)).tolist()
    assert WeightSource.of(weight).norms(1, 1, 3) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("dtype", "size"), [(torch.float16, 60000.0), (torch.bfloat16, 2.0**100), (torch.float32, 2.0**100)]
)
def test_a_norm_does_not_overflow_where_its_squares_would(dtype: torch.dtype, size: float) -> None:
    weight = torch.full((1, 1, 2, 2), size, dtype=dtype)
    assert WeightSource.of(weight).norms(0, 0, 1) == [2 * float(weight[0, 0, 0, 0])]


def test_norms_of_kernels_with_no_number_in_them() -> None:
    weight = torch.tensor([[[[nan, 1.0]], [[inf, 1.0]], [[3.0, -4.0]]]])
    first, second, third = WeightSource.of(weight).norms(0, 0, 3)
    assert isnan(first)
    assert (second, third) == (inf, 5.0)


class ArrayLike:
    """Has of a numpy.ndarray what a source asks for, and not what only a tensor has."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self.shape = tuple(tensor.shape)

    def __getitem__(self, index: Any) -> ArrayLike:
        return ArrayLike(self.tensor[index])

    def __mul__(self, other: ArrayLike) -> ArrayLike:
        return ArrayLike(self.tensor * other.tensor)

    def astype(self, name: str) -> ArrayLike:
        assert name == "float64"
        return ArrayLike(self.tensor.to(torch.float64))

    def sum(self, axis: tuple[int, ...]) -> ArrayLike:
        return ArrayLike(self.tensor.sum(axis))

    def tolist(self) -> Any:
        return self.tensor.tolist()


def test_an_array_that_is_no_tensor_is_read_too() -> None:
    weight = counted(2, 3, 3, 3).half()
    array, tensor = WeightSource.of(ArrayLike(weight)), WeightSource.of(weight)
    assert array.row(1, 1, 0, 3) == tensor.row(1, 1, 0, 3)
    assert array.norms(1, 0, 3) == tensor.norms(1, 0, 3)
