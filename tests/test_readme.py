"""The README: its commands run, its pictures and its links are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.analysis.speed.made_up import made_up_measure
from tests.analysis.sweep.fake_speed import fake_measure
from tests.checkpoints.small_nets import loaded, saved, trained
from tui.analysis.speed import several
from tui.analysis.speed.several import time_all
from tui.analysis.study import study_of
from tui.analysis.sweep.running import sweep
from tui.cli import main
from tui.command_line.checkpoint_options import COMMANDS
from tui.command_line.options import CHECK, CONFIG, HELP, parse
from tui.command_line.speed_options import SPEED
from tui.command_line.sweep_options import SWEEP
from tui.export.grid import grid_of, npz_of
from tui.export.study_json import study_json_of
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
DIFFERS = {"--mistake", "other.pt"}
"""Of commands that are there to show something wrong, and end with 1."""


MODELS = """
from tests.checkpoints.small_nets import trained


def net():
    return trained().eval()
"""
"""Somebody's own code."""


def commands() -> Iterator[str]:
    """Each line of a shell that starts the program, as far as its own arguments go."""
    for kind, block in re.findall(r"(?ms)^```(sh|console)\n(.*?)^```", TEXT):
        prompt = "$ " if kind == "console" else ""
        for line in block.splitlines():
            if line.startswith(f"{prompt}repfuse-tui"):
                yield line.removeprefix(prompt).split(" | ")[0].strip()


COMMANDS_OF_THE_README = list(dict.fromkeys(commands()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the commands name."""
    made = tmp_path_factory.mktemp("readme")
    saved(made, trained().state_dict(), ".pt", "model")
    assert main(["fuse", str(made / "model.pt"), str(made / "right.safetensors")]) == 0
    other = {name: tensor * 1.5 for name, tensor in loaded(made / "right.safetensors").items()}
    saved(made, other, ".pt", "other")
    (made / "package").mkdir()
    (made / "package" / "models.py").write_text(MODELS, encoding="utf-8")
    study = study_of(PRESETS["repvgg"].spec)
    (made / "fused.npz").write_bytes(npz_of(grid_of(study, "fused")))
    (made / "study.json").write_text(study_json_of(study_of(replace(BlockSpec(), seed=4))), encoding="utf-8")
    return made


def test_there_are_commands() -> None:
    assert len(COMMANDS_OF_THE_README) > 20


@pytest.mark.parametrize("command", COMMANDS_OF_THE_README)
def test_a_command_runs(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("tui.commands.sweep.command.points_of", partial(sweep, measure=fake_measure))
    monkeypatch.setattr(several, "time_all", partial(time_all, measure=made_up_measure))
    _, *arguments = shlex.split(command, comments=True)
    if set(arguments) & {CHECK, CONFIG, HELP, SPEED, SWEEP, *COMMANDS}:
        (folder / "fused.safetensors").unlink(missing_ok=True)
        expected = 1 if DIFFERS & set(arguments) else 0
        assert main(arguments) == expected, capsys.readouterr()
        assert capsys.readouterr().out
    else:
        assert not parse(arguments).check  # it opens the bench


def test_every_picture_and_every_link_is_there() -> None:
    headings = re.findall(r"(?m)^#+ (.+)$", TEXT)
    anchors = {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    targets = re.findall(r"\]\(([^)]+)\)", re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", TEXT))
    assert len(targets) > 5
    for target in targets:
        assert target in anchors if target.startswith("#") else (README.parent / unquote(target)).is_file()
