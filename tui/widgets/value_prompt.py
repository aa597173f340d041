"""The line in which one number is edited in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from tui.fusion.grammar.number_text import number_in
from tui.widgets.foot_key import FootKey


class ValuePrompt(Vertical):
    """Asks for a number; posts Entered or Left. It takes no room while it asks nothing."""

    DEFAULT_CSS = """
    ValuePrompt {
        display: none;
        height: auto;
        padding: 0 2;
        background: $primary 15%;
        &.-asking { display: block; }
        & Horizontal { height: 1; }
        & #prompt-label { width: auto; padding: 0 1 0 0; }
        & Input { width: 24; background: $primary 25%; }
        & #prompt-remark { width: 1fr; padding: 0 0 0 2; color: $text-muted; }
        & #prompt-hint { color: $text-muted; }
        & #prompt-hint.-wrong { color: $text-error; }
    }
    """
    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("set it", ("enter",)),
        FootKey("leave it", ("escape",)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False)]
    HINT = "enter sets it · empty brings the block's own value back · escape leaves it"

    @dataclass
    class Entered(Message):
        """The user has entered a number, or None for the value that was there at first."""

        value: float | None

    class Left(Message):
        """The user leaves the number as it is, by escape or by entering what stands there."""

    _asked = ""

    def compose(self) -> ComposeResult:
        """What is edited, its number, and how to go on."""
        with Horizontal():
            yield Static("", id="prompt-label", markup=False)
            yield Input(compact=True, select_on_focus=True, id="prompt-value")
            yield Static("", id="prompt-remark", markup=False)
        yield Static(self.HINT, id="prompt-hint", markup=False)

    def ask(self, label: str, number: str, remark: str = "") -> None:
        """Ask for a number in place of this one."""
        self.query_one("#prompt-label", Static).update(f"{label} =")
        self.query_one("#prompt-remark", Static).update(remark)
        self._say(self.HINT, wrong=False)
        line = self.query_one(Input)
        line.value = self._asked = number
        self.add_class("-asking")
        line.focus()

    def close(self) -> None:
        """Ask nothing any more."""
        self.remove_class("-asking")

    def refuse(self, words: str) -> None:
        """Say why the number cannot be taken, and go on asking."""
        self._say(words, wrong=True)

    def _say(self, words: str, *, wrong: bool) -> None:
        hint = self.query_one("#prompt-hint", Static)
        hint.update(words)
        hint.set_class(wrong, "-wrong")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if text == self._asked:
            self.post_message(self.Left())
            return
        if not text:
            self.post_message(self.Entered(None))
            return
        value = number_in(text)
        if value is None:
            self._say(
                "This is not a number, or too large a one. Enter one like -0.25, 1e-3 or 1/9.", wrong=True
            )
        else:
            self.post_message(self.Entered(value))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._say(self.HINT, wrong=False)

    def action_leave(self) -> None:
        """Leave the number as it is."""
        self.post_message(self.Left())
