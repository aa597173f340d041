"""The package as a library: the names that it offers, its types, and the examples of its docstrings."""

from __future__ import annotations

import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import tui
import tui.fusion

WITH_EXAMPLES = [
    "tui",
    "tui.analysis.study",
    "tui.fusion",
    "tui.fusion.block",
    "tui.fusion.grammar.branch_text",
    "tui.fusion.composition",
    "tui.fusion.fill",
    "tui.fusion.kernel",
    "tui.fusion.layers.branch",
    "tui.fusion.specs.padding",
    "tui.fusion.specs.block_spec",
    "tui.fusion.widening",
    "tui.command_line.module_options",
    "tui.modules.finding",
    "tui.modules.finished",
    "tui.modules.fusing",
    "tui.modules.run.loading",
    "tui.modules.whole.model",
    "tui.modules.by_answers.response",
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_hold(name: str) -> None:
    done = doctest.testmod(import_module(name))
    assert done.attempted > 0
    assert done.failed == 0


@pytest.mark.parametrize("package", [tui, tui.fusion], ids=["tui", "tui.fusion"])
def test_every_name_that_is_offered_is_there(package: object) -> None:
    names: list[str] = vars(package)["__all__"]
    assert [name for name in names if not hasattr(package, name)] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("package", ["tui", "tui.fusion"])
def test_the_names_are_listed_before_they_are_used(package: str) -> None:
    listed = f"import {package} as it; print(sorted(set(it.__all__) - set(dir(it))), '__name__' in dir(it))"
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=False)
    assert done.stdout == "[] True\n"


def test_a_name_that_is_not_offered_is_told() -> None:
    with pytest.raises(AttributeError, match="module 'tui' has no attribute 'fusee'"):
        tui.fusee  # type: ignore[attr-defined]  # noqa: B018


def test_the_names_cost_no_torch_before_they_are_used() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import tui, tui.fusion, sys; tui.fusion.BlockSpec(); print('torch' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_the_absence_of_numpy_is_silent() -> None:
    """Also where it is there on this machine: the name is made one that cannot be imported."""
    program = (
        "import sys; sys.modules['numpy'] = None; import tui; tui.study_of(tui.BlockSpec());"
        "print('numpy is', sys.modules['numpy'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "numpy is None\n", "")


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(tui.__file__).parent / "py.typed").is_file()
