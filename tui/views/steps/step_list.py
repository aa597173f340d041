"""The list of all steps, under the names of their branches, with the mark of each one's check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets.option_list import Option

from tui.views.shared.styles import MUTED
from tui.views.steps.step_text import BLOCK, mark
from tui.widgets.paged_option_list import PagedOptionList

if TYPE_CHECKING:
    from tui.analysis.steps.step import Walkthrough


class StepList(PagedOptionList):
    """One option a step, whose id is its place; the names between them cannot be chosen."""

    DEFAULT_CSS = """
    StepList {
        border: none; background: $background; padding: 0; scrollbar-size-vertical: 1;
        & > .option-list--option { padding: 0 1; }
        &:focus { border: none; background-tint: $foreground 0%; }
    }
    """

    def show(self, walkthrough: Walkthrough) -> None:
        """List these steps."""
        options: list[Option] = []
        before: str | None = None
        for place, step in enumerate(walkthrough.steps):
            if step.branch != before:
                before = step.branch
                heading = Content.styled(step.branch or BLOCK, MUTED)
                options.append(Option(heading, disabled=True))
            sign, style = mark(step.check)  # a colour only where it warns: it would fight the cursor's
            line = Content.assemble((f"  {sign}", "" if step.check.passed else style), (f" {step.title}", ""))
            options.append(Option(line, id=str(place)))
        self.clear_options()
        self.add_options(options)

    def point_at(self, place: int) -> None:
        """Light the step at that place up."""
        index = self.get_option_index(str(place))
        if self.highlighted != index:
            self.highlighted = index
