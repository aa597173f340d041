"""A list of options: its page keys while it has no page, and when its lines are drawn anew."""

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


async def test_lines_are_drawn_anew_for_another_width_only() -> None:
    app = OneList(4)
    async with app.run_test(size=(40, 20)) as pilot:
        options = app.query_one(PagedOptionList)
        long = "many words that stand in two lines where there is little room"
        options.set_options([long])
        app.set_focus(None)
        await pilot.pause()
        first = options.render_line(0)
        for shown in (False, True):
            options.display = shown
            await pilot.pause()
        assert options.render_line(0) is first
        await pilot.resize_terminal(30, 20)
        await pilot.pause()
        assert options.render_line(0).cell_length < first.cell_length
        assert options.virtual_size.height == 3
