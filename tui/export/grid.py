"""One kernel of a study, weight and bias, as numbers: CSV to read, .npz to load."""

from __future__ import annotations

import io
import zipfile
from itertools import product

import torch
from torch import Tensor

from tui.analysis.alterations.alterations import FUSED
from tui.analysis.study import Study
from tui.export.code.literals import shortest_numbers
from tui.export.errors import ExportError
from tui.export.file_marks import CSV_HEADER
from tui.export.raw import little_endian
from tui.fusion.kernel import Kernel, pad_to

MOST_CSV_ROWS = 2_000_000
MOST_NPY_BYTES = 2**31

_NPY_TYPES = {torch.float64: "<f8", torch.float32: "<f4", torch.float16: "<f2"}
_NPY_ALIGNMENT = 64


def grid_of(study: Study, name: str) -> Kernel:
    """The kernel (out_channels, in_channels / groups, kH, kW) that the screen shows for a summand or "fused".

    A summand's is in float64, in the frame of the fused kernel: all of them add up to the fused one's.

    Raises:
        KeyError: the study has no summand of that name.
    """
    kernels = {branch.name: branch.kernel for branch in study.summands} | {FUSED: study.fused_kernel.kernel}
    return pad_to(kernels[name], study.frame)


def csv_of(kernel: Kernel) -> str:
    """A row for each weight and each bias: its place and its value, which reads back as the same number.

    "weight,0,1,2,2,0.5", and "bias,0,,,,0.1" where the kernel has one.

    Raises:
        ExportError: the rows are too many for a text.
    """
    weight = kernel.weight
    if weight.numel() > MOST_CSV_ROWS:
        raise ExportError(
            f"CSV would have {weight.numel():,} rows, and {MOST_CSV_ROWS:,} is the most: take .npz"
        )
    places = product(*map(range, weight.shape))
    rows = [
        ",".join(["weight", *map(str, place), value])
        for place, value in zip(places, shortest_numbers(weight), strict=True)
    ]
    if kernel.bias is not None:
        rows += [f"bias,{out},,,,{value}" for out, value in enumerate(shortest_numbers(kernel.bias))]
    return "\n".join([CSV_HEADER, *rows]) + "\n"


def npz_of(kernel: Kernel) -> bytes:
    """Weight, and bias where there is one, as NumPy's .npz: a zip file of a .npy for each.

    Source: numpy.savez. `numpy.load(file)["weight"]` gives the one, ["bias"] the other.

    Raises:
        ExportError: the file would be too large.
    """
    parts = {"weight": kernel.weight} | ({} if kernel.bias is None else {"bias": kernel.bias})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, tensor in parts.items():
            # A fixed date: the same kernel gives the same file.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), npy_of(tensor))
    return file.getvalue()


def npy_of(weight: Tensor) -> bytes:
    """The tensor as a file of NumPy's format, version 1.0, in C order; bfloat16, which it lacks, as float32.

    Source: numpy.lib.format, "Format Version 1.0".

    Raises:
        ExportError: the file would be too large.
    """
    if weight.dtype not in _NPY_TYPES:
        weight = weight.float()
    if weight.nbytes > MOST_NPY_BYTES:
        raise ExportError(f"the file would have {weight.nbytes / 2**30:,.1f} GiB, and 2 GiB is the most")
    shape = ", ".join(map(str, weight.shape)) + ("," if weight.dim() == 1 else "")
    header = f"{{'descr': '{_NPY_TYPES[weight.dtype]}', 'fortran_order': False, 'shape': ({shape}), }}"
    before = 10  # the magic string, two bytes of version, two of the header's length
    length = -(-(before + len(header) + 1) // _NPY_ALIGNMENT) * _NPY_ALIGNMENT - before
    head = b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little")
    return head + header.ljust(length - 1).encode("latin-1") + b"\n" + little_endian(weight)
