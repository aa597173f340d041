"""NumPy's files are read to the last bit without NumPy, and damaged or hostile ones are refused."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from itertools import product

import pytest
import torch
from torch import Tensor

from tests.export.test_grid import DTYPES, bits, odd_numbers
from tui.export.grid import npy_of, npz_of
from tui.fusion.kernel import Kernel
from tui.fusion.specs.block_spec import Dtype
from tui.importing import npy
from tui.importing.errors import ImportingError
from tui.importing.given_numbers import GivenNumbers
from tui.importing.npy import npy_from, npz_from

LETTERS = {
    "f2": "e",
    "f4": "f",
    "f8": "d",
    "i1": "b",
    "i2": "h",
    "i4": "i",
    "i8": "q",
    "u1": "B",
    "u2": "H",
    "u4": "I",
    "u8": "Q",
}


def tensor_of(given: GivenNumbers, dtype: torch.dtype) -> Tensor:
    return torch.tensor(given.values, dtype=torch.float64).to(dtype).view(given.shape)


def file(
    numbers: bytes = b"", descr: str = "'<f4'", order: str = "False", shape: str = "(2, 3)", version: int = 1
) -> bytes:
    """A .npy file put together by hand, as numpy.lib.format describes it."""
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes((version, 0)) + length + header + numbers


def problem_of(data: bytes) -> str:
    with pytest.raises(ImportingError) as caught:
        npy_from(data)
    assert str(caught.value).isprintable()
    return str(caught.value)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_the_export_writes_comes_back_bit_by_bit(dtype: torch.dtype) -> None:
    kernel = Kernel(odd_numbers(dtype), torch.tensor([0.1, -0.0], dtype=dtype))
    assert kernel.bias is not None
    given = npz_from(npz_of(kernel))
    assert given.bias is not None
    for read, known in (
        (npy_from(npy_of(kernel.weight)), kernel.weight),
        (given.weight, kernel.weight),
        (given.bias, kernel.bias),
    ):
        again = tensor_of(read, dtype)
        assert torch.equal(bits(again.nan_to_num(7.0)), bits(known.nan_to_num(7.0)))
        assert torch.equal(again.isnan(), known.isnan())
    names = {torch.float64: Dtype.FLOAT64, torch.float16: Dtype.FLOAT16}
    assert given.weight.dtype is names.get(dtype, Dtype.FLOAT32)
    assert npz_from(npz_of(Kernel(kernel.weight, None))).bias is None


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", LETTERS)
def test_every_kind_of_number(kind: str, order: str, version: int) -> None:
    known = [0, 1, 2, 3, 100, 127] if kind[0] == "u" else [0, -1, 2, -3, 100, -128]
    data = struct.pack(f"{order}6{LETTERS[kind]}", *known)
    given = npy_from(file(data, f"'{order}{kind}'", version=version))
    assert list(given.values) == known
    assert given.shape == (2, 3)


def test_fortran_order() -> None:
    shape = (2, 3, 4, 5)
    known = torch.arange(120.0, dtype=torch.float64).view(shape)
    strides = (1, 2, 6, 24)
    stored = [0.0] * 120
    for place in product(*map(range, shape)):
        stored[sum(number * stride for number, stride in zip(place, strides, strict=True))] = float(
            known[place]
        )
    given = npy_from(file(struct.pack("<120d", *stored), "'<f8'", "True", str(shape)))
    assert torch.equal(tensor_of(given, torch.float64), known)


def test_numbers_without_axes() -> None:
    assert npy_from(file(struct.pack("<f", 0.5), shape="()")).shape == ()
    assert npy_from(file(shape="(100000000, 0)", order="True")).shape == (100000000, 0)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x93NUMPY", "cut short"),
        (b"\x93NUMPY\x04\x00" + b" " * 9, "has version 4; 1 to 3 are read"),
        (b"\x93NUMPY\x01\x00\x50\x00{", "cut short"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "10,000 is the most"),
        (b"\x93NUMPY\x03\x00\x02\x00\x00\x00\xff\xff", "not text"),
        (b"PK\x03\x04", "not a .npy file"),
        (file(bytes(24))[:-1], "says 2 x 3 numbers of 4 bytes, 24 bytes, and has 23"),
        (file(bytes(25)), "and has 25"),
        (file(bytes(24), "'|O'"), "Python objects, which are never loaded"),
        (file(bytes(24), "'<c8'"), "numbers of type '<c8'; float16, float32, float64 and integers"),
        (file(bytes(24), "[('a', '<f4')]"), "numbers of type 'a record'"),
        (file(bytes(24), "'<U6'"), "numbers of type '<U6'"),
        (file(bytes(24), order="1"), "True or False for fortran_order"),
        (file(bytes(24), shape="(2, -3)"), "no shape that can be"),
        (file(bytes(24), shape="(True, 6)"), "no shape that can be"),
        (file(bytes(24), shape="[2, 3]"), "no shape that can be"),
        (file(bytes(24), shape=f"({'9' * 40}, 3)"), "no shape that can be"),
        (file(bytes(24), shape="(1,) * 9"), "header cannot be read"),
        (file(bytes(24), shape="(2, 3), 'more': 1"), "descr, fortran_order and shape, no more"),
        (file(bytes(24), shape="__import__('os')"), "header cannot be read"),
        (file(bytes(24), shape="(" * 300 + ")" * 300), "header cannot be read"),
    ],
)
def test_what_is_none(data: bytes, words: str) -> None:
    assert words in problem_of(data)


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as written:
        for name, content in members.items():
            written.writestr(name, content)
    return data.getvalue()


def test_an_archive_of_one_array_of_any_name() -> None:
    one = file(struct.pack("<6f", *range(6)))
    assert list(npz_from(archive({"arr_0.npy": one})).weight.values) == list(range(6))
    assert npz_from(archive({"bias.npy": one})).bias is None
    assert npz_from(archive({"weight.npy": one, "other.npy": b"nonsense"})).weight.shape == (2, 3)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "it holds none"),
        ({"a.npy": file(bytes(24)), "b.npy": b""}, "it holds 'a', 'b'"),
        ({"weight.npy": b"nonsense"}, "not a .npy file"),
        ({"weight.npy": bytes(2**20 + 1)}, "unpacks to more than 1 MiB"),
    ],
)
def test_archives_that_hold_no_kernel(
    members: dict[str, bytes], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npy, "MOST_BYTES", 2**20)
    with pytest.raises(ImportingError, match=words):
        npz_from(archive(members))


def test_an_archive_packed_in_another_way() -> None:
    with pytest.raises(ImportingError, match="packed in a way that NumPy does not use"):
        npz_from(archive({"weight.npy": file(bytes(24))}, zipfile.ZIP_BZIP2))


@pytest.mark.parametrize("packed", [False, True], ids=["npy", "npz"])
def test_damaged_files_raise_no_other_error(packed: bool) -> None:
    kernel = Kernel(torch.arange(36.0).view(2, 2, 3, 3), torch.ones(2))
    whole = npz_of(kernel) if packed else npy_of(kernel.weight)
    chance = random.Random(5)
    refused = 0
    for turn in range(300):
        damaged = bytearray(whole[: chance.randrange(len(whole)) if turn % 3 == 0 else None])
        for _ in range(chance.randrange(3)):
            if damaged:
                damaged[chance.randrange(min(len(damaged), 300))] ^= 1 << chance.randrange(8)
        try:
            npz_from(bytes(damaged)) if packed else npy_from(bytes(damaged))
        except ImportingError:
            refused += 1
    assert 100 < refused < 300
