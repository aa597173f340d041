"""A list of options whose page keys wait for a page, and which keeps its lines while it is out of sight."""

from __future__ import annotations

from typing import Any, Literal

from textual.events import Resize
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widgets import OptionList


class PagedOptionList(OptionList):
    """An OptionList that ignores page up and page down while there is no room for a single line of it.

    Textual's own looks the highlighted option up among lines that it has not laid out then, and ends the
    program by a KeyError: in a terminal that is too low, or while the view around it is still coming.

    And it draws each option anew after any Resize, which comes, too, whenever the view around it comes back
    into sight: here only lines of another width are. What is highlighted stays in sight.
    """

    def __init__(self, *options: Any, **how: Any) -> None:
        self._width_of_lines = 0
        self._size_before = Size()
        super().__init__(*options, **how)

    def _move_page(self, direction: Literal[-1, 1]) -> None:
        if self.scrollable_content_region:
            super()._move_page(direction)

    def _on_resize(self, event: Resize) -> None:  # type: ignore[override]
        event.prevent_default()
        self._draw_anew_in_another_width()
        if event.size and event.size != self._size_before:
            self._size_before = event.size
            self.scroll_to_highlight()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Those of now: a scroll bar may have come or gone without a Resize."""
        self._draw_anew_in_another_width()
        return super().render_lines(crop)

    def _draw_anew_in_another_width(self) -> None:
        width = self.scrollable_content_region.width
        if width and width != self._width_of_lines:  # it is 0 out of sight
            self._width_of_lines = width
            self._clear_caches()
