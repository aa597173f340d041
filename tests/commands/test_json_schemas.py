"""The JSON of every command against the JSON Schema beside the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tui.commands
from tests.checkpoints.small_nets import loaded, saved, trained
from tests.commands.on_files import ran

jsonschema = pytest.importorskip("jsonschema")
Capsys = pytest.CaptureFixture[str]


def schema_of(command: str) -> dict[str, Any]:
    room, _, name = command.partition("/")
    path = Path(tui.commands.__file__).parent / room / f"{name}.schema.json".removeprefix(".")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def assert_valid(data: object, command: str) -> None:
    """It is as the schema says, and the schema tells of every key."""
    schema = schema_of(command)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    assert set(untold(data, schema)) == set()


def untold(data: object, schema: dict[str, Any], where: str = "") -> list[str]:
    """The keys that no `properties` tells of, where there are such."""
    if "anyOf" in schema:
        choices = [untold(data, each, where) for each in schema["anyOf"] if each.get("type") != "null"]
        return min(choices, key=len) if choices else []
    if isinstance(data, list):
        return [name for each in data for name in untold(each, schema.get("items", {}), f"{where}[]")]
    if not isinstance(data, dict) or "properties" not in schema or schema.get("additionalProperties"):
        return []
    told = schema["properties"]
    missing = [f"{where}.{name}" for name in data if name not in told]
    deeper = [untold(value, told[name], f"{where}.{name}") for name, value in data.items() if name in told]
    return [*missing, *(name for names in deeper for name in names)]


@pytest.mark.parametrize("name", ["residual", "repvgg", "dbb", "rrrb"])
def test_check_of_a_preset(name: str, capsys: Capsys) -> None:
    data = ran(capsys, "check", "--json", "--preset", name, "--in-channels", "4", "--input-shape", "6x6").data
    assert_valid(data, "check")
    assert data["schema"] == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--mistake", "flipped"),
        ("--dtype", "float64"),
        ("--edit", "input[0,0,0,0]=nan"),
        ("--edit", "kxk.weight[0,0,0,0]=inf"),
        ("--preset", "repvgg", "--in-channels", "4", "--mistake", "eps-1e-3", "--dtype", "bfloat16"),
    ],
    ids=" ".join,
)
def test_check_of_what_is_not_right(options: tuple[str, ...], capsys: Capsys) -> None:
    assert_valid(ran(capsys, "check", "--json", *options).data, "check")


def test_check_of_a_finished_kernel(tmp_path: Path, capsys: Capsys) -> None:
    file = tmp_path / "kernel.txt"
    file.write_text(str([[[[0.5] * 3] * 3] * 2] * 2))
    data = ran(capsys, "check", "--json", "--fused", file).data
    assert_valid(data, "check")
    assert data["stored"]["agree"] is False


def test_the_commands_on_files(tmp_path: Path, capsys: Capsys) -> None:
    path = saved(tmp_path, trained().state_dict(), ".pt")
    fused = tmp_path / "fused.safetensors"
    assert_valid(ran(capsys, "inspect", "--json", path).data, "inspect")
    assert_valid(ran(capsys, "fuse", "--json", path, fused).data, "fuse")
    assert_valid(ran(capsys, "compare", "--json", path, fused).data, "compare")
    assert_valid(ran(capsys, "inspect", "--json", fused).data, "inspect")
    wrong = {name: tensor * 1.5 for name, tensor in loaded(fused).items()}
    given = saved(tmp_path, wrong, ".safetensors", "given")
    data = ran(capsys, "compare", "--json", path, given).data
    assert_valid(data, "compare")
    assert data["agree"] is False


def test_the_commands_on_modules(tmp_path: Path, capsys: Capsys) -> None:
    (tmp_path / "theirs.py").write_text(
        "from torch import nn\nnet = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.ReLU())\n"
    )
    target, fused = f"{tmp_path / 'theirs.py'}:net", tmp_path / "fused.safetensors"
    asked = (target, "--json", "--input", "1x2x4x4")
    assert_valid(ran(capsys, "inspect", *asked).data, "module/inspect")
    assert_valid(ran(capsys, "fuse", target, fused, *asked[1:]).data, "module/fuse")
    assert_valid(ran(capsys, "compare", target, fused, *asked[1:]).data, "compare")
    assert_valid(ran(capsys, "check", *asked, "--block", "0").data, "check")


@pytest.mark.parametrize(
    "command",
    ["check", "inspect", "fuse", "compare", "speed", "sweep", "module/inspect", "module/fuse"],
)
def test_a_schema_refuses_what_lacks_a_key_or_has_another_number(command: str) -> None:
    schema = schema_of(command)
    for data in ({}, dict.fromkeys(schema["required"]) | {"schema": 2}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(data, schema)
