"""A checkpoint in several files is one; an index that does not fit its files is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.checkpoints.samples import library_save, same_bits, small_state_dict
from tui.checkpoints.contents import Format
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.formats import shards
from tui.checkpoints.opening import open_checkpoint

TENSORS = small_state_dict()
FILES = ("m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors")
NAMES = list(TENSORS)
MAP = {NAMES[2]: FILES[1], NAMES[0]: FILES[0], NAMES[1]: FILES[1]}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    library_save(tmp_path / FILES[0], {NAMES[0]: TENSORS[NAMES[0]]}, {"format": "pt"})
    library_save(tmp_path / FILES[1], {name: TENSORS[name] for name in NAMES[1:]}, {"format": "np", "b": "c"})
    return with_map(tmp_path, MAP)


def with_map(folder: Path, weight_map: object) -> Path:
    path = folder / "m.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}))
    return path


def test_it_is_read_as_one(index: Path) -> None:
    with open_checkpoint(index) as checkpoint:
        assert list(checkpoint.entries) == list(MAP)
        assert checkpoint.format is Format.SAFETENSORS
        assert checkpoint.metadata == {"format": "np", "b": "c"}  # of the shard that is named first
        assert [path.name for path in checkpoint.paths] == [index.name, FILES[1], FILES[0]]
        for name, tensor in TENSORS.items():
            assert same_bits(checkpoint.tensor(name), tensor)
            assert sum(map(len, checkpoint.pieces(name))) == tensor.nbytes
    with pytest.raises(CheckpointError, match="was closed"):
        checkpoint.tensor(NAMES[0])


@pytest.mark.parametrize(
    ("weight_map", "words"),
    [
        (MAP | {"more": FILES[0]}, r"has 'more' in 'm-00001-of-00002.safetensors', where it is not"),
        ({NAMES[0]: FILES[0], NAMES[1]: FILES[1]}, "has 'stem.bn.num_batches_tracked', of which the index"),
        (MAP | {NAMES[0]: FILES[1]}, "has 'stem.conv.weight' in 'm-00002"),
        (MAP | {"a": "gone"}, r"'gone' is not there: .* \(a shard of 'm.safetensors.index.json'\)"),
        (MAP | {"a": "../m"}, r"has '../m' for a shard: a file beside it is expected"),
        (MAP | {"a": "/etc/passwd"}, r"has '/etc/passwd' for a shard"),
        (MAP | {"a": ".."}, r"has '..' for a shard"),
        (MAP | {"a": 3}, 'has no "weight_map" of names and files'),
        ([1], 'has no "weight_map"'),
    ],
)
def test_an_index_that_does_not_fit_is_refused(index: Path, weight_map: object, words: str) -> None:
    with_map(index.parent, weight_map)
    with pytest.raises(CheckpointError, match=words):
        open_checkpoint(index)


def test_a_damaged_shard_is_named(index: Path) -> None:
    shard = index.with_name(FILES[1])
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"'m-00002-of-00002.safetensors' is cut short.*shard of"):
        open_checkpoint(index)


def test_a_shard_of_torch_is_told(index: Path) -> None:
    torch.save(TENSORS, index.with_name("a.bin"))
    with_map(index.parent, dict.fromkeys(TENSORS, "a.bin"))
    with pytest.raises(CheckpointError, match=r"'a.bin' is a file of torch.save: .* \(a shard of"):
        open_checkpoint(index)


def test_too_much_is_refused(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MOST_SHARDS", 1)
    with pytest.raises(CheckpointError, match="has 2 shards, and 1 is the most"):
        open_checkpoint(index)
    monkeypatch.setattr(shards, "MOST_INDEX", 10)
    with pytest.raises(CheckpointError, match="bytes of JSON, and 10 is the most"):
        open_checkpoint(index)
