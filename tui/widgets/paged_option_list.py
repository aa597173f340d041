"""A list of options whose page keys wait until it has a page."""

from __future__ import annotations

from typing import Literal

from textual.widgets import OptionList


class PagedOptionList(OptionList):
    """An OptionList that ignores page up and page down while there is no room for a single line of it.

    Textual's own looks the highlighted option up among lines that it has not laid out then, and ends the
    program by a KeyError: in a terminal that is too low, or while the view around it is still coming.
    """

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        if self.scrollable_content_region:
            super()._move_page(direction)
