"""`serve` in a real browser: keys, clicks, sizes, copies, downloads, two tabs, the end.

They need Playwright and a Chromium: pip install -e ".[test,web-test]", and the system's own Chromium.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tui
from tests.commands.serve.browser_tab import Tab, open_tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Download

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZE = {"width": 1200, "height": 700}
SHOTS = os.environ.get("REPFUSE_BROWSER_PICTURES")
"""A folder for a picture of each step, for who wants to look at them."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server runs."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """Where the program is served."""
    launcher = Path(tui.__file__).with_name("launcher.py")
    settings = folder.parent / f"{folder.name}-settings"
    environment = {**os.environ, "XDG_CONFIG_HOME": str(settings), "PYTHONPATH": ""}
    command = [sys.executable, "-P", str(launcher), "serve", "--port", "0", "--weights", "integers"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        words = process.stdout.readline()
        assert words.startswith("repfuse-tui is at ")
        yield words.split()[3].rstrip(";")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser."""
    made = browser.new_context(viewport=SIZE, accept_downloads=True)
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    yield made
    made.close()


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Callable[[Tab, str], None]:
    """Keeps a picture of the tab, where that is wished."""

    def keep(tab: Tab, name: str) -> None:
        if SHOTS is not None:
            tab.page.screenshot(path=Path(SHOTS) / f"{request.node.name}-{name}.png")

    return keep


def test_a_tab_from_its_first_screen_to_its_last(
    context: BrowserContext, url: str, folder: Path, look: Callable[[Tab, str], None]
) -> None:
    downloads: list[Download] = []
    context.on("page", lambda page: page.on("download", lambda made: downloads.append(made)))
    tab = open_tab(context, url)
    tab.shows("the algebra is right")
    assert "1 Kernels" in tab.lines[0]
    assert tab.lines[-1].rstrip().endswith("q quit")
    assert "2 walks through it step by step" in tab.lines[-1]  # where there are no settings yet
    look(tab, "start")

    tab.press("ArrowRight")
    tab.shows("tap (1,2)")
    column, row = tab.place_of("k×k conv ──")
    tab.click(*tab.place_of("out 0"))
    tab.click(column + 5, row + 2)
    tab.shows("tap (0,0)")

    tab.press("2")
    tab.shows("play")
    assert "play" in tab.lines[-1]
    look(tab, "steps")
    tab.click(*tab.place_of("5 Rounding"))
    tab.shows("bfloat16")
    look(tab, "rounding")
    tab.press("1")

    tab.page.set_viewport_size({"width": 760, "height": 460})
    tab.shows("max |d|")
    tab.shows("q quit", last=True)
    assert len(tab.lines) < 26
    look(tab, "narrow")
    tab.page.set_viewport_size(SIZE)
    tab.shows("max |fused")

    tab.press("Control+z")
    tab.shows("no shell to go back to")

    tab.press("x", "2", "Enter")
    tab.shows("Copied: Fused conv")
    tab.page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('Conv2d')")
    assert tab.page.evaluate("navigator.clipboard.readText()") == "nn.Conv2d(2, 2, 3, padding=1)\n"
    look(tab, "copied")

    tab.press("x", "4", "f")
    tab.shows("enter downloads it")
    tab.press("Enter")
    tab.shows("kxk.npz goes to your browser")
    while not downloads:
        tab.page.wait_for_timeout(50)
    assert downloads[0].suggested_filename == "kxk.npz"
    assert downloads[0].path().read_bytes()[:2] == b"PK"
    assert list(folder.iterdir()) == []
    look(tab, "downloaded")

    tab.press("q")
    tab.page.locator(".closed-dialog").wait_for(state="visible")
    look(tab, "ended")


def test_two_tabs_are_two_programs(context: BrowserContext, url: str) -> None:
    first, second = open_tab(context, url), open_tab(context, url)
    first.shows("the algebra is right")
    second.shows("the algebra is right")
    first.page.bring_to_front()
    first.press("2")
    first.shows("play")
    assert "play" not in second.lines[-1]
    first.page.close()
    second.page.bring_to_front()
    second.press("5")
    second.shows("bfloat16")
