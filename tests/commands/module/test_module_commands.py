"""inspect and fuse on somebody's module, and what its code may do to them."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from tui.checkpoints.opening import open_checkpoint
from tui.cli import main

CODE = """
import sys
import time
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.point = nn.Conv2d(channels, channels, 1, stride)
        torch.manual_seed(0)
        for tensor in (*self.parameters(), self.bn.running_mean):
            nn.init.normal_(tensor)
        nn.init.uniform_(self.bn.running_var, 0.5, 2.0)

    def forward(self, x):
        print("[red]it prints")
        return self.bn(self.conv(x)) + self.point(x)


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), Block(4), nn.ReLU6())


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)


class Raises(Odd):
    def forward(self, x):
        raise ValueError("[bold]no \\x1b[31m")  # here


class Tuple(Odd):
    def forward(self, x):
        return self.conv(x), x


class Leaves(Odd):
    def forward(self, x):
        sys.exit(0)


class Big(Odd):
    def forward(self, x):
        return torch.empty(10**14)


class Deep(Odd):
    def forward(self, x):
        return self.forward(x)


class Loops(Odd):
    def forward(self, x):
        print("it loops", flush=True)
        while True:
            time.sleep(0.01)


lazy = nn.Sequential(nn.LazyConv2d(4, 3))


def three():
    return 3
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with somebody's code, in which the command is typed."""
    (tmp_path / "their_blocks.py").write_text(CODE)
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "misspelt.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line in which that is refused."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = [line for line in printed.err.splitlines() if "it prints" not in line]
    assert len(lines) == 1
    assert "\x1b" not in lines[0]
    return lines[0]


@pytest.mark.parametrize("target", ["their_blocks.py:Net", "their_blocks:Net"])
def test_inspect_lists_blocks_and_why_the_whole_is_none(
    here: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    assert main(["inspect", target, "--json"]) == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert [(block["path"], block["fused"]) for block in report["blocks"]] == [
        ("0", "3 -> 4, 3x3"),
        ("3", "4 -> 4, 3x3"),
    ]
    assert "ReLU6" in report["why_not"]
    assert "[red]it prints" in printed.err


def test_inspect_prints_a_table(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "their_blocks.py:Block", "--with", "4, stride=2", "--input", "1x4x9x9"]) == 0
    printed = capsys.readouterr().out
    assert "(all of it)   4 -> 4, 3x3        conv: conv, bn; point" in printed


def test_fuse_writes_what_loads_and_gives_the_same(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuse", "their_blocks.py:Block", "out.safetensors", "--with", "4"]) == 0
    assert (
        "1 of 1 blocks fused and verified, 0 left alone; written to out.safetensors"
        in capsys.readouterr().out
    )
    with open_checkpoint(here / "out.safetensors") as file:
        conv = torch.nn.Conv2d(4, 4, 3, padding=1)
        conv.load_state_dict({name: file.tensor(name) for name in file.entries})
    sys.path.insert(0, str(here))
    try:
        from their_blocks import Block  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(here))
    x = torch.randn(2, 4, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(conv.double()(x), Block(4).eval().double()(x), rtol=1e-5, atol=1e-5)
    capsys.readouterr()
    assert "is there already; --force replaces it" in refused(
        capsys, "fuse", "their_blocks.py:Block", "out.safetensors", "--with", "4"
    )


@pytest.mark.parametrize("name", ["out.pt", "out.bin"])
def test_what_is_written_is_what_its_name_says(
    here: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["fuse", "their_blocks.py:Block", name, "--with", "4"]) == 0
    assert list(torch.load(here / name, weights_only=True)) == ["weight", "bias"]
    capsys.readouterr()
    told = refused(capsys, "fuse", "their_blocks.py:Block", "out.onnx", "--with", "4")
    assert "'out.onnx' would be no .onnx file: end its name on .safetensors or .pt" in told
    assert not (here / "out.onnx").exists()


def test_weights_and_an_example_are_taken(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    torch.save(state, here / "w.pt")
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4, 8, 8), }"
    header += b" " * (117 - len(header)) + b"\n"
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(4 * 256)
    (here / "x.npy").write_bytes(data)
    assert main(["inspect", "their_blocks.py:Block", "--with=4", "--example", "x.npy"]) == 0
    capsys.readouterr()
    assert "w.pt does not fit their_blocks.py:Net: Missing key(s)" in refused(
        capsys, "inspect", "their_blocks.py:Net", "--weights", "w.pt"
    )
    for weights, words in (
        ("none.pt", "'none.pt' is not there"),
        ("their_blocks.py", "'their_blocks.py' is no"),
    ):
        assert words in refused(capsys, "inspect", "their_blocks.py:Net", "--weights", weights)
    assert "to have 3 channels, but got 4" in refused(
        capsys, "inspect", "their_blocks.py:Net", "--example", "x.npy"
    )
    assert "--example: nothing.npy: there is no such file" in refused(
        capsys, "inspect", "their_blocks.py:Net", "--example", "nothing.npy"
    )


