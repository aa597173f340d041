"""The list of all stages, under the names of their branches, with the mark of each one's check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.views.steps.step_text import BLOCK, MUTED, mark

if TYPE_CHECKING:
    from tui.analysis.steps.step import Walkthrough


class StageList(OptionList):
    """One option a stage, whose id is its place; the names between them can not be chosen."""

    DEFAULT_CSS = """
    StageList {
        border: none; background: $background; padding: 0; scrollbar-size-vertical: 1;
        & > .option-list--option { padding: 0 1; }
        &:focus { border: none; background-tint: $foreground 0%; }
    }
    """

    def show(self, walkthrough: Walkthrough) -> None:
        """List these stages."""
        options: list[Option] = []
        before: str | None = None
        for place, stage in enumerate(walkthrough.stages):
            if stage.branch != before:
                before = stage.branch
                heading = Content.styled(stage.branch or BLOCK, MUTED)
                options.append(Option(heading, disabled=True))
            sign, style = mark(stage.check)  # a colour only where it warns: it would fight the cursor's
            line = Content.assemble(
                (f"  {sign}", "" if stage.check.passed else style), (f" {stage.title}", "")
            )
            options.append(Option(line, id=str(place)))
        self.clear_options()
        self.add_options(options)

    def point_at(self, place: int) -> None:
        """Light the stage at that place up."""
        index = self.get_option_index(str(place))
        if self.highlighted != index:
            self.highlighted = index
