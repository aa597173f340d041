"""Valid checkpoints, damaged at random: cut short, or with bits flipped."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch

from tests.checkpoints.samples import library_save, small_state_dict
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.plan import carried
from tui.checkpoints.writing import format_for, write_checkpoint

MOST_FLIPS = 4


def valid_files(folder: Path) -> dict[str, bytes]:
    """One file of each format, by what it is called."""
    tensors = small_state_dict()
    nested = {"epoch": 3, "state_dict": tensors, "optimizer": {"state": {0: {"step": torch.ones(2)}}}}
    library_save(folder / "valid.safetensors", tensors, {"format": "pt"})
    torch.save(nested, folder / "valid.pt")
    torch.save(nested, folder / "valid.legacy", _use_new_zipfile_serialization=False)
    return {path.suffix[1:]: path.read_bytes() for path in folder.glob("valid.*")}


def damaged(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """So many damaged ones: every other is cut short, the others have some bits flipped."""
    draw = random.Random(seed)
    for number in range(count):
        if number % 2:
            yield data[: draw.randrange(len(data))]
            continue
        changed = bytearray(data)
        for _ in range(draw.randint(1, MOST_FLIPS)):
            # half of them in the first bytes, where headers are
            place = draw.randrange(len(data) if draw.random() < 0.5 else min(len(data), 400))
            changed[place] ^= 1 << draw.randrange(8)
        yield bytes(changed)


def damaged_pickles(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """So many archives whose pickle is damaged and whose checksums are right: torch itself must read them."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(each for each in members if each.endswith("/data.pkl"))
    for pickle in damaged(members[name], count, seed):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for member, content in (members | {name: pickle}).items():
                archive.writestr(member, content)
        yield packed.getvalue()


def outcome(data: bytes, folder: Path) -> str:
    """What comes of opening these bytes, reading all tensors and writing them again: "read" or a message.

    Every error that is not a CheckpointError is raised. The input must stay as it is, and no part be left.
    """
    path, output = folder / "damaged", folder / "output.pt"
    path.write_bytes(data)
    try:
        with open_checkpoint(path) as checkpoint:
            _use(checkpoint, output)
        result = "read"
    except CheckpointError as error:
        result = str(error)
    assert path.read_bytes() == data, "the input was changed"
    output.unlink(missing_ok=True)
    left = {each.name for each in folder.iterdir()} - {"damaged"}
    assert not left, f"left behind: {left}"
    return result


def _use(checkpoint: Checkpoint, output: Path) -> None:
    for name, entry in checkpoint.entries.items():
        tensor = checkpoint.tensor(name)
        assert tuple(tensor.shape) == entry.shape
        assert sum(len(piece) for piece in checkpoint.pieces(name)) == entry.bytes
    plan = [carried(entry) for entry in checkpoint.entries.values()]
    for path in (output, output.with_suffix(".safetensors")):
        write_checkpoint(checkpoint, plan, path, format=format_for(path))
        path.unlink()
