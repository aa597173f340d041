"""`repfuse-tui compare`: exit status, JSON, and the words of the table."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.checkpoints.small_nets import BLOCKS, loaded, saved, trained
from tests.commands.on_files import ran
from tui.commands import progress

Capsys = pytest.CaptureFixture[str]


def files(folder: Path, capsys: Capsys) -> tuple[Path, dict[str, Tensor]]:
    """The net, and what our own fusion makes of it."""
    path = saved(folder, trained().state_dict(), ".pt")
    ran(capsys, "fuse", path, folder / "right.pt")
    return path, loaded(folder / "right.pt")


def test_all_right(tmp_path: Path, capsys: Capsys) -> None:
    path, _ = files(tmp_path, capsys)
    done = ran(capsys, "compare", path, tmp_path / "right.pt")
    assert (done.status, done.err) == (0, "")
    assert "4 of 4 blocks are right, and all else was carried over" in done.out
    assert done.out.count("exact") == 4


def test_json_key_by_key(tmp_path: Path, capsys: Capsys) -> None:
    path, state = files(tmp_path, capsys)
    state["body.1.reparam_conv.weight"][3, 0, 2, 1] += 1
    state["head.bias"][0] += 0.25
    state["head.weight"] = state["head.weight"].half()
    del state["seen"]
    del state["neck.plain_norm.num_batches_tracked"]
    state["more"] = torch.zeros(2)
    done = ran(capsys, "compare", path, saved(tmp_path, state, ".safetensors", "given"), "--json")
    assert done.status == 1
    data = done.data
    assert list(data) == [
        *("schema", "agree", "blocks", "skipped", "renamed", "renamed_otherwise", "carried", "left_over"),
    ]
    assert (data["schema"], data["agree"], data["skipped"]) == (1, False, [])
    assert data["renamed"] == {"before": "", "after": ""}
    assert data["left_over"] == ["more"]
    assert data["carried"] == {
        "same": 5,
        "cast": [{"name": "head.weight", "how": "rounded once to float16"}],
        "changed": [{"name": "head.bias", "how": "1 of 4 numbers differs, by 0.25 at most"}],
        "missing": [{"name": "seen", "how": "is not there"}],
        "not_needed": [
            {
                "name": "neck.plain_norm.num_batches_tracked",
                "how": "is not there; nothing is computed with it",
            }
        ],
    }
    assert [(block["name"], block["verdict"]) for block in data["blocks"]] == [
        (name, "wrong" if name == "body.1" else "exact") for name in BLOCKS
    ]
    block = data["blocks"][2]
    assert list(block) == [
        *("name", "family", "branches", "assumed", "weight", "bias", "verdict", "reason", "looks_like"),
        *("dtype", "weight_share", "max_abs_diff", "wrong"),
    ]
    assert (block["weight"], block["bias"]) == ("body.1.reparam_conv.weight", "body.1.reparam_conv.bias")
    assert block["dtype"] == "float32"
    assert block["weight_share"] > 1000
    assert abs(block["max_abs_diff"] - 1) < 1e-5
    assert block["looks_like"]["mistakes"] == []
    wrong = block["wrong"]
    assert (wrong["numbers"], wrong["of"], wrong["channels"]) == (1, 80, [3])
    assert (wrong["biases"], wrong["taps"]) == ([], [[2, 1]])
    (first,) = wrong["first"]
    assert (first["tensor"], first["index"]) == ("weight", [3, 0, 2, 1])
    assert abs(first["given"] - first["right"] - 1) < 1e-5


def test_the_table_says_what_is_wrong_and_what_it_looks_like(tmp_path: Path, capsys: Capsys) -> None:
    path, state = files(tmp_path, capsys)
    state["stem.rbr_reparam.bias"].zero_()
    state["body.0.rbr_reparam.weight"] = state["body.0.rbr_reparam.weight"].flip(2, 3)
    state["head.bias"][0] += 0.25
    state["m\x1b[31more"] = torch.zeros(2)
    done = ran(capsys, "compare", path, saved(tmp_path, state, ".safetensors", "given"))
    assert done.status == 1
    for words in (
        "stem: The finished kernel is wrong: ",
        "biases alone",
        "looks like: the whole bias lost, exactly",
        "looks like: kernel flipped, exactly",
        "other tensors: 8 same, 1 changed",
        "head.bias 1 of 4 numbers differs, by 0.25 at most",
        "left over in the other file: m\\x1b[31more",
        "2 of 4 blocks are right, 1 tensor was not carried over, 1 name is left over",
    ):
        assert words in done.words, words
    assert "\x1b" not in done.out


def test_it_says_which_of_a_model_and_its_average_was_compared(tmp_path: Path, capsys: Capsys) -> None:
    files(tmp_path, capsys)
    path = tmp_path / "both.pt"
    torch.save({"ema": trained(seed=1).state_dict(), "model": trained().state_dict()}, path)
    done = ran(capsys, "compare", path, tmp_path / "right.pt")
    assert done.status == 0
    told = "the first file's model. was compared: by the names ema. fits as well, its numbers are the nearest"
    assert told in done.words
    data = ran(capsys, "compare", path, tmp_path / "right.pt", "--json").data
    assert data["renamed"] == {"before": "model.", "after": ""}
    assert data["renamed_otherwise"] == [{"before": "ema.", "after": ""}]


def test_progress_goes_on_while_the_other_tensors_are_compared(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = files(tmp_path, capsys)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    lines = ran(capsys, "compare", path, tmp_path / "right.pt").err.splitlines()
    assert [line.partition(", ")[2] for line in lines[:5]] == [
        *(f"block {place} of 4: {name}" for place, name in enumerate(BLOCKS, 1)),
        "tensor 1 of 9: seen",
    ]
    shares = [int(line.removeprefix("comparing: ").partition("%")[0]) for line in lines]
    assert shares == sorted(shares)
    assert shares[4] > shares[3] > shares[0] == 0


def test_eps_of_the_other_tool(tmp_path: Path, capsys: Capsys) -> None:
    path, _ = files(tmp_path, capsys)
    ran(capsys, "fuse", path, tmp_path / "other.pt", "--eps", "1e-3")
    done = ran(capsys, "compare", path, tmp_path / "other.pt")
    assert done.status == 1
    assert done.words.count("looks like: eps 1e-3 for 1e-5, exactly") == 4
    assert ran(capsys, "compare", path, tmp_path / "other.pt", "--eps", "1e-3").status == 0


def test_the_files_the_other_way_round_are_told(tmp_path: Path, capsys: Capsys) -> None:
    path, _ = files(tmp_path, capsys)
    done = ran(capsys, "compare", tmp_path / "right.pt", path)
    assert (done.status, done.out) == (2, "")
    assert "it is fused already: give the file with the branches first" in done.err
