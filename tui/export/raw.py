"""The bytes of a tensor, without numpy."""

from __future__ import annotations

import ctypes
import sys

from torch import Tensor


def little_endian(tensor: Tensor) -> bytes:
    """The tensor's numbers in C order, each with its lowest byte first."""
    tensor = tensor.detach().cpu().contiguous()
    if tensor.numel() == 0:
        return b""
    size = tensor.element_size()
    data = ctypes.string_at(tensor.data_ptr(), tensor.numel() * size)
    if sys.byteorder == "little":
        return data
    return b"".join(data[start : start + size][::-1] for start in range(0, len(data), size))
