"""What the program does to its terminal, whichever way it ends; seen from the other side of a pty."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pty", allow_module_level=True)

from tests.pseudo_terminal import NORMAL, PseudoTerminal
from tui.app import RepFuseApp
from tui.commands.exit_status import BAD_INPUT
from tui.terminal.signals import ENDING, dying_by_signals

BENCH = ("-m", "tui")
PAINTED = "BLOCK"
ALTERNATE_SCREEN = b"\x1b[?1049h"

HANGING = """
import time
from textual.app import App
import tui.terminal.signals
tui.terminal.signals.PATIENCE = 0.3

class Hanging(App):
    def on_ready(self):
        self._driver.write("HANGING")
        while True:
            time.sleep(0.01)

app = Hanging()
with tui.terminal.signals.dying_by_signals(app):
    app.run()
"""

LOADING = """
import sys, time
from tui.__main__ import run

class Announce:
    def find_spec(self, name, path=None, target=None):
        if name == {0!r}:
            print("LOADING", flush=True)
            time.sleep(60)

sys.meta_path.insert(0, Announce())
run()
"""


def name_of(number: int) -> str:
    return signal.Signals(number).name


def assert_left_as_found(terminal: PseudoTerminal) -> None:
    assert terminal.modes == terminal.modes_before
    assert {number: terminal.private_modes().get(number) for number in NORMAL} == NORMAL
    assert b"Traceback" not in terminal.painted
    assert b"Error" not in terminal.painted


@pytest.mark.parametrize(
    ("number", "when"),
    [
        *((number, PAINTED) for number in ENDING),
        (signal.SIGTERM, ALTERNATE_SCREEN),
        (signal.SIGINT, ALTERNATE_SCREEN),
    ],
    ids=lambda part: name_of(part) if isinstance(part, int) else "bench" if part == PAINTED else "blank",
)
def test_a_signal_puts_the_terminal_back_and_then_ends_the_program(
    tmp_path: Path, number: int, when: str | bytes
) -> None:
    with PseudoTerminal(BENCH, tmp_path) as terminal:
        terminal.until(when)
        terminal.kill(number)
        status = terminal.until_it_changes()
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == number
        assert_left_as_found(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=name_of)
def test_a_program_that_hangs_puts_the_terminal_back_too(tmp_path: Path, number: int) -> None:
    with PseudoTerminal(("-c", HANGING), tmp_path) as terminal:
        terminal.until("HANGING")
        terminal.kill(number)
        status = terminal.until_it_changes()
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == number
        assert_left_as_found(terminal)


@pytest.mark.parametrize("module", ["tui.on_terminal", "tui.app", "textual.app"])
def test_ctrl_c_while_the_program_is_loaded_gives_no_traceback(tmp_path: Path, module: str) -> None:
    with PseudoTerminal(("-c", LOADING.format(module)), tmp_path) as terminal:
        terminal.until("LOADING")
        terminal.press(b"\x03")
        status = terminal.until_it_changes()
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGINT
        assert b"Traceback" not in terminal.painted
        assert terminal.modes == terminal.modes_before


def test_the_program_ends_when_its_terminal_goes_away(tmp_path: Path) -> None:
    terminal = PseudoTerminal(BENCH, tmp_path)
    with terminal:
        terminal.until(PAINTED)
        terminal.hang_up()
        status = terminal.until_it_changes()
        assert os.WIFSIGNALED(status)
        assert os.WTERMSIG(status) == signal.SIGHUP


def test_a_program_that_is_stopped_goes_on_and_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    """From outside; by Ctrl+Z, which gives the terminal back meanwhile; in a dialog too."""
    with PseudoTerminal(BENCH, tmp_path) as terminal:
        terminal.until(PAINTED)
        terminal.kill(signal.SIGSTOP)
        assert os.WIFSTOPPED(terminal.until_it_changes())
        terminal.painted = b""
        terminal.kill(signal.SIGCONT)
        terminal.until(PAINTED)
        terminal.press(b"\x1a")
        assert os.WIFSTOPPED(terminal.until_it_changes())
        assert_left_as_found(terminal)
        terminal.painted = b""
        terminal.kill(signal.SIGCONT)
        terminal.until(PAINTED)
        assert terminal.private_modes()["1049"]
        terminal.press(b"?")
        terminal.until("Help")
        terminal.press(b"\x1a")
        assert os.WIFSTOPPED(terminal.until_it_changes())
        terminal.painted = b""
        terminal.kill(signal.SIGCONT)
        terminal.until("Help")
        terminal.kill(signal.SIGTERM)
        assert os.WIFSIGNALED(terminal.until_it_changes())
        assert_left_as_found(terminal)


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_terminal_without_a_cursor_gets_one_line_and_no_escape_sequence(
    tmp_path: Path, term: str | None
) -> None:
    with PseudoTerminal(BENCH, tmp_path, TERM=term) as terminal:
        status = terminal.until_it_changes()
        assert os.WEXITSTATUS(status) == BAD_INPUT
        assert b"\x1b" not in terminal.painted
        assert terminal.painted.count(b"\n") == 1
        assert b"needs a terminal that can place text" in terminal.painted


def test_check_needs_no_cursor(tmp_path: Path) -> None:
    with PseudoTerminal((*BENCH, "check"), tmp_path, TERM="dumb") as terminal:
        assert terminal.until_it_changes() == 0
        assert b"\x1b" not in terminal.painted
        assert b"They agree" in terminal.painted


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_gets_characters_that_it_has_and_may_send_bytes_that_are_none(
    tmp_path: Path, encoding: str
) -> None:
    with PseudoTerminal(BENCH, tmp_path, PYTHONIOENCODING=encoding) as terminal:
        terminal.until("fused")
        assert b"\\u" not in terminal.painted
        if encoding == "ascii":
            assert terminal.painted.isascii()
        else:
            assert "3×3".encode(encoding) in terminal.painted
        if encoding == "latin-1":
            assert "3×3".encode() not in terminal.painted
        terminal.press(b"\xfc")
        terminal.press(b"?")
        terminal.until("Help")
        terminal.kill(signal.SIGTERM)
        assert os.WIFSIGNALED(terminal.until_it_changes())
        assert_left_as_found(terminal)


# In this process


def test_signals_that_are_ignored_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with dying_by_signals(RepFuseApp()):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert callable(signal.getsignal(signal.SIGTERM))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_an_app_that_ends_before_its_screen_is_mounted_ends_in_peace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = RepFuseApp(settings_path=tmp_path / "settings.json")
    bench = RepFuseApp.get_default_screen

    def ended(app: RepFuseApp) -> object:
        app.exit()
        return bench(app)

    monkeypatch.setattr(RepFuseApp, "get_default_screen", ended)
    await app.run_async(headless=True)
    assert app.return_code == 0
