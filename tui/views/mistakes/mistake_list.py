"""The gallery of mistakes as a list: which is made, which fit the difference, which cannot be made."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets.option_list import Option

from tui.analysis.alterations.gallery import MISTAKES, obstacle
from tui.fusion.specs.block_spec import BlockSpec
from tui.widgets.paged_option_list import PagedOptionList

RIGHT = "none: fused rightly"
NAMES = ("", *MISTAKES)
"""The entries in their order; the first stands for no mistake."""

MADE, ALIKE, IMPOSSIBLE = "●", "≈", "–"


class MistakeList(PagedOptionList):
    """Posts OptionHighlighted and OptionSelected, as any OptionList."""

    DEFAULT_CSS = """
    MistakeList {
        width: 44; height: 1fr; padding: 0 0 0 1; background: transparent;
        border: none; border-right: solid $border-blurred;
        text-wrap: nowrap; text-overflow: ellipsis;
        scrollbar-size-vertical: 1; scrollbar-color: $border; scrollbar-background: $background;
        &:focus { background-tint: transparent; border: none; border-right: solid $border-blurred; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False, id="mistakes.down"),
        Binding("k", "cursor_up", "Up", show=False, id="mistakes.up"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        options = [Option(_entry(name, " "), id=name or None) for name in NAMES]
        super().__init__(*options, id=id, markup=False)
        self._marks = [" "] * len(NAMES)

    @property
    def name_under_cursor(self) -> str:
        """The mistake that is highlighted, "" for none."""
        return NAMES[self.highlighted or 0]

    def show(self, spec: BlockSpec, made: str, alike: Collection[str]) -> None:
        """Mark the mistake that is made, those that the difference looks like, those that do not apply."""
        marks = [_mark(name, spec, made, alike) for name in NAMES]
        for place, (name, mark) in enumerate(zip(NAMES, marks, strict=True)):
            if mark != self._marks[place]:
                self.replace_option_prompt_at_index(place, _entry(name, mark))
        self._marks = marks

    def go_to(self, name: str) -> None:
        """Highlight that mistake."""
        self.highlighted = NAMES.index(name)


def _mark(name: str, spec: BlockSpec, made: str, alike: Collection[str]) -> str:
    if name == made:
        return MADE
    if name in alike:
        return ALIKE
    return IMPOSSIBLE if name and obstacle(name, spec) is not None else " "


def _entry(name: str, mark: str) -> Content:
    title = MISTAKES[name].title if name else RIGHT
    style = {MADE: "bold", ALIKE: "bold", IMPOSSIBLE: "dim"}.get(mark, "")
    return Content.assemble((f"{mark} ", style), (title, style))
