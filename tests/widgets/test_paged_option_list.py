"""The page keys of a list of options, while it has no page."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.widgets import OptionList

from tui.widgets.paged_option_list import PagedOptionList


class OneList(App[None]):
    """A list of ten, highlighted at the third, of the given height."""

    def __init__(self, height: int) -> None:
        super().__init__()
        self._height = height

    def compose(self) -> ComposeResult:
        options = PagedOptionList(*map(str, range(10)))
        options.styles.border = ("none", "black")
        options.styles.height = self._height
        yield options


@pytest.mark.parametrize("key", ["pageup", "pagedown"])
async def test_page_keys_wait_until_there_is_a_page(key: str) -> None:
    app = OneList(0)
    async with app.run_test() as pilot:
        options = app.query_one(OptionList)
        options.focus()
        options.highlighted = 2
        await pilot.press(key)
        assert options.highlighted == 2
        options.styles.height = 4
        await pilot.pause()
        await pilot.press(key)
        assert options.highlighted == {"pageup": 0, "pagedown": 6}[key]
