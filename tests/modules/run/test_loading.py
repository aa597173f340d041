"""Modules out of files and packages; and somebody's code that fails: one message, with its place."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from torch import nn

from tui.modules.fusing import fuse
from tui.modules.run.loading import CancelledError, LoadingError, cancellable, load_module

BLOCKS = """
from torch import nn
from layers_of_mine import pair

class Block(nn.Module):
    def __init__(self, channels, deploy=False, *, size=(3, 3)):
        super().__init__()
        if channels < 1:
            raise ValueError("no channels")
        self.conv, self.bn = pair(channels, size)

    def forward(self, x):
        return self.bn(self.conv(x)) + x

class Outer:
    Inner = Block

def make(count=2):
    return nn.Sequential(*(Block(4) for _ in range(count)))

made = make()
number = 3

def other():
    return "text"

def unreadable():
    import json
    return json.loads("{")  # here

def stops():
    raise SystemExit(2)
"""
LAYERS = """
from torch import nn

def pair(channels, size):
    return nn.Conv2d(channels, channels, size, padding=1, bias=False), nn.BatchNorm2d(channels)
"""


@pytest.fixture
def blocks(tmp_path: Path) -> Path:
    (tmp_path / "blocks.py").write_text(BLOCKS)
    (tmp_path / "layers_of_mine.py").write_text(LAYERS)
    return tmp_path / "blocks.py"


def test_a_class_a_function_and_an_instance(blocks: Path) -> None:
    assert type(load_module(f"{blocks}:Block", "4, size=[3, 3]")).__name__ == "Block"
    assert type(load_module(f"{blocks}:Outer.Inner", "channels=8")).__name__ == "Block"
    made = load_module(f"{blocks}:make", "count=3")
    assert len(list(made.children())) == 3
    assert not made.training
    assert len(list(load_module(f"{blocks}:made").children())) == 2
    assert isinstance(load_module("torch.nn:Identity"), nn.Identity)
    assert fuse(load_module(f"{blocks}:Block", "4")).kernel_size == (3, 3)


@pytest.mark.parametrize(
    ("name", "with_", "message"),
    [
        ("Block", "", r"takes \(channels, deploy=False, \*, size=\(3, 3\)\): missing a required argument"),
        ("Block", "4, depth=2", "unexpected keyword argument 'depth'"),
        ("Block", "0", r"could not be made: ValueError: no channels \(.*blocks\.py:9\)"),
        ("Block", "__import__('os')", "are not arguments: give literals"),
        ("Block", "4)(", "are not arguments"),
        ("Block", "*[4]", "are not arguments"),
        ("Blok", "", "has no Blok; did you mean Block"),
        ("made", "4", "a module already"),
        ("number", "", "is an int: no class"),
        ("other", "", "gives a str, and not an nn.Module"),
        ("unreadable", "", r"could not be made: JSONDecodeError: .*blocks\.py:29\)"),
        ("stops", "", r"could not be made: SystemExit: 2 \(.*blocks\.py:\d+\)"),
    ],
)
def test_what_cannot_be_made(blocks: Path, name: str, with_: str, message: str) -> None:
    with pytest.raises(LoadingError, match=message):
        load_module(f"{blocks}:{name}", with_)


def test_of_a_package_that_is_none_no_place_is_told() -> None:
    with pytest.raises(LoadingError, match=r"No module named 'no_such_package'$"):
        load_module("no_such_package.blocks:Block")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import torch\nimport no_such_package\n", r"No module named 'no_such_package' \(.*bad\.py:2\)"),
        ("def broken(:\n", r"SyntaxError: .*\(.*bad\.py:1\)"),
        ("\n\nraise RuntimeError('at\\nonce')", r"RuntimeError: at once \(.*bad\.py:3\)"),
    ],
)
def test_what_cannot_be_imported(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(LoadingError, match=message):
        load_module(f"{tmp_path / 'bad.py'}:Block")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nothing.py:Block", "there is no file nothing.py"),
        ("no_such_package.blocks:Block", "No module named 'no_such_package'"),
        ("Block", "names no module"),
        ("torch.nn:", "names no module"),
        ("torch.nn:Conv2d; quit", "names no module"),
    ],
)
def test_what_there_is_not(target: str, message: str) -> None:
    with pytest.raises(LoadingError, match=message):
        load_module(target)


def test_a_loop_for_ever_is_given_up() -> None:
    begun = threading.Event()
    ended = threading.Event()

    def forever() -> None:
        try:
            while True:
                begun.set()
                time.sleep(0.001)
        finally:
            ended.set()

    with pytest.raises(CancelledError, match="still running"):
        cancellable(forever, begun.is_set)
    assert ended.wait(20)


def test_what_ends_is_handed_on() -> None:
    assert cancellable(lambda: 3, lambda: False) == 3
    with pytest.raises(ZeroDivisionError):
        cancellable(lambda: 1 // 0, lambda: False)