def test_weights_of_a_training_file_are_those_that_fit(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sys.path.insert(0, str(here))
    try:
        from their_blocks import Block
    finally:
        sys.path.remove(str(here))
    state = Block(4).state_dict()
    optimizer = {"state": {0: {"exp_avg": torch.ones(3)}}}
    torch.save({"optimizer": optimizer, "model": state, "epoch": 3}, here / "w.pt")
    block = ("their_blocks.py:Block", "--with", "4", "--weights", "w.pt")
    assert main(["inspect", *block]) == 0
    capsys.readouterr()
    torch.save({"model": state, "ema": {"module": state}, "optimizer": optimizer}, here / "w.pt")
    assert "w.pt holds several that fit, model and ema.module: save" in refused(capsys, "inspect", *block)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("broken:x", "importing broken failed: ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("misspelt.py:x", "misspelt.py:1"),
        ("their_blocks.py:Blok", "did you mean Block?"),
        ("their_blocks.py:Block", "missing a required argument: 'channels'"),
        ("their_blocks.py:three", "gives an int, and not an nn.Module"),
        ("their_blocks.py:Raises", r"ValueError: [bold]no \x1b[31m"),
        ("their_blocks.py:Raises", f"their_blocks.py:{CODE[: CODE.index('# here')].count(chr(10)) + 1}"),
        ("their_blocks.py:Leaves", "left the program: exit(0)"),
        ("their_blocks.py:Big", "out of memory"),
        ("their_blocks.py:Deep", "RecursionError"),
    ],
)
def test_what_their_code_does_wrong_is_told_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], target: str, words: str
) -> None:
    assert words in refused(capsys, "inspect", target)


def test_a_module_without_sizes_is_told_in_one_line_by_what_runs_nothing_of_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for asked in (("fuse", "their_blocks.py:lazy", "o.pt"), ("compare", "w.pt", "their_blocks.py:lazy")):
        torch.save({"0.weight": torch.ones(3, 3, 3, 3)}, here / "w.pt")
        assert "0.weight has no size yet" in refused(capsys, *asked)


def test_a_module_that_gives_a_tuple_is_a_tree(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "their_blocks.py:Tuple"]) == 0
    assert "it gives a tuple, and not one image" in capsys.readouterr().out
    assert "nothing in it can be fused" in refused(capsys, "fuse", "their_blocks.py:Tuple", "out.safetensors")
    assert not (here / "out.safetensors").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("command", [("inspect",), ()], ids=["inspect", "open"])
def test_ctrl_c_ends_a_forward_that_loops_for_ever(here: Path, command: tuple[str, ...]) -> None:
    arguments = [*command, "their_blocks.py:Loops"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[3])]), "TEXTUAL_DRIVER": "a:b"},
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        while line and b"it loops" not in line:
            line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode in (-signal.SIGINT, 130)
    assert b"Traceback" not in rest


@pytest.mark.skipif(sys.platform == "win32", reason="the terminals of tests are pseudo terminals")
@pytest.mark.parametrize(
    ("target", "shown"),
    [("Net", "2 blocks that can be fused"), ("Raises", "ValueError")],
)
def test_the_terminal_is_sane_after_their_code(here: Path, target: str, shown: str) -> None:
    from tests.pseudo_terminal import PseudoTerminal

    arguments = ["-m", "tui", f"{here / 'their_blocks.py'}:{target}"]
    with PseudoTerminal(arguments, here) as terminal:
        terminal.until(shown)
        if target == "Net":
            assert b"it prints" in terminal.painted.partition(b"\x1b[?1049h")[0]
            terminal.press(b"q")
        status = terminal.until_it_changes()
        assert os.waitstatus_to_exitcode(status) == (0 if target == "Net" else 2)
        assert terminal.modes == terminal.modes_before
        assert b"Traceback" not in terminal.painted


@pytest.mark.parametrize("form", ["exported-program", "torchscript"])
def test_a_program_is_written_that_runs_without_their_code(
    here: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    asked = ["fuse", "their_blocks.py:Block", "out.pt", "--with", "4", "--input", "1x4x6x7", "--as", form]
    assert main(asked) == 0
    path = here / "out.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its older format deprecated
        program = (
            torch.export.load(path).module() if form == "exported-program" else torch.jit.load(path)  # type: ignore[no-untyped-call]
        )
        assert program(torch.zeros(3, 4, 6, 8)).shape == (3, 4, 6, 8)
    assert "tried with another batch, height, width" in capsys.readouterr().out
    assert "is there already" in refused(capsys, *asked)


def test_what_torch_cannot_export_is_one_line_and_no_file(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("it cannot\nbe done")

    monkeypatch.setattr(torch.export, "export", fails)
    asked = ("fuse", "their_blocks.py:Block", "out.pt2", "--with", "4", "--as", "exported-program")
    assert "torch cannot: RuntimeError: it cannot be done" in refused(capsys, *asked)
    assert not (here / "out.pt2").exists()
