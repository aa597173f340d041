"""What the command line asks of checkpoint files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.checkpoints.contents import Format
from tui.cli import main
from tui.command_line.checkpoint_options import (
    COMMANDS,
    CheckpointRequest,
    CompareRequest,
    FuseRequest,
    InspectRequest,
    OpenRequest,
    Reading,
)
from tui.command_line.option_parser import OptionsError
from tui.command_line.options import parse

A, B = Path("a.safetensors"), Path("b.pt")
PLAIN = Reading()
EVERYTHING = Reading(1e-3, "YOLOv6", conv_bn=True)
READ_SO = ("--eps", "1e-3", "--family=YOLOv6", "--conv-bn")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("a.safetensors",), OpenRequest(A)),
        (("a.safetensors", "b.pt", *READ_SO), OpenRequest(A, B, EVERYTHING)),
        (("a.safetensors", "--device", "MPS"), OpenRequest(A, device="mps")),
        (("some/where",), OpenRequest(Path("some/where"))),
        (("model.safetensors.index.json",), OpenRequest(Path("model.safetensors.index.json"))),
        (("inspect", "a.safetensors"), InspectRequest(A, PLAIN, as_json=False)),
        (("inspect", *READ_SO, "a.safetensors", "--json"), InspectRequest(A, EVERYTHING, as_json=True)),
        (("inspect", "check"), InspectRequest(Path("check"), PLAIN, as_json=False)),
        (
            ("fuse", "a.safetensors", "b.pt"),
            FuseRequest(A, B, PLAIN, None, force=False, jobs=None, as_json=False),
        ),
        (
            ("fuse", "--force", "b.pt", "--format", "PT", *READ_SO, "--jobs", "3", "a.safetensors", "--json"),
            FuseRequest(B, A, EVERYTHING, Format.TORCH, force=True, jobs=3, as_json=True),
        ),
        (
            ("compare", "a.safetensors", "--json", "b.pt", *READ_SO),
            CompareRequest(A, B, EVERYTHING, as_json=True),
        ),
    ],
)
def test_what_is_asked_for(arguments: tuple[str, ...], expected: CheckpointRequest) -> None:
    assert parse(arguments).checkpoint == expected


def test_a_name_alone_is_a_file_where_it_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionsError, match="model: there is no such command"):
        parse(["model"])
    Path("model").write_bytes(b"")
    assert parse(["model"]).checkpoint == OpenRequest(Path("model"))
    Path("check").write_bytes(b"")
    assert parse(["check"]).checkpoint is None  # the word comes first; ./check is the file
    assert parse(["./check"]).checkpoint == OpenRequest(Path("check"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fusee", "a.pt"), ("fusee: ", "no such command", "did you mean fuse")),
        (("--seed", "3", "fuse", "a.pt", "b.pt"), ("fuse: must come first",)),
        (("--eps", "1e-3", "a.pt"), ("a.pt: must come first",)),
        (("check", "a.pt"), ("a.pt: must come first: repfuse-tui a.pt ...", "repfuse-tui inspect a.pt")),
        (("inspect",), ("IN: ", "missing")),
        (("inspect", ""), ("IN: ", "missing")),
        (("fuse", "a.pt"), ("OUT: ", "missing")),
        (("compare", "a.pt"), ("FUSED: ", "missing")),
        (("fuse", "a.pt", "b.pt", "c.pt"), ("'c.pt'", "fuse takes two files")),
        (("inspect", "a.pt", "b.pt"), ("'b.pt'", "inspect takes one file")),
        (("a.pt", "b.pt", "c.pt"), ("'c.pt'", "two files")),
        (("inspect", "a.pt", "--jsn"), ("--jsn: inspect has no such option", "did you mean --json")),
        (("a.pt", "--json"), ("--json: opening a checkpoint has no such option",)),
        (("a.pt", "--seed", "3"), ("--seed: opening a checkpoint has no such option",)),
        (("a.pt", "--device", "gpu"), ("--device: must be cpu, cuda, cuda:1 or mps, not 'gpu'",)),
        (("inspect", "a.pt", "--device", "cpu"), ("--device: inspect has no such option",)),
        (("compare", "a.pt", "b.pt", "--force"), ("--force: compare has no such option",)),
        (("fuse", "a.pt", "b.pt", "--eps"), ("--eps: expected one argument",)),
        (("fuse", "a.pt", "b.pt", "--eps", "x"), ("--eps: must be a number", "'x'")),
        (("fuse", "a.pt", "b.pt", "--eps", "-1e-5"), ("--eps: must be", "'-1e-5'")),
        (("fuse", "a.pt", "b.pt", "--eps=-1"), ("--eps: must be", "'-1'")),
        (("fuse", "a.pt", "b.pt", "--eps", "nan"), ("--eps: must be", "'nan'")),
        (("fuse", "a.pt", "b.pt", "--jobs", "0"), ("--jobs: must be a number from 1 to 64", "'0'")),
        (("fuse", "a.pt", "b.pt", "--jobs", "two"), ("--jobs: must be", "'two'")),
        (("fuse", "a.pt", "b.pt", "--format", "safetensor"), ("--format: must be one of", "did you mean s")),
        (("fuse", "a.pt", "b.pt", "--\x1b[31m"), ("no such option",)),
    ],
)
def test_a_mistake_is_named(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    with pytest.raises(OptionsError) as caught:
        parse(arguments)
    problem = str(caught.value)
    assert problem.isprintable()
    assert all(word in problem for word in words), problem


@pytest.mark.parametrize("command", COMMANDS)
def test_each_has_a_help_of_its_own(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = parse([command, "--help"]).text
    assert text is not None
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 80
    assert f"repfuse-tui {command} IN" in text
    assert "exit status" in text
    assert command in (parse(["--help"]).text or "")


def test_without_a_terminal_inspect_is_recommended(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["a.pt"]) == 2
    assert "repfuse-tui inspect" in capsys.readouterr().err


def test_a_file_that_begins_as_an_option_is_told_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-model.pt").touch()
    with pytest.raises(OptionsError, match=r"-model.pt: inspect has no such option; the file is ./-model.pt"):
        parse(["inspect", "-model.pt"])
