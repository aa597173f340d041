"""Some rows of a tensor are those of the whole one, however the checkpoint is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.checkpoints.samples import library_save, same_bits
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.held_tensors import HeldTensors
from tui.checkpoints.opening import open_checkpoint

TENSORS = {
    "first": torch.arange(7.0),
    "weight": torch.arange(120).reshape(10, 2, 2, 3).to(torch.bfloat16),
    "turned": torch.arange(24.0).reshape(4, 6).T,
}


def safetensors(folder: Path) -> Checkpoint:
    library_save(folder / "m.safetensors", {name: each.contiguous() for name, each in TENSORS.items()})
    return open_checkpoint(folder / "m.safetensors")


def torch_file(folder: Path) -> Checkpoint:
    torch.save(TENSORS, folder / "m.pt")
    return open_checkpoint(folder / "m.pt")


def shards(folder: Path) -> Checkpoint:
    for name, tensor in TENSORS.items():
        library_save(folder / f"{name}.safetensors", {name: tensor.contiguous()})
    weight_map = {name: f"{name}.safetensors" for name in TENSORS}
    path = folder / "m.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": weight_map}))
    return open_checkpoint(path)


def held(folder: Path) -> Checkpoint:
    return HeldTensors(TENSORS, str(folder))


@pytest.mark.parametrize("kept", [safetensors, torch_file, shards, held])
@pytest.mark.parametrize(("start", "stop"), [(0, 1), (2, 5), (0, None), (-1, None)])
@pytest.mark.parametrize("name", TENSORS)
def test_some_rows_are_those_of_the_whole(
    tmp_path: Path, kept: Callable[[Path], Checkpoint], name: str, start: int, stop: int | None
) -> None:
    expected = TENSORS[name][start:stop]
    target = torch.full(expected.shape, 99, dtype=expected.dtype)
    with kept(tmp_path) as checkpoint:
        checkpoint.read_rows(name, start % len(TENSORS[name]), target)
    assert same_bits(target, expected)
