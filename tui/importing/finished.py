"""A finished kernel out of files, as tensors in the dtypes in which it is stored."""

from __future__ import annotations

import torch
from torch import Tensor

from tui.fusion.kernel import Kernel
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.torch_dtypes import torch_dtype
from tui.importing.brought_back import read_file
from tui.importing.errors import ImportingError
from tui.importing.given_numbers import GivenKernel, GivenNumbers
from tui.importing.target import show_shape


def finished_kernel(weight: str, bias: str | None, dtype: Dtype) -> Kernel:
    """The kernel in a file of that name, and its bias in that or in another one.

    `dtype`: what numbers are rounded to that say none, text and integers.

    Raises:
        ImportingError: a file cannot be read, holds something else, or there are two biases.
    """
    given = _numbers_in(weight)
    offset = given.bias
    if bias is not None:
        if offset is not None:
            raise ImportingError(f"{weight} has a bias already: leave --fused-bias out")
        alone = _numbers_in(bias)
        if alone.bias is not None:
            raise ImportingError(f"{bias} holds a weight and a bias, and a bias alone is expected")
        offset = alone.weight
    if offset is not None and len(offset.shape) != 1:
        one = [size for size in offset.shape if size != 1]
        if len(one) > 1:
            raise ImportingError(
                f"the bias has the shape {show_shape(offset.shape)}, and one axis is expected"
            )
    return Kernel(
        _tensor(given.weight, dtype).view(given.weight.shape),
        None if offset is None else _tensor(offset, dtype),
    )


def _numbers_in(name: str) -> GivenKernel:
    try:
        found = read_file(name)
    except ImportingError as error:
        raise ImportingError(f"{name}: {error}") from None
    if not isinstance(found, GivenKernel):
        raise ImportingError(f"{name} is a saved study, and a kernel is expected; --load opens a study")
    return found


def _tensor(given: GivenNumbers, dtype: Dtype) -> Tensor:
    return torch.tensor(given.values, dtype=torch.float64).to(torch_dtype(given.dtype or dtype))
