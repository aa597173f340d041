"""NumPy's .npy and .npz, read without NumPy: plain numbers only, and nothing of a file is ever run.

Source: numpy.lib.format, "Format Version 1.0" to "3.0"; numpy.savez.
"""

from __future__ import annotations

import array
import ast
import io
import struct
import sys
import zipfile
import zlib
from collections.abc import Sequence
from math import prod

from tui.fusion.quoting import quoted
from tui.fusion.specs.block_spec import Dtype
from tui.importing.errors import ImportingError
from tui.importing.files import MOST_BYTES
from tui.importing.given_numbers import GivenKernel, GivenNumbers, Shape

NPY_MAGIC = b"\x93NUMPY"
ZIP_MAGIC = b"PK\x03\x04"
MOST_HEADER = 10_000
"""Bytes of a header, as numpy.load has it by default."""
MOST_AXES = 32
"""Axes of an array, as NumPy has it."""

_TYPES = {
    "f2": "e", "f4": "f", "f8": "d",
    "i1": "b", "i2": "h", "i4": "i", "i8": "q",
    "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
}  # fmt: skip
"""The letter of `struct` for each kind of number."""
_DTYPES = {"f2": Dtype.FLOAT16, "f4": Dtype.FLOAT32, "f8": Dtype.FLOAT64}
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError, struct.error)
"""What zipfile raises of a file that is no whole .npz; a RuntimeError where it needs a password."""
_EXPECTED = "float16, float32, float64 and integers are read"


def npy_from(data: bytes) -> GivenNumbers:
    """The array in a .npy file of version 1, 2 or 3.

    Raises:
        ImportingError: it is none, it is cut short, or its numbers are of no kind that is read.
    """
    header, start = _header_of(data)
    kind, big_endian, fortran_order, shape = _described(header)
    size, count = int(kind[1]), prod(shape)
    if len(data) - start != count * size:
        raise ImportingError(
            f"the .npy says {_shown(shape)} numbers of {size} bytes, {count * size:,} bytes, and has "
            f"{len(data) - start:,}"
        )
    values = _numbers(data[start:], _TYPES[kind], size, big_endian=big_endian)
    if fortran_order and count:
        values = _in_c_order(values, shape)
    return GivenNumbers(shape, values, _DTYPES.get(kind))


def _header_of(data: bytes) -> tuple[str, int]:
    """The header's text, and where the numbers begin."""
    if not data.startswith(NPY_MAGIC):
        raise ImportingError("this is not a .npy file")
    if len(data) < 10:
        raise ImportingError("the .npy file is cut short")
    version = data[6]
    if version not in (1, 2, 3):
        raise ImportingError(f"this .npy file has version {version}; 1 to 3 are read")
    before = 10 if version == 1 else 12
    length = int.from_bytes(data[8:before], "little")
    if length > MOST_HEADER:
        raise ImportingError(f"the .npy file's header has {length:,} bytes, and {MOST_HEADER:,} is the most")
    if len(data) < before + length:
        raise ImportingError("the .npy file is cut short")
    try:
        return data[before : before + length].decode("utf-8" if version == 3 else "latin-1"), before + length
    except UnicodeDecodeError:
        raise ImportingError("the .npy file's header is not text") from None


def _described(header: str) -> tuple[str, bool, bool, Shape]:
    """Kind of number, whether big-endian, whether in Fortran order, shape."""
    try:
        fields = ast.literal_eval(header.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        raise ImportingError("the .npy file's header cannot be read") from None
    if not isinstance(fields, dict) or set(fields) != {"descr", "fortran_order", "shape"}:
        raise ImportingError("the .npy file's header must say descr, fortran_order and shape, no more")
    described, order, shape = fields["descr"], fields["fortran_order"], fields["shape"]
    if not isinstance(order, bool):
        raise ImportingError("the .npy file's header must say True or False for fortran_order")
    sizes = isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)
    if not sizes or len(shape) > MOST_AXES or prod(shape) > MOST_BYTES:
        raise ImportingError("the .npy file's header says no shape that can be")
    if not isinstance(described, str) or described[:1] not in "<>|=" or described[1:] not in _TYPES:
        given = described if isinstance(described, str) else "a record"
        if given in ("|O", "O"):
            raise ImportingError(f"the .npy file holds Python objects, which are never loaded; {_EXPECTED}")
        raise ImportingError(f"the .npy file holds numbers of type {quoted(given)}; {_EXPECTED}")
    native_big = sys.byteorder == "big"
    big_endian = described[0] == ">" or (described[0] in "|=" and native_big)
    return described[1:], big_endian, order, shape


def _numbers(data: bytes, letter: str, size: int, *, big_endian: bool) -> Sequence[float]:
    count = len(data) // size
    if letter == "e":  # array has no half precision
        return array.array("d", struct.unpack(f"{'>' if big_endian else '<'}{count}e", data))
    numbers = array.array(letter)
    numbers.frombytes(data)
    if size > 1 and big_endian != (sys.byteorder == "big"):
        numbers.byteswap()
    return array.array("d", numbers)


def _in_c_order(values: Sequence[float], shape: Shape) -> Sequence[float]:
    """Numbers whose first index runs fastest, sorted so that the last one does."""
    places = [0]
    stride = 1
    for size in shape:
        places = [place + stride * number for place in places for number in range(size)]
        stride *= size
    return array.array("d", (values[place] for place in places))


def npz_from(data: bytes) -> GivenKernel:
    """The weight in a .npz file, and its bias: the arrays of those names, or its only array.

    Raises:
        ImportingError: it cannot be read, holds no such arrays, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if sum(info.file_size for info in members.values()) > MOST_BYTES:
                raise ImportingError(f"the .npz file unpacks to more than {MOST_BYTES // 2**20} MiB")
            names = {"weight", "bias"} & members.keys() if "weight" in members else members.keys()
            if not ("weight" in names or len(names) == 1):
                named = ", ".join(map(quoted, list(members)[:8])) or "none"
                raise ImportingError(f'the .npz must hold "weight", and perhaps "bias"; it holds {named}')
            arrays = {name: npy_from(_unpacked(archive, members[name])) for name in names}
    except ImportingError:
        raise
    except _DAMAGE:
        raise ImportingError("the .npz file is damaged, cut short or locked") from None
    bias = arrays.pop("bias", None) if "weight" in arrays else None
    return GivenKernel(arrays.popitem()[1], bias)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The member's bytes; no more than it claims to have, whatever the file unpacks to."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ImportingError("the .npz file is packed in a way that NumPy does not use")
    with archive.open(member) as file:
        return file.read(member.file_size)


def _shown(shape: Shape) -> str:
    return " x ".join(map(str, shape)) or "1"
