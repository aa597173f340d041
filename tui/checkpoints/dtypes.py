"""The dtypes of tensors in files: their names in torch and in safetensors, and how many bits they take.

Source: safetensors' `Dtype` (safetensors/src/tensor.rs); torch.dtype. Knows no torch, which not every
version has all of them.
"""

from __future__ import annotations

_SAFETENSORS = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "F6_E2M3": "float6_e2m3",
    "F6_E3M2": "float6_e3m2",
    "F4": "float4_e2m1fn_x2",
    "C64": "complex64",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_CODES = {name: code for code, name in _SAFETENSORS.items()}
PACKED = "float4_e2m1fn_x2"
"""Two numbers in one element: the last size of such a tensor in torch is half that in safetensors."""

_BITS = {
    "complex128": 128,
    "float64": 64, "complex64": 64, "int64": 64, "uint64": 64,
    "float32": 32, "complex32": 32, "int32": 32, "uint32": 32, "qint32": 32,
    "float16": 16, "bfloat16": 16, "int16": 16, "uint16": 16, "bits16": 16,
    "float6_e2m3": 6, "float6_e3m2": 6,
    "quint4x2": 4, "quint2x4": 2,
}  # fmt: skip
_MOST = 8
"""Bits of all others: bool, int8, uint8, float8, quint8, and what torch has that is packed in bytes."""


def bits_of(dtype: str) -> int:
    """How many bits one element takes in memory and in a file."""
    return _BITS.get(dtype, _MOST)


def torch_name(code: str) -> str | None:
    """torch's name for a dtype of safetensors; None where the format has none such."""
    return _SAFETENSORS.get(code)


def safetensors_code(dtype: str) -> str | None:
    """safetensors' name for a dtype of torch; None where it cannot hold that."""
    return _CODES.get(dtype)
