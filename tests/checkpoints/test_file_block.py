"""A block of a file as what the bench looks at."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoint_files import repvgg, write
from tests.checkpoints.families.every_block import STATES
from tui.analysis.study import study_of
from tui.analysis.subject import Subject
from tui.checkpoints.building import fused_tensors
from tui.checkpoints.errors import CheckpointError
from tui.checkpoints.file_block import FileBlock
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.fusion.specs.block_spec import Dtype


def test_it_is_read_with_the_files_numbers_and_the_eps_that_is_asked_for(tmp_path: Path) -> None:
    state = repvgg("net.0")
    with open_checkpoint(write(tmp_path / "a.safetensors", state)) as checkpoint:
        (found,) = recognise(checkpoint.entries).blocks
        origin = FileBlock(checkpoint, found, eps=0.75)
        assert (origin.title, origin.container) == ("net.0", "a.safetensors")
        assert origin.spec.dtype is Dtype.FLOAT32
        study = study_of(Subject(origin.spec, origin=origin))
    assert study.verdict.ruling.agrees
    dense, norm = state["net.0.rbr_dense.conv.weight"], "net.0.rbr_dense.bn"
    scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + 0.75)
    assert torch.allclose(study.summands[0].kernel.weight.float(), dense * scale.view(-1, 1, 1, 1))


def test_every_batch_norm_gets_the_eps_of_the_spec(tmp_path: Path) -> None:
    with open_checkpoint(write(tmp_path / "a.pt", repvgg("net.0"))) as checkpoint:
        (found,) = recognise(checkpoint.entries).blocks
        origin = FileBlock(checkpoint, found)
        assert origin.spec.eps == found.eps
        norms = [each for each in origin.block(origin.spec).modules() if isinstance(each, nn.BatchNorm2d)]
        assert [norm.eps for norm in norms] == [found.eps] * 3


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        ((torch.float16, torch.float16), Dtype.FLOAT16),
        ((torch.bfloat16, torch.float32), Dtype.FLOAT32),
        ((torch.float16, torch.bfloat16), Dtype.FLOAT32),
        ((torch.float32, torch.float64), Dtype.FLOAT64),
    ],
)
def test_its_dtype_holds_every_number(
    tmp_path: Path, dtypes: tuple[torch.dtype, torch.dtype], expected: Dtype
) -> None:
    state = {
        name: value.to(dtypes["bn" in name or "identity" in name]) if value.is_floating_point() else value
        for name, value in repvgg("net.0").items()
    }
    with open_checkpoint(write(tmp_path / "a.safetensors", state)) as checkpoint:
        (found,) = recognise(checkpoint.entries).blocks
        assert FileBlock(checkpoint, found).spec.dtype is expected


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.safetensors", repvgg("net.0"))
    with open_checkpoint(path) as checkpoint:
        (found,) = recognise(checkpoint.entries).blocks
        origin = FileBlock(checkpoint, found)
        path.unlink()
        with pytest.raises(CheckpointError, match="no longer there"):
            origin.block(origin.spec)


@pytest.mark.parametrize("state", STATES, ids=lambda state: next(iter(state)).removeprefix("b."))
def test_a_block_of_every_kind_can_be_looked_at(tmp_path: Path, state: dict[str, Tensor]) -> None:
    tensors = {name: tensor.clone() for name, tensor in state.items()}
    with open_checkpoint(write(tmp_path / "a.safetensors", tensors)) as checkpoint:
        for found in recognise(checkpoint.entries, conv_bn=True).blocks:
            origin = FileBlock(checkpoint, found)
            study = study_of(Subject(origin.spec, origin=origin))
            assert study.verdict.ruling.agrees, study.verdict.sentence
            fused = fused_tensors(found, study.block)[found.fused[0].name].double().flatten()
            assert torch.equal(study.fused_kernel.kernel.weight.double().flatten(), fused)
