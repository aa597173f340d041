"""`check --fused FILE`: a finished kernel is judged by its weights and by outputs, the status says how."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tui.analysis.alterations.alterations import Alterations
from tui.analysis.study import study_of
from tui.cli import main
from tui.export.grid import csv_of, grid_of, npz_of
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import Dtype

SPEC = PRESETS["repvgg"].spec.with_in_channels(8)
POINTED = "it is a checkpoint, the weights of a model, and a saved study or one kernel is expected"
BLOCK = ["check", "--preset", "repvgg", "--in-channels", "8"]


def saved(folder: Path, name: str, mistake: str = "", dtype: Dtype = Dtype.FLOAT32) -> str:
    grid = grid_of(study_of(replace(SPEC, dtype=dtype), Alterations(mistake=mistake)), "fused")
    path = folder / name
    data = csv_of(grid).encode() if name.endswith(".csv") else npz_of(grid)
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("name", ["fused.npz", "fused.csv"])
def test_a_right_kernel_ends_with_0(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BLOCK, "--fused", saved(tmp_path, name)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "The finished kernel is right" in printed
    assert "They agree" in printed


def test_a_wrong_kernel_ends_with_1_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BLOCK, "--json", "--fused", saved(tmp_path, "wrong.npz", "identity-missing")]) == 1
    report = json.loads(capsys.readouterr().out)
    stored = report["stored"]
    assert (report["verdict"], report["agree"]) == ("wrong", False)
    assert (stored["verdict"], stored["dtype"]) == ("wrong", "float32")
    assert stored["beyond"] == 16
    assert stored["taps"] == [[1, 1]]
    assert stored["channels"] == stored["biases"] == list(range(8))
    assert len(stored["first"]) == 8
    assert report["looks_like"]["words"] == "identity missing, exactly"
    assert report["edits"] == 0


def test_what_outputs_hide_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = saved(tmp_path, "eps.npz", "eps-1e-3", Dtype.FLOAT16)
    assert main([*BLOCK, "--dtype", "float16", "--mistake", "eps-1e-3"]) == 1
    assert main([*BLOCK, "--dtype", "float16", "--fused", name]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "It looks like eps 1e-3 for 1e-5, exactly." in printed


def test_the_bias_may_stand_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kernel = study_of(SPEC).fused_kernel.kernel
    assert kernel.bias is not None
    for name, tensor in (("weight.txt", kernel.weight), ("bias.txt", kernel.bias)):
        (tmp_path / name).write_text(str(tensor.double().tolist()))
    weight, bias = str(tmp_path / "weight.txt"), str(tmp_path / "bias.txt")
    assert main([*BLOCK, "--fused", weight, "--fused-bias", bias]) == 0
    assert main([*BLOCK, "--fused", weight]) == 1
    assert main([*BLOCK, "--fused", saved(tmp_path, "fused.npz"), "--fused-bias", bias]) == 2
    assert "has a bias already" in capsys.readouterr().err


def test_a_study_without_one_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BLOCK, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stored"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fused", "nowhere.npy"], "nowhere.npy: there is no such file"),
        (["--fused-bias", "bias.npy"], "give --fused too"),
        (["--fused", "fused.npz", "--mistake", "flipped"], "fused wrongly on purpose"),
        (["--fused", "fused.npz", "--edit", "fused.bias[0]=1"], "fused wrongly on purpose"),
    ],
)
def test_what_cannot_be_judged_ends_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*BLOCK, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_another_shape_is_refused_with_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = saved(tmp_path, "fused.npz")
    assert main(["check", "--preset", "repvgg", "--in-channels", "16", "--fused", name]) == 2
    assert "8×8×3×3, and this block comes to 16×16×3×3" in capsys.readouterr().err
    assert main(["--preset", "repvgg", "--fused", name]) == 2
    assert "only check judges it" in capsys.readouterr().err


@pytest.mark.parametrize("new", [True, False], ids=["zip", "pickle"])
def test_a_checkpoint_is_pointed_to_compare(
    new: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.pt"
    torch.save({"weight": torch.zeros(8, 8, 3, 3)}, path, _use_new_zipfile_serialization=new)
    assert main([*BLOCK, "--fused", str(path)]) == 2
    assert f"net.pt: {POINTED}" in " ".join(capsys.readouterr().err.split())


def test_safetensors_are_pointed_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = b'{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (tmp_path / "net.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    assert main([*BLOCK, "--fused", str(tmp_path / "net.safetensors")]) == 2
    assert f"net.safetensors: {POINTED}" in " ".join(capsys.readouterr().err.split())


def test_only_what_is_read_is_offered_for_a_name_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fused.pt").touch()
    assert main([*BLOCK, "--fused", str(tmp_path / "fused.ptx")]) == 2
    assert "did you mean" not in capsys.readouterr().err
    (tmp_path / "fused.npz").touch()
    assert main([*BLOCK, "--fused", str(tmp_path / "fused.npx")]) == 2
    assert "did you mean fused.npz?" in capsys.readouterr().err
