"""compare of somebody's module with what was made of it: a file of any names, or another module."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.checkpoints.families.held_against import ready, state_of
from tests.checkpoints.families.repvgg_modules import repvgg
from tests.checkpoints.small_nets import loaded, saved
from tests.commands.on_files import Ran, ran
from tui.cli import main

CODE = """
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, name=""):
        super().__init__()
        self.name = name
        if name:
            self.add_module(name, nn.Conv2d(4, 4, 3, padding=1))
        else:
            self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
            self.bn = nn.BatchNorm2d(4)
            self.point = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        if self.name:
            return torch.relu(self.get_submodule(self.name)(x))
        return torch.relu(self.bn(self.conv(x)) + self.point(x) + x)


class Net(nn.Module):
    def __init__(self, name=""):
        super().__init__()
        torch.manual_seed(0)
        norm = nn.Identity() if name else nn.BatchNorm2d(4)
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), norm, nn.ReLU())
        self.stages = nn.ModuleList([Block(name), Block(name)])
        self.group = nn.GroupNorm(1, 4)
        self.after = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 5)
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.is_floating_point():
                nn.init.uniform_(tensor, 0.5, 2.0)

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.head(self.after(self.group(x)).mean((2, 3)))
"""
NET = "their_net.py:Net"
State = dict[str, Tensor]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with somebody's net, and what our own fusion makes of it."""
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "their_net.py").write_text(CODE)
    out = folder / "ours.safetensors"
    assert main(["fuse", f"{folder / 'their_net.py'}:Net", str(out)]) == 0
    return out


