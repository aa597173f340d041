"""Numbers as text come back as they were written, in whatever of the usual ways."""

from __future__ import annotations

import math

import pytest
import torch

from tests.export.test_grid import DTYPES, bits, odd_numbers
from tests.importing.test_npy import tensor_of
from tui.export.grid import csv_of
from tui.fusion.kernel import Kernel
from tui.importing.errors import ImportingError
from tui.importing.number_table import kernel_in


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_csv_of_the_export(dtype: torch.dtype) -> None:
    kernel = Kernel(odd_numbers(dtype), torch.tensor([0.1, -3.0], dtype=dtype))
    assert kernel.bias is not None
    header, *rows = csv_of(kernel).splitlines()
    for lines in (
        [header, *rows],
        [header, *reversed(rows)],
        [f" {row} " for row in (header, *rows)],
    ):
        given = kernel_in("\r\n".join(lines))
        assert given.bias is not None
        for read, known in ((given.weight, kernel.weight), (given.bias, kernel.bias)):
            again = tensor_of(read, dtype)
            assert torch.equal(bits(again.nan_to_num(7.0)), bits(known.nan_to_num(7.0)))
            assert torch.equal(again.isnan(), known.isnan())
    assert kernel_in(csv_of(Kernel(kernel.weight, None))).bias is None


@pytest.mark.parametrize(
    "text",
    [
        "1 -2.5 nan\n1/4 1e-3 inf",
        " 1,-2.5,nan\n\n0.25,.001,inf\n",
        "# from elsewhere\n1; -2.5; NaN\n0.25;\t1E-3; Infinity",
        "[[1, -2.5, nan], [0.25, 0.001, inf]]",
        "[[1. -2.5 nan]\n [0.25 0.001 inf]]",
        "tensor([[1.0000, -2.5000, nan],\n        [0.2500, 0.0010, inf]], dtype=torch.float64)",
        "w = np.array([[1, -2.5, nan], [0.25, 1e-3, inf]], dtype=np.float32)",
        "tensor([[1, -2.5, nan], [0.25, 1e-3, inf]], device='cuda:0', grad_fn=<AddBackward0>);",
    ],
)
def test_ways_to_write_a_slice(text: str) -> None:
    given = kernel_in(text).weight
    assert given.shape == (2, 3)
    assert list(given.values[:2]) == [1, -2.5]
    assert math.isnan(given.values[2])
    assert list(given.values[3:]) == [0.25, 0.001, math.inf]


def test_what_torch_prints_of_a_whole_weight() -> None:
    weight = torch.arange(36.0).view(2, 2, 3, 3) / 4
    for text in (str(weight), str(weight.tolist()), repr(torch.nn.Parameter(weight))):
        given = kernel_in(text.replace("Parameter containing:\n", "")).weight
        assert torch.equal(tensor_of(given, torch.float32), weight)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no numbers"),
        ("# only words", "no numbers"),
        ("1 2\n3", "row 2 has 1 numbers and the first 2"),
        ("1 2\n3 x", "row 2: 'x' is not a number"),
        ("1_0", "'1_0' is not a number"),
        ("1e999", "too large a one"),
        ("\x1b31m", "is not a number"),
        ("[[1, 2], [3]]", "brackets hold 2 and 1 items"),
        ("[[1, 2], 3]", "'3' does not stand in the innermost brackets"),
        ("[1, [2]]", "not equally deep"),
        ("[[1, 2]", "not closed"),
        ("[1]]", "stands after the last bracket"),
        ("[1] 2", "stands after the last bracket"),
        ("[" * 9, "deeper than 8"),
        ("[[1, ..., 2]]", "left out at the ...: print all of them"),
        ("[[1, 2, w]]", "'w' is not a number"),
        ("tensor,out,in,ky,kx,value\n", "no rows of weights"),
        ("tensor,out,in,ky,kx,value\nweight,0,0,0,0", "line 2 must be as weight,0,1,2,2,0.5"),
        ("tensor,out,in,ky,kx,value\nweight,0,0,-1,0,1", "line 2 must be as"),
        ("tensor,out,in,ky,kx,value\nbias,0,0,,,1", "line 2 must be as"),
        ("tensor,out,in,ky,kx,value\nweight,0,0,0,0,a", "line 2: 'a' is not a number"),
        ("tensor,out,in,ky,kx,value\nweight,0,0,0,0,1\nweight,0,0,0,0,2", "line 3"),
        ("tensor,out,in,ky,kx,value\nweight,0,0,0,2,1", "has 1 rows of the weight, and its indices make 3"),
        ("tensor,out,in,ky,kx,value\nweight,9999999,9999999,9999999,9999999,1", "has 1 rows of the weight"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    with pytest.raises(ImportingError) as caught:
        kernel_in(text)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
