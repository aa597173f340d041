"""`repfuse-tui inspect`: what a file holds, as a table and as JSON, and what it refuses."""

from __future__ import annotations

import math
import os
import pickle
from pathlib import Path

import pytest
import torch

from tests.checkpoints.small_nets import BLOCKS, saved, trained, wrapped
from tests.commands.on_files import ran

Capsys = pytest.CaptureFixture[str]


def test_json_key_by_key(tmp_path: Path, capsys: Capsys) -> None:
    state = trained().state_dict()
    path = tmp_path / "in.pt"
    torch.save(wrapped(state, "model"), path)
    done = ran(capsys, "inspect", path, "--json")
    assert (done.status, done.err) == (0, "")
    data = done.data
    assert list(data) == [
        *("schema", "file", "format", "metadata", "other_values", "blocks", "skipped", "rest"),
        *("tensors", "params", "bytes"),
    ]
    assert (data["schema"], data["file"], data["format"]) == (1, str(path), "torch")
    assert data["other_values"] == ["epoch", "optimizer"]
    assert data["tensors"] == len(state)
    assert data["bytes"] == sum(tensor.nbytes for tensor in state.values())
    assert data["skipped"] == []
    assert [block["name"] for block in data["blocks"]] == [f"model.{name}" for name in BLOCKS]
    block = data["blocks"][1]
    assert list(block) == [
        *("name", "family", "branches", "assumed", "in_channels", "out_channels", "kernel_size", "groups"),
        *("dtype", "eps", "eps_change", "reads", "fused"),
    ]
    assert (block["family"], block["in_channels"], block["out_channels"]) == ("RepVGG", 8, 8)
    assert (block["kernel_size"], block["groups"], block["dtype"], block["eps"]) == (
        [3, 3],
        2,
        "float32",
        1e-5,
    )
    assert block["branches"] == [
        {"name": "rbr_dense", "layers": "3x3-bias+norm"},
        {"name": "rbr_1x1", "layers": "1x1-bias+norm"},
        {"name": "rbr_identity", "layers": "identity+norm"},
    ]
    assert block["fused"] == ["model.body.0.rbr_reparam.weight", "model.body.0.rbr_reparam.bias"]
    assert set(block["reads"]) == {f"model.{name}" for name in state if name.startswith("body.0.")}
    assert [each["what"] for each in block["assumed"]] == ["eps", "stride", "padding", "dilation"]
    variances = [
        tensor for name, tensor in state.items() if name.startswith("body.0.") and "running_var" in name
    ]
    least = min(float(tensor.double().min()) for tensor in variances)
    assert block["eps_change"]["variance"] == least
    assert math.isclose(block["eps_change"]["factor"], math.sqrt((least + 1e-3) / (least + 1e-5)))
    rest = {each["name"]: each for each in data["rest"]}
    assert rest["model.head.weight"] == {
        "name": "model.head.weight",
        "shape": [4, 6],
        "dtype": "float32",
        "params": 24,
        "bytes": 96,
    }
    assert len(rest) == 9


def test_the_table_tells_each_block_and_tensor(tmp_path: Path, capsys: Capsys) -> None:
    done = ran(capsys, "inspect", saved(tmp_path, trained().state_dict(), ".safetensors"), "--eps", "1e-3")
    assert (done.status, done.err) == (0, "")
    for word in (
        *BLOCKS,
        "MobileOne (timm)",
        "4 × 3x3-bias+norm",
        "8 -> 8, 3x3, groups 2",
        "0.001",
        "6×8×1×1",
    ):
        assert word in done.out
    assert "108 tensors" in done.out


def test_what_is_fused_already_is_told(tmp_path: Path, capsys: Capsys) -> None:
    path = saved(tmp_path, trained().state_dict(), ".safetensors")
    ran(capsys, "fuse", path, tmp_path / "out.pt")
    done = ran(capsys, "inspect", tmp_path / "out.pt")
    assert done.status == 0
    assert "no re-parameterizable block was found" in done.out
    assert done.out.count("already fused") == 4


def test_the_family_can_be_said(tmp_path: Path, capsys: Capsys) -> None:
    path = saved(tmp_path, trained().state_dict(), ".pt")
    done = ran(capsys, "inspect", path, "--family", "yolov6", "--json")
    assert {block["family"] for block in done.data["blocks"]} >= {"YOLOv6"}
    refused = ran(capsys, "inspect", path, "--family", "RepVG")
    assert refused.status == 2
    assert "did you mean RepVGG" in refused.err


NAME = "a\x1b[31mred.weight[bold]x[/bold]\n../../etc"


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_names_are_shown_without_markup_or_control_characters(
    tmp_path: Path, capsys: Capsys, suffix: str
) -> None:
    state = dict(trained().state_dict()) | {NAME: torch.zeros(1)}
    done = ran(capsys, "inspect", saved(tmp_path, state, suffix))
    assert "\x1b" not in done.out
    assert r"a\x1b[31mred.weight[bold]x[/bold]\n../../etc" in done.out
    assert NAME in [
        each["name"] for each in ran(capsys, "inspect", tmp_path / f"in{suffix}", "--json").data["rest"]
    ]


def bad_inputs(folder: Path) -> dict[str, tuple[Path, str]]:
    (folder / "text.pt").write_text("hello")
    (folder / "evil.pt").write_bytes(pickle.dumps(os.getcwd))
    (folder / "empty").mkdir()
    (folder / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    return {
        "missing": (folder / "none.safetensors", "is not there"),
        "foreign": (folder / "text.pt", "text.pt"),
        "code": (folder / "evil.pt", "evil.pt"),
        "folder": (folder / "empty", "is a folder"),
        "cut": (folder / "cut.safetensors", "cut.safetensors"),
    }


@pytest.mark.parametrize("command", ["inspect", "fuse", "compare"])
@pytest.mark.parametrize("kind", ["missing", "foreign", "code", "folder", "cut"])
def test_bad_input_is_one_clear_line(tmp_path: Path, capsys: Capsys, kind: str, command: str) -> None:
    path, words = bad_inputs(tmp_path)[kind]
    good = saved(tmp_path, trained().state_dict(), ".safetensors", "good")
    before = {each: each.read_bytes() for each in tmp_path.iterdir() if each.is_file()}
    others = {
        "inspect": [[path]],
        "fuse": [[path, tmp_path / "out.pt"]],
        "compare": [[path, good], [good, path]],
    }
    for files in others[command]:
        done = ran(capsys, command, *files)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("repfuse-tui: ")
        assert done.err.count("\n") == 1
        assert words in done.err
    assert {each: each.read_bytes() for each in tmp_path.iterdir() if each.is_file()} == before