@pytest.fixture
def fused(ours: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    """That, in the folder in which the command is typed."""
    monkeypatch.chdir(ours.parent)
    return loaded(ours)


def renamed(state: State, change: Callable[[str], str]) -> State:
    return {change(name): tensor for name, tensor in state.items()}


def in_block(state: State, there: str) -> State:
    """With the fused convolutions of both blocks under that name in them; "": each is the block."""
    made = {}
    for name, tensor in state.items():
        words = name.split(".")
        made[".".join([*words[:2], *filter(None, [there]), words[-1]] if words[0] == "stages" else words)] = (
            tensor
        )
    return made


def compared(
    state: State, folder: Path, capsys: pytest.CaptureFixture[str], *options: str, as_json: bool = True
) -> Ran:
    path = saved(folder, state, ".safetensors", "given")
    return ran(capsys, "compare", NET, path, *options, *["--json"] * as_json)


@pytest.mark.parametrize("name", ["reparam_conv", "rbr_reparam", "conv_kxk", "fused", "", "theirs.deep"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_fused_file_is_right_whatever_it_calls_things(
    fused: State, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, prefix: str
) -> None:
    state = renamed(in_block(fused, name), lambda each: prefix + each)
    done = compared(state, tmp_path, capsys)
    data = done.data
    assert (done.status, data["agree"]) == (0, True), data
    assert [(each["name"], each["family"], each["verdict"]) for each in data["blocks"]] == [
        ("stem.0", "Sequential", "exact"),
        ("stages.0", "Block", "exact"),
        ("stages.1", "Block", "exact"),
    ]
    assert data["renamed"] == {"before": "", "after": prefix}
    assert data["blocks"][1]["weight"].startswith(f"{prefix}stages.0.")
    assert [each["name"] for each in data["skipped"]] == ["group", "after"]
    assert data["left_over"] == []
    assert data["carried"]["same"] == 8 + 1  # the norms' numbers and the head's, and a counter of batches


def test_a_tool_that_fuses_into_one_of_the_branches_is_right(
    fused: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(in_block(fused, "conv"), tmp_path, capsys).status == 0


ONE_BRANCH = """
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, deployed):
        super().__init__()
        if deployed:
            self.reparam_conv = nn.Conv2d(4, 6, 1)
        else:
            one = nn.Sequential(nn.Conv2d(4, 6, 1, bias=False), nn.BatchNorm2d(6))
            self.rbr_conv = nn.ModuleList([one])

    def forward(self, x):
        return (self.reparam_conv if hasattr(self, "reparam_conv") else self.rbr_conv[0])(x).relu()


def net(deployed=False):
    torch.manual_seed(0)
    return nn.Sequential(Block(deployed), nn.Conv2d(6, 5, 1))
"""


def test_a_convolution_in_the_place_of_a_block_of_one_branch_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MobileOne's block is where its channels change: its branch lies two modules deeper."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one_branch.py").write_text(ONE_BRANCH)
    assert main(["fuse", "one_branch.py:net", "ours.safetensors"]) == 0
    state = loaded(tmp_path / "ours.safetensors")
    theirs = renamed(state, lambda each: re.sub(r"^0\.rbr_conv\..*(?=weight|bias)", "0.reparam_conv.", each))
    assert "0.reparam_conv.weight" in theirs
    done = ran(
        capsys, "compare", "one_branch.py:net", saved(tmp_path, theirs, ".safetensors", "theirs"), "--json"
    )
    assert (done.status, done.data["left_over"]) == (0, []), done.data


def test_what_is_wrong_is_told(fused: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = in_block(fused, "reparam_conv")
    state["stages.1.reparam_conv.weight"] = state["stages.1.reparam_conv.weight"].flip(2, 3)
    state["head.bias"] = state["head.bias"] + 1
    done = compared(state, tmp_path, capsys, as_json=False)
    assert done.status == 1
    assert "stages.1: The finished kernel is wrong" in done.words
    assert "looks like: " in done.words
    assert "head.bias" in done.words
    assert "2 of 3 blocks are right, 1 tensor was not carried over" in done.words


def test_a_net_that_is_not_fused_says_so(
    fused: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = ran(capsys, "compare", NET, NET, "--json")
    assert done.status == 1
    assert {each["reason"] for each in done.data["blocks"]} == {
        "it is not fused: its branches are still there"
    }
    assert done.data["left_over"] == []


def test_a_module_that_was_fused_is_taken_for_a_file(
    fused: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(in_block(fused, "ours"), tmp_path / "ours.pt")
    given = ["--given-with", 'name="ours"', "--given-weights", str(tmp_path / "ours.pt")]
    assert ran(capsys, "compare", NET, NET, *given).status == 0
    other = ran(capsys, "compare", NET, NET, *given[:2], "--json").data
    assert [each["verdict"] for each in other["blocks"]] == ["wrong"] * 3


def test_another_model_is_no_fused_one(
    fused: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = compared({"x.other": torch.zeros(2, 2, 5, 5)}, tmp_path, capsys, as_json=False)
    assert done.status == 1
    assert "another model?" in done.words


def test_what_cannot_be_compared_is_one_line(
    fused: State, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, words in (
        (("torch.nn:ReLU", "ours.safetensors", "--input", "1x1x4x4"), "nothing in it can be fused"),
        ((NET, "nothing.safetensors"), "is not there"),
        ((NET, "their_net.py:Nett"), "did you mean Net?"),
    ):
        done = ran(capsys, "compare", *arguments)
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
        assert words in done.err


REPVGG = """
import torch
from torch import nn


class Fused(nn.Module):
    def __init__(self, channels=4, mistaken=False):
        super().__init__()
        self.stem = nn.Module()
        self.stem.rbr_reparam = nn.Conv2d(channels, channels, 3, padding=1)
        self.mistaken = mistaken
        print("it prints")

    def load_state_dict(self, state, *rest, **options):
        if self.mistaken:
            state = {name: tensor + 1 for name, tensor in state.items()}
        return super().load_state_dict(state, *rest, **options)
"""


@pytest.fixture
def repvgg_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A checkpoint, and what our own fusion makes of it, in the folder in which the command is typed."""
    source = saved(tmp_path, state_of(ready(repvgg("RepVGG", 4, 4)), "stem"), ".safetensors", "source")
    (tmp_path / "deployed.py").write_text(REPVGG)
    monkeypatch.chdir(tmp_path)
    fused = tmp_path / "fused.safetensors"
    assert main(["fuse", str(source), str(fused)]) == 0
    return source, fused


@pytest.mark.parametrize(("arguments", "status"), [("4", 0), ("4, mistaken=True", 1)])
def test_a_file_beside_the_module_that_was_made_of_it(
    repvgg_files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], arguments: str, status: int
) -> None:
    source, fused = repvgg_files
    given = ("--given-with", arguments, "--given-weights", fused)
    done = ran(capsys, "compare", source, "deployed.py:Fused", *given, "--json")
    assert done.status == status
    assert [each["verdict"] for each in done.data["blocks"]] == ["wrong" if status else "exact"]


def test_weights_that_do_not_fit_are_told_by_the_option_that_named_them(
    repvgg_files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source, _ = repvgg_files
    given = ("--given-with", "4", "--given-weights", source)
    done = ran(capsys, "compare", source, "deployed.py:Fused", *given)
    assert done.status == 2
    assert f"--given-weights: {source.name} does not fit deployed.py:Fused" in done.err


def test_of_a_module_beside_a_file_what_cannot_be_is_told(
    repvgg_files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source, fused = repvgg_files
    for asked, words in (
        (("none.safetensors", "deployed.py:Fused"), "'none.safetensors' is not there"),
        ((source, "deployed.py:Fusde"), "deployed.py has no Fusde; did you mean Fused"),
        ((source, fused, "--given-with", "4"), "--given-with: FUSED is a file"),
    ):
        done = ran(capsys, "compare", *asked)
        assert done.status == 2
        assert words in done.err
        assert "it prints" not in done.err
