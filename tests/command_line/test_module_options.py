"""What the command line asks of somebody's module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.command_line.module_options import (
    CheckModuleRequest,
    FuseModuleRequest,
    InspectModuleRequest,
    ModuleRequest,
    ModuleSource,
    OpenModuleRequest,
    is_module_like,
)
from tui.command_line.option_parser import OptionsError
from tui.command_line.options import parse

TARGET = "blocks.py:Block"
EVERYTHING = ModuleSource(
    "package.models:Net.small", "channels=64, deploy=False", Path("net.pt"), example=Path("x.npy")
)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((TARGET,), OpenModuleRequest(ModuleSource(TARGET))),
        ((TARGET, "--device", "cuda"), OpenModuleRequest(ModuleSource(TARGET), device="cuda")),
        ((TARGET, "fused.pt"), OpenModuleRequest(ModuleSource(TARGET), Path("fused.pt"))),
        (
            (TARGET, "--with", "4", "a.b:Fused", "--given-with", "8", "--given-weights", "fused.pt"),
            OpenModuleRequest(
                ModuleSource(TARGET, "4"),
                ModuleSource(
                    "a.b:Fused",
                    "8",
                    Path("fused.pt"),
                    arguments_option="--given-with",
                    weights_option="--given-weights",
                ),
            ),
        ),
        (
            ("check", TARGET, "--device", "mps"),
            CheckModuleRequest(ModuleSource(TARGET), None, as_json=False, device="mps"),
        ),
        ((TARGET, "--input", "1x64x32x30"), OpenModuleRequest(ModuleSource(TARGET, input=(1, 64, 32, 30)))),
        (("inspect", TARGET, "--json"), InspectModuleRequest(ModuleSource(TARGET), as_json=True)),
        (
            (
                *(
                    "fuse",
                    "--with=channels=64, deploy=False",
                    "package.models:Net.small",
                    "--weights",
                    "net.pt",
                ),
                *("out.safetensors", "--example", "x.npy", "--force"),
            ),
            FuseModuleRequest(EVERYTHING, Path("out.safetensors"), force=True, as_json=False),
        ),
    ],
)
def test_what_is_asked_for(arguments: tuple[str, ...], expected: ModuleRequest) -> None:
    assert parse(arguments).module == expected


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        (TARGET, True),
        ("some/where/blocks.py:Block", True),
        ("package:name", True),
        ("package.module:name.attribute", True),
        ("model.safetensors", False),
        ("C:\\model.pt", False),
        ("package.module", False),
        ("blocks.py", False),
        ("blocks.py:", False),
        (":name", False),
        ("blocks.py:not a name", False),
        ("--preset:x", False),
    ],
)
def test_what_is_taken_for_a_module(word: str, is_one: bool) -> None:
    assert is_module_like(word) is is_one


def test_a_file_of_such_a_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b").write_bytes(b"")
    request = parse(["a:b"])
    assert request.module is None
    assert request.checkpoint is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((TARGET, "--inptu", "3"), "--inptu: there is no such option for a module; did you mean --input?"),
        ((TARGET, "--input", "64x32"), "as 1x64x32x32, not '64x32'"),
        ((TARGET, "--input", "0x1x1x1"), "as 1x64x32x32"),
        ((TARGET, "--input", "9999x9999x9999x9"), "more than"),
        ((TARGET, "--input", "1x1x1x1", "--example", "x.npy"), "leave one of them out"),
        ((TARGET, "fused.pt", "other.pt"), "'other.pt': there is no place for it"),
        ((TARGET, "--given-with", "4"), "--given-with: FUSED is missing"),
        ((TARGET, "fused.pt", "--given-with", "4"), "--given-with: FUSED is a file"),
        (("inspect", TARGET, "other"), "'other': there is no place for it"),
        ((TARGET, "--device", "cuda:x"), "--device: must be cpu, cuda, cuda:1 or mps, not 'cuda:x'"),
        (("fuse", TARGET), "OUT: the name of a file is missing"),
        (("--preset", "repvgg", TARGET), "must come first"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(OptionsError) as refused:
        parse(arguments)
    assert words in str(refused.value).replace('"', "'")


@pytest.mark.parametrize(
    "arguments", [(TARGET, "-h"), ("fuse", TARGET, "--help"), ("inspect", "--help", TARGET)]
)
def test_the_help_says_that_code_is_run(arguments: tuple[str, ...]) -> None:
    text = parse(arguments).text
    assert text is not None
    assert "This runs the code" in text
    assert "nothing else" in text


def test_the_programs_help_says_so_too() -> None:
    text = parse(["--help"]).text
    assert text is not None
    assert "it runs your code" in text
    assert "nothing else here runs code of others" in " ".join(text.split())
