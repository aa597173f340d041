"""check of a block of somebody's module: the report of check, on what reaches the block."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.module.test_comparing import CODE
from tests.commands.on_files import ran

Capsys = pytest.CaptureFixture[str]
NET = "their_net.py:Net"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_net.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)


def test_a_module_that_is_one_block(capsys: Capsys) -> None:
    done = ran(capsys, "check", "torch.nn:Conv2d", "--with", "4, 8, 3, padding=1", "--input", "2x4x9x7")
    assert done.status == 0
    assert "2 x 4 x 9 x 7, the example" in done.out
    assert "torch.nn:Conv2d" in done.out


def test_a_block_runs_on_all_that_reached_it(capsys: Capsys) -> None:
    done = ran(capsys, "check", NET, "--block", "stages.1", "--input", "2x3x10x72", "--json")
    data = done.data
    assert (done.status, data["agree"]) == (0, True)
    assert (data["spec"]["batch_size"], data["spec"]["input_shape"]) == (2, [8, 70])
    assert (data["origin"]["title"], data["origin"]["container"]) == ("stages.1", NET)
    assert "runs on what reached it in that run" in data["origin"]["remarks"]
    told = ran(capsys, "check", NET, "--block", "stages.1", "--input", "2x3x10x12").out
    (dense,) = (line for line in told.splitlines() if line.startswith(" conv "))
    assert dense.endswith("batch norm")


def test_it_runs_on_the_device_that_was_named(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.commands.module.checking.device_named", lambda _: None)
    done = ran(capsys, "check", NET, "--block", "stem.0", "--device", "cuda:99")
    assert done.status == 2
    assert "this block could not be run: device 'cuda:99' is not here" in done.err


def test_without_an_input_it_is_random_as_of_a_preset(capsys: Capsys) -> None:
    done = ran(capsys, "check", NET, "--block", "stem.0")
    assert done.status == 0
    assert "1 x 3 x 9 x 9, random" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((NET,), "it is not one convolution"),
        ((NET,), "--block takes one of stem.0, stages.0, stages.1"),
        ((NET, "--block", "stages.2"), "has no block 'stages.2'; did you mean stages.1?"),
        ((NET, "--block", "after"), "--block: after: not fused with what is before it"),
        (
            ("torch.nn:Conv2d", "--with", "4, 8, 3", "--block", "conv"),
            "it is one block as a whole: leave --block out",
        ),
    ],
)
def test_a_block_that_there_is_not(arguments: tuple[str, ...], words: str, capsys: Capsys) -> None:
    done = ran(capsys, "check", *arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert words in done.err
