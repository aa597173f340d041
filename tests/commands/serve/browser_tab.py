"""A tab of a real browser in which the program is open, read as its terminal has it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PATIENCE = 60.0
"""Seconds for what should be there; torch is imported in them, on a machine that others may share."""

FIND_TERMINAL = """
Object.defineProperty(Object.prototype, "terminal", {
  configurable: true,
  set(value) {
    Object.defineProperty(this, "terminal", {value, writable: true, configurable: true, enumerable: true});
    if (value && value.buffer) window.terminalOfThisPage = value;
  },
});
"""
"""textual-serve's script keeps its terminal to itself, which draws its text on a canvas."""

READ_TERMINAL = """() => {
  const terminal = window.terminalOfThisPage;
  if (!terminal) return [];
  const lines = [];
  for (let row = 0; row < terminal.rows; row++)
    lines.push(terminal.buffer.active.getLine(row)?.translateToString(true, 0, terminal.cols) ?? "");
  return lines;
}"""


@dataclass(frozen=True)
class Tab:
    """One tab."""

    page: Page

    @property
    def lines(self) -> list[str]:
        """What its terminal shows."""
        lines: list[str] = self.page.evaluate(READ_TERMINAL)
        return lines

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    def shows(self, words: str, *, last: bool = False) -> None:
        """Wait until it shows these words, in its last line where that is asked.

        Raises:
            AssertionError: it does not.
        """
        end = time.monotonic() + PATIENCE
        while words not in (self.lines or [""])[-1] if last else words not in self.text:
            assert time.monotonic() < end, f"{words!r} is not shown:\n{self.text}"
            self.page.wait_for_timeout(50)

    def press(self, *keys: str) -> None:
        """Type these keys, as Playwright names them."""
        for key in keys:
            self.page.keyboard.press(key)

    def place_of(self, words: str) -> tuple[int, int]:
        """Column and row of the first place where these words are shown."""
        return next((line.index(words), row) for row, line in enumerate(self.lines) if words in line)

    def click(self, column: float, row: float) -> None:
        """Click the middle of a character."""
        box = self.page.locator(".xterm-screen").bounding_box()
        columns, rows = self.page.evaluate("[terminalOfThisPage.cols, terminalOfThisPage.rows]")
        assert box is not None
        x = box["x"] + (column + 0.5) * box["width"] / columns
        y = box["y"] + (row + 0.5) * box["height"] / rows
        self.page.mouse.click(x, y)


def open_tab(context: BrowserContext, url: str) -> Tab:
    """A new tab with the page."""
    page = context.new_page()
    page.add_init_script(FIND_TERMINAL)
    page.goto(url)
    return Tab(page)
