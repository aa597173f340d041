"""A tensor's bytes as files hold them: in C order, little-endian, without NumPy and without a copy."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class NoBytesError(ValueError):
    """The tensor is more than its numbers; the message says what it is."""


def bytes_of(tensor: torch.Tensor) -> Iterator[memoryview]:
    """All of its bytes, in one piece, good until the next is asked for.

    Raises:
        NoBytesError: it is quantised, sparse, or has no numbers.
    """
    import torch

    if tensor.is_quantized:
        raise NoBytesError(
            "a quantised tensor, which safetensors cannot hold: choose the format of torch, .pt"
        )
    if tensor.layout is not torch.strided:
        raise NoBytesError("a sparse tensor, which safetensors cannot hold: choose the format of torch, .pt")
    if tensor.is_meta:
        raise NoBytesError("a tensor of the device meta, which has no numbers")
    plain = tensor.detach().resolve_conj().resolve_neg().contiguous()
    if plain.numel():
        memory = (ctypes.c_ubyte * plain.nbytes).from_address(plain.data_ptr())
        yield memoryview(memory).cast("B")
