"""The dialog that offers kernels by name, for one pair of channels or for a whole weight."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.fusion.named_kernels import NAMED_KERNELS
from tui.fusion.specs.branch_spec import Pair
from tui.screens.dialogs.dialog import Dialog
from tui.widgets.paged_option_list import PagedOptionList


class ChosenKernel(NamedTuple):
    """The name of a kernel; `everywhere`: for each channel by itself, not for one pair of channels only."""

    name: str
    everywhere: bool


class NamedKernelScreen(Dialog[ChosenKernel | None]):
    """Dismisses with the chosen kernel, or None."""

    DEFAULT_CSS = """
    NamedKernelScreen {
        align: center middle;
        & > Vertical {
            width: 64; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; background: $surface; padding: 1 2;
            border-title-color: $foreground; border-subtitle-color: $text-muted;
        }
        & OptionList { border: none; height: auto; background: transparent; padding: 0; }
        & Static { color: $text-muted; margin: 1 0 0 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "dismiss(None)", "Close", show=False),
        Binding("a", "everywhere", "Everywhere", show=False),
    ]

    def __init__(self, target: str, kernel_size: Pair) -> None:
        super().__init__()
        self._target = target
        self._kernel_size = kernel_size

    def compose(self) -> ComposeResult:
        """One line for each kernel that fits."""
        with Vertical() as dialog:
            dialog.border_title = Content(f"A kernel for {self._target}")
            dialog.border_subtitle = "escape closes"
            yield PagedOptionList(
                *(
                    Option(Content(f"{name:<12}{kernel.summary}"), id=name)
                    for name, kernel in NAMED_KERNELS.items()
                    if kernel.of_size(self._kernel_size) is not None
                ),
                compact=True,
            )
            yield Static("enter: for this pair of channels · a: for each channel by itself, 0 elsewhere")

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._choose(event.option_id, everywhere=False)

    def action_everywhere(self) -> None:
        """Choose the kernel for the whole weight."""
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self._choose(options.get_option_at_index(options.highlighted).id, everywhere=True)

    def _choose(self, name: str | None, *, everywhere: bool) -> None:
        self.dismiss(None if name is None else ChosenKernel(name, everywhere))
