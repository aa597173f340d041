"""The dialog that offers the presets: its key or enter chooses one."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.fusion.presets import PRESETS
from tui.screens.dialogs.dialog import Dialog
from tui.widgets.paged_option_list import PagedOptionList

KEYS = "1234567890abcdefghijklmnorstuvwxyz"
"""The keys of the presets, in their order; without those that close the dialog."""


class PresetScreen(Dialog[str | None]):
    """Dismisses with the chosen preset's name, or None."""

    DEFAULT_CSS = """
    PresetScreen {
        align: center middle;
        & > Vertical {
            width: 84; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 1 2;
            border-title-color: $foreground;
        }
        & OptionList { border: none; height: auto; background: transparent; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,p,q", "dismiss(None)", "Close", show=False),
        *(
            Binding(key, f"choose({name!r})", name, show=False)
            for key, name in zip(KEYS, PRESETS, strict=False)
        ),
    ]

    def compose(self) -> ComposeResult:
        """One line for each preset."""
        with Vertical() as dialog:
            dialog.border_title = "Presets"
            yield PagedOptionList(
                *(
                    Option(
                        Content.assemble(
                            (f"{key}  ", "$foreground 60%"),
                            f"{name:<18}",
                            preset.summary,
                        ),
                        id=name,
                    )
                    for key, (name, preset) in zip(KEYS, PRESETS.items(), strict=False)
                ),
                compact=True,
            )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_choose(self, name: str) -> None:
        """Choose by digit."""
        self.dismiss(name)
