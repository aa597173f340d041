"""A tensor's bytes as files hold them: in C order, little-endian, without NumPy and without a copy."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PIECE = 2**18
"""Bytes that are read or written at once: with a megabyte and more, writing is often half as fast."""


class NoBytesError(ValueError):
    """The tensor is more than its numbers; the message says what it is."""


def bytes_of(tensor: torch.Tensor) -> Iterator[memoryview]:
    """All of its bytes, in pieces, each good until the next is asked for.

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
    memory = memory_of(plain)
    for start in range(0, len(memory), PIECE):
        yield memory[start : start + PIECE]


def copy_of(tensor: torch.Tensor) -> torch.Tensor:
    """A copy in memory of its own, made by this thread alone.

    `clone` shares a copy out among threads that wait for each other: where the cores were busy with other
    work, it took ten times as long.
    """
    import torch

    plain = tensor.layout is torch.strided and not tensor.is_quantized
    if not plain or not tensor.is_contiguous() or tensor.is_conj() or tensor.is_neg():
        return tensor.clone()
    copy = torch.empty_like(tensor)
    source, target = memory_of(tensor), memory_of(copy)
    for start in range(0, len(source), PIECE):  # between two, other threads of Python have their turn
        target[start : start + PIECE] = source[start : start + PIECE]
    return copy


def memory_of(tensor: torch.Tensor) -> memoryview:
    """The memory of a contiguous tensor, as long as that lives."""
    if not tensor.numel():
        return memoryview(b"")
    return memoryview((ctypes.c_ubyte * tensor.nbytes).from_address(tensor.data_ptr())).cast("B")
