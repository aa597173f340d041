"""What is written while it is folded is what is written afterwards, and nothing of it is left behind."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.checkpoints.conversion.test_fusing import fused_file
from tests.checkpoints.families.held_against import ready, state_of
from tests.checkpoints.families.repvgg_modules import repvgg
from tests.checkpoints.small_nets import loaded, saved, trained, wrapped
from tui.checkpoints.conversion import fusing
from tui.checkpoints.conversion.fused import FusedCheckpoint
from tui.checkpoints.conversion.fused_file import FusedFile
from tui.checkpoints.conversion.fused_writing import WrongBlockError, write_fused
from tui.checkpoints.conversion.fusing import Wishes, fuse
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.fusion.kernel import FusionError

QUICK = Wishes(on_image=False, jobs=2)


def state() -> dict[str, Tensor]:
    """Blocks of several kinds, one of them of many strips, and others between."""
    wide = state_of(ready(repvgg("RepVGG", 95, 95)).float(), "wide")
    return dict(trained().state_dict()) | wide | {"seen too": torch.arange(3)}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def write_while_folding(path: Path, target: Path, wishes: Wishes = QUICK, *, wrong_too: bool = False) -> None:
    with open_checkpoint(path) as source:
        found = recognise(source.entries)
        with FusedFile(source, found, target) as output:
            *_, fused = fuse(source, found, wishes, output)
            assert isinstance(fused, FusedCheckpoint)
            write_fused(source, fused, target, wrong_too=wrong_too, output=output)


@pytest.mark.parametrize("wishes", [QUICK, Wishes()], ids=["by strips", "on an image"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_it_is_byte_by_byte_what_is_written_afterwards(tmp_path: Path, suffix: str, wishes: Wishes) -> None:
    path = saved(tmp_path, state(), suffix)
    if suffix == ".pt":
        torch.save(wrapped(state(), "model"), path)
    write_while_folding(path, tmp_path / "one.safetensors", wishes)
    with open_checkpoint(path) as source:
        *_, fused = fuse(source, recognise(source.entries), wishes)
        assert isinstance(fused, FusedCheckpoint)
        write_fused(source, fused, tmp_path / "other.safetensors")
    assert (tmp_path / "one.safetensors").read_bytes() == (tmp_path / "other.safetensors").read_bytes()
    assert len(names_in(tmp_path)) == 3


def test_nothing_is_left_where_a_block_is_wrong_or_the_work_is_ended(tmp_path: Path) -> None:
    spoilt = state()
    spoilt["wide.rbr_dense.conv.weight"][0] = torch.nan
    path, target = saved(tmp_path, spoilt, ".safetensors"), tmp_path / "out.safetensors"
    with pytest.raises(WrongBlockError):
        write_while_folding(path, target)
    with open_checkpoint(path) as source:
        found = recognise(source.entries)
        with FusedFile(source, found, target) as output:
            steps = fuse(source, found, QUICK, output)
            next(steps)
            steps.close()  # type: ignore[attr-defined]
    assert names_in(tmp_path) == {"in.safetensors"}


def test_a_block_that_cannot_be_fused_after_all_keeps_its_tensors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room was made for its fused tensors: the others are taken over from there into another file."""
    path, target = saved(tmp_path, state(), ".safetensors"), tmp_path / "out.safetensors"
    expected = loaded(fused_file(path, replace(QUICK)))

    def refuse(*_: object) -> None:
        raise FusionError("not this one")

    monkeypatch.setattr(fusing, "fold_general", refuse)  # body.2 alone is not plain
    target.unlink()
    write_while_folding(path, target, wrong_too=True)
    made = loaded(target)
    assert "body.2.dbb_origin.conv.weight" in made
    there = [name for name in expected if not name.startswith("body.2")]
    assert all(torch.equal(made[name], expected[name]) for name in there)
    assert len(names_in(tmp_path)) == 2


@pytest.mark.skipif(not hasattr(os, "pwrite"), reason="this system writes otherwise")
def test_a_disk_that_fills_up_on_the_way_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, state(), ".safetensors")
    write = os.pwrite

    def write_or_fail(file: int, data: bytes, start: int) -> int:
        if start > 100_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data, start)

    monkeypatch.setattr(os, "pwrite", write_or_fail)
    with pytest.raises(CheckpointError, match=r"'out\.safetensors' was not written.*no space left"):
        write_while_folding(path, tmp_path / "out.safetensors")
    assert names_in(tmp_path) == {"in.safetensors"}


def test_what_is_still_folded_cannot_write_into_a_file_that_was_let_go(tmp_path: Path) -> None:
    path = saved(tmp_path, state(), ".safetensors")
    with open_checkpoint(path) as source:
        found = recognise(source.entries)
        output = FusedFile(source, found, tmp_path / "out.safetensors")
        output.begin()
        output.discard()
        output.discard()
        with pytest.raises(CheckpointError, match="no longer written to"):
            output.put(found.blocks[0].fused[1], 0, torch.zeros(8))


def test_what_was_let_go_before_it_was_begun_is_never_begun(tmp_path: Path) -> None:
    path = saved(tmp_path, state(), ".safetensors")
    with open_checkpoint(path) as source:
        output = FusedFile(source, recognise(source.entries), tmp_path / "out.safetensors")
        output.discard()
        with pytest.raises(CheckpointError, match="no longer written to"):
            output.begin()
    assert names_in(tmp_path) == {"in.safetensors"}
