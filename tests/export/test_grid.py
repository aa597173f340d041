"""A kernel as CSV and as .npz, read back by other means, comes to the same numbers."""

from __future__ import annotations

import ast
import csv
import io
import struct
import zipfile

import pytest
import torch
from torch import Tensor

from tui.analysis.alterations.alterations import FUSED, Alterations
from tui.analysis.study import Study, study_of
from tui.export import grid
from tui.export.errors import ExportError
from tui.export.grid import csv_of, grid_of, npy_of, npz_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel
from tui.fusion.specs.block_spec import BlockSpec, Dtype

DTYPES = [getattr(torch, dtype) for dtype in Dtype]


def odd_numbers(dtype: torch.dtype) -> Tensor:
    """Random numbers of every size, both zeros, both infinities, NaN, the smallest and the largest."""
    generator = torch.Generator().manual_seed(3)
    numbers = (torch.rand(24, dtype=torch.float64, generator=generator) - 0.5) * 10.0 ** torch.arange(-12, 12)
    limits = torch.finfo(dtype)
    odd = [0.0, -0.0, torch.inf, -torch.inf, torch.nan, limits.smallest_normal / 4, limits.max, -limits.max]
    return torch.cat([numbers, torch.tensor(odd, dtype=torch.float64)]).to(dtype).view(2, 4, 2, 2)


def bits(tensor: Tensor) -> Tensor:
    return tensor.contiguous().view(torch.uint8)


def read_npy(data: bytes) -> Tensor:
    """The tensor in a .npy file, as its format is written down; float64."""
    assert data[:8] == b"\x93NUMPY\x01\x00"
    (length,) = struct.unpack("<H", data[8:10])
    header = data[10 : 10 + length]
    assert (10 + length) % 64 == 0
    assert header.endswith(b"\n")
    fields = ast.literal_eval(header.decode("latin-1"))
    assert set(fields) == {"descr", "fortran_order", "shape"}
    assert fields["fortran_order"] is False
    letter = {"<f8": "d", "<f4": "f", "<f2": "e"}[fields["descr"]]
    values = [value for (value,) in struct.iter_unpack(f"<{letter}", data[10 + length :])]
    return torch.tensor(values, dtype=torch.float64).view(fields["shape"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_npy_reads_back(dtype: torch.dtype) -> None:
    weight = odd_numbers(dtype)
    assert torch.equal(bits(read_npy(npy_of(weight)).to(dtype).nan_to_num(7.0)), bits(weight.nan_to_num(7.0)))


def test_npy_keeps_the_order_of_a_view() -> None:
    weight = torch.arange(24.0).view(2, 3, 2, 2).transpose(0, 1)
    assert torch.equal(read_npy(npy_of(weight)), weight.double())


@pytest.mark.parametrize("dtype", DTYPES)
def test_csv_reads_back(dtype: torch.dtype) -> None:
    weight = odd_numbers(dtype)
    header, *rows = csv.reader(io.StringIO(csv_of(Kernel(weight, None))))
    assert header == ["tensor", "out", "in", "ky", "kx", "value"]
    again = torch.full(weight.shape, 99.0, dtype=dtype)
    for tensor, *place, value in rows:
        assert tensor == "weight"
        again[tuple(map(int, place))] = torch.tensor(float(value), dtype=dtype)
    assert len(rows) == weight.numel()
    assert torch.equal(bits(again.nan_to_num(7.0)), bits(weight.nan_to_num(7.0)))
    assert torch.equal(again.isnan(), weight.isnan())


@pytest.fixture
def result() -> Study:
    branches = parse_branches("kxk+norm,1x1+norm,identity,3x1")
    return study_of(BlockSpec(kernel_size=(3, 5), branches=branches, post_norm=True))


def test_the_grids_of_the_branches_add_up_to_the_fused_one(result: Study) -> None:
    grids = [grid_of(result, branch.name) for branch in result.summands]
    fused = grid_of(result, FUSED)
    weights = [each.weight for each in grids]
    assert {tuple(each.shape) for each in weights} == {tuple(fused.weight.shape)} == {(2, 2, 3, 5)}
    torch.testing.assert_close(sum(weights[1:], weights[0]).to(fused.weight.dtype), fused.weight)
    assert len({tuple(each.flatten().tolist()) for each in weights}) == len(grids)
    biases = [each.bias for each in grids if each.bias is not None]
    assert fused.bias is not None
    torch.testing.assert_close(sum(biases[1:], biases[0]).to(fused.bias.dtype), fused.bias)


def test_a_kernel_that_a_mistake_made_smaller_stands_in_the_frame() -> None:
    spec = BlockSpec(dilation=(2, 2), branches=parse_branches("kxk,3x3"))
    spoilt = study_of(spec, Alterations(mistake="dilation-dropped"))
    assert spoilt.fused_kernel.kernel.kernel_size < spoilt.frame
    assert grid_of(spoilt, FUSED).weight.shape[2:] == spoilt.frame


@pytest.mark.parametrize("dtype", DTYPES)
def test_npz_and_csv_hold_the_weight_and_the_bias(dtype: torch.dtype) -> None:
    kernel = Kernel(odd_numbers(dtype), torch.tensor([0.1, -3.0], dtype=dtype))
    assert kernel.bias is not None
    with zipfile.ZipFile(io.BytesIO(npz_of(kernel))) as archive:
        parts = {name: read_npy(archive.read(name)).to(dtype) for name in archive.namelist()}
    assert parts.keys() == {"weight.npy", "bias.npy"}
    assert torch.equal(bits(parts["weight.npy"].nan_to_num(7.0)), bits(kernel.weight.nan_to_num(7.0)))
    assert torch.equal(parts["bias.npy"], kernel.bias)
    rows = [row for row in csv.reader(io.StringIO(csv_of(kernel))) if row[0] == "bias"]
    assert [row[1:5] for row in rows] == [["0", "", "", ""], ["1", "", "", ""]]
    assert torch.equal(torch.tensor([float(row[5]) for row in rows], dtype=dtype), kernel.bias)


def test_a_kernel_without_a_bias_has_none_in_its_files() -> None:
    kernel = Kernel(torch.ones(2, 1, 1, 1), None)
    with zipfile.ZipFile(io.BytesIO(npz_of(kernel))) as archive:
        assert archive.namelist() == ["weight.npy"]
    assert "bias" not in csv_of(kernel)


def test_too_large_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.zeros(2, 2, 3, 3)
    monkeypatch.setattr(grid, "MOST_CSV_ROWS", 35)
    monkeypatch.setattr(grid, "MOST_NPY_BYTES", 35)
    with pytest.raises(ExportError, match=r"CSV would have 36 rows, and 35 is the most: take \.npz"):
        csv_of(Kernel(weight, None))
    with pytest.raises(ExportError, match="GiB is the most"):
        npy_of(weight)
