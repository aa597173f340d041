"""torch's dtypes and the user's names for them, both ways."""

from __future__ import annotations

import torch

from tui.fusion.specs.block_spec import Dtype

_BY_NAME: dict[Dtype, torch.dtype] = {dtype: getattr(torch, dtype) for dtype in Dtype}
_BY_DTYPE = {there: here for here, there in _BY_NAME.items()}


def torch_dtype(dtype: Dtype) -> torch.dtype:
    """torch's own for a dtype of a spec."""
    return _BY_NAME[dtype]


def dtype_of(dtype: torch.dtype) -> Dtype:
    """The spec's name for one of torch's.

    Raises:
        KeyError: it is none of those that a block can be studied in.
    """
    return _BY_DTYPE[dtype]
