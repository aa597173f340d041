"""tui.explore: the program opened from a script on a module that lives there."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest
import torch

import tui
from tests.modules.small_models import Block, Net
from tui.exploring import ExploreError
from tui.fusion.kernel import FusionError
from tui.modules.run.running import RunError
from tui.on_terminal import NoTerminalError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the terminals of tests are pseudo terminals")

SCRIPT = """
import torch
from tests.modules.small_models import Block, Net, whole_numbers
from tui import explore
torch.manual_seed(0)
explore(whole_numbers(Block()), torch.ones(1, 2, 5, 6))
print("went on", flush=True)
explore(whole_numbers(Net()))
print("to its end")
"""


def test_a_script_goes_on_when_the_program_is_left(tmp_path: Path) -> None:
    """It shows a block, and then a model."""
    from tests.pseudo_terminal import PseudoTerminal

    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with PseudoTerminal(
        [str(script)], tmp_path, PYTHONPATH=os.pathsep.join([str(Path.cwd()), *sys.path])
    ) as terminal:
        terminal.until("what reached it")
        terminal.press(b"q")
        terminal.until("went on")
        terminal.until("3 blocks that can be fused")
        terminal.press(b"q")
        status = terminal.until_it_changes()
        assert b"to its end" in terminal.painted
        assert os.waitstatus_to_exitcode(status) == 0
        assert terminal.modes == terminal.modes_before


async def test_a_running_event_loop_is_told_in_one_line() -> None:
    await asyncio.sleep(0)
    with pytest.raises(ExploreError, match="an event loop is running here, as in Jupyter") as refused:
        tui.explore(Block())
    assert "\n" not in str(refused.value)


def test_another_thread_is_refused() -> None:
    errors: list[Exception] = []

    def work() -> None:
        try:
            tui.explore(Block())
        except ExploreError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


def test_without_a_terminal_what_needs_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    monkeypatch.setattr("tui.on_terminal._in_a_terminal", lambda: False)
    with pytest.raises(NoTerminalError, match="fuse_model"):
        tui.explore(Block())


def test_a_forward_that_raises_never_opens_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr("tui.exploring.refuse_no_terminal", lambda _: None)
    monkeypatch.setattr("tui.exploring.run_on_terminal", lambda **options: opened.append(options))
    with pytest.raises(RunError, match=r"Net's forward failed: .* \(.*small_models\.py:\d+\)"):
        tui.explore(Net().eval(), torch.ones(1, 4, 8, 8))
    with pytest.raises(FusionError, match="int was given, and a module"):
        tui.explore(3)  # type: ignore[arg-type]
    assert opened == []
    tui.explore(Block().eval())
    assert len(opened) == 1
