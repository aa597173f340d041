"""Checkpoints to be read and written: small, of every dtype, and written by other hands than ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from torch import Tensor

from tui.checkpoints.dtypes import safetensors_code

_NOT_SAVED = re.compile(r"torch\.(q.*|u?int[1-7])")
"""Quantised ones, whose tensors are more than their bits, and those that torch.save refuses."""
DTYPES = tuple(
    sorted(
        {
            dtype
            for dtype in vars(torch).values()
            if isinstance(dtype, torch.dtype) and not _NOT_SAVED.fullmatch(str(dtype))
        },
        key=str,
    )
)
"""Every dtype of this torch that a file can hold."""


def name_of(dtype: torch.dtype) -> str:
    """Without "torch."."""
    return str(dtype).removeprefix("torch.")


SAFETENSORS_DTYPES = tuple(dtype for dtype in DTYPES if safetensors_code(name_of(dtype)))


def random_bits(shape: tuple[int, ...], dtype: torch.dtype, seed: int = 0) -> Tensor:
    """A tensor of any bits, so NaN and infinities too; of bools, those that there are."""
    generator = torch.Generator().manual_seed(seed)
    empty = torch.empty(shape, dtype=dtype)
    if not empty.numel():
        return empty
    size = (empty.nbytes,)
    data = torch.randint(0, 2 if dtype is torch.bool else 256, size, dtype=torch.uint8, generator=generator)
    return data.view(dtype).reshape(shape)


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Whether dtype, shape and every bit are the same."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return bytes_in(one) == bytes_in(other)


def bytes_in(tensor: Tensor) -> bytes:
    """A tensor's bytes in C order, by torch alone."""
    flat = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).tolist()) if flat.numel() else b""


def library_save(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """What safetensors' save_file does; that one needs NumPy."""
    specs = {
        name: safetensors.TensorSpec(
            dtype=name_of(tensor.dtype),
            shape=list(tensor.shape),
            data_ptr=tensor.data_ptr(),
            data_len=tensor.nbytes,
        )
        for name, tensor in tensors.items()
    }
    safetensors.serialize_file(specs, path, metadata)


def small_state_dict() -> dict[str, Tensor]:
    """A convolution and a batch norm, in three dtypes."""
    return {
        "stem.conv.weight": random_bits((4, 3, 3, 3), torch.float16, 1),
        "stem.bn.weight": random_bits((4,), torch.float32, 2),
        "stem.bn.num_batches_tracked": random_bits((), torch.int64, 3),
    }
