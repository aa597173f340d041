"""What the first paint needs never loads torch, and the engine never loads a screen."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest

pytestmark = pytest.mark.painted
FIRST_PAINT = """
import asyncio, gc, threading
from pathlib import Path
from tui.app import RepFuseApp
from tui.collecting import put_off_collecting

def never(subject):
    never.asked.set()
    never.released.wait()
    return iter(())

never.asked, never.released = threading.Event(), threading.Event()

async def paint():
    app = RepFuseApp(study=never, settings_path=Path("no such file"))
    async with app.run_test(size=(120, 36)) as pilot:
        while not never.asked.is_set():
            await pilot.pause()
        assert "BLOCK" in app.export_screenshot()
        never.released.set()

put_off_collecting()
asyncio.run(paint())
assert gc.isenabled()
assert gc.get_freeze_count()
"""

FIRST_TREE = """
import asyncio, json, struct
from pathlib import Path
from tempfile import TemporaryDirectory
from tui.app import RepFuseApp
from tui.checkpoints.choosing.to_open import ToOpen

def write(path):
    entries = {"stem.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    header = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(24))

async def paint(folder):
    write(folder / "model.safetensors")
    app = RepFuseApp(to_open=ToOpen(folder / "model.safetensors"), settings_path=Path("no such file"))
    import tui.screens.checkpoint.screen as module
    module.REST = 1000
    async with app.run_test(size=(120, 36)) as pilot:
        while "0 blocks" not in app.export_screenshot().replace("&#160;", " "):
            await pilot.pause()
        assert "stem.weight" in app.export_screenshot()

with TemporaryDirectory() as folder:
    asyncio.run(paint(Path(folder)))
"""

EVERY_MODULE_OF_THE_ENGINE = """
import pkgutil, importlib
for name in {0}:
    package = importlib.import_module(f"tui.{{name}}")
    for module in pkgutil.walk_packages(package.__path__, f"tui.{{name}}."):
        importlib.import_module(module.name)
"""
ENGINE = ("fusion", "analysis", "export", "importing")


@cache
def modules_after(code: str) -> frozenset[str]:
    """The modules loaded when the code has run in a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("code", [FIRST_PAINT, FIRST_TREE], ids=["paint", "checkpoint"])
def test_no_torch_before_the_first_paint(code: str) -> None:
    loaded = modules_after(code)
    assert "textual" in loaded
    assert not {name for name in loaded if name.split(".")[0] in {"torch", "numpy", "safetensors"}}


NOT_BEFORE = (
    *("tui.screens.dialogs", "tui.screens.checkpoint", "tui.screens.module", "tui.screens.sweep"),
    *("tui.screens.comparing", "tui.screens.saving_report"),
    *("tui.screens.bench.taking_away", "tui.screens.bench.bringing_back"),
    *(f"tui.views.{view}.view" for view in ("steps", "outputs", "probe", "rounding", "mistakes", "speed")),
    *("tui.analysis.sweep.running", "tui.analysis.speed.report", "tui.analysis.verdict.stored"),
    *(
        "tui.running.sweep",
        "tui.running.sweep_state",
        "tui.widgets.equation",
        "tui.widgets.plot",
        "tui.commands",
    ),
    *("secrets", "statistics"),
)
"""What is imported when a key asks for it, or after the first result."""


def test_nothing_is_imported_before_it_is_needed() -> None:
    loaded = modules_after(FIRST_PAINT)
    assert "tui.views.kernels.view" in loaded
    assert not [name for name in loaded if any(f"{name}.".startswith(f"{late}.") for late in NOT_BEFORE)]


def test_a_preset_is_made_when_it_is_asked_for() -> None:
    code = (
        "import tui.fusion.presets as presets\n"
        "made = [each for each in presets.PRESETS.values() if 'spec' in vars(each)]\n"
        "assert not made, made"
    )
    assert "tui.fusion.presets" in modules_after(code)


def test_garbage_is_collected_after_the_first_paint() -> None:
    """What FIRST_PAINT asserts at its end."""
    assert "tui.collecting" in modules_after(FIRST_PAINT)


def test_the_engine_knows_no_screen() -> None:
    """All its packages in one process, the innermost first."""
    loaded = modules_after(EVERY_MODULE_OF_THE_ENGINE.format(ENGINE))
    assert {"torch", *(f"tui.{package}" for package in ENGINE)} < loaded
    assert not {name for name in loaded if name.split(".")[0] in {"textual", "rich"}}
    assert not {name for name in loaded if name.startswith(("tui.app", "tui.screens", "tui.views"))}
