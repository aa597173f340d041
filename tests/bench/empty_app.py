"""The measure for the start: an app of as many widgets of the same kinds as the bench, which does nothing."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.scroll_view import ScrollView
from textual.widgets import Checkbox, Footer, Input, Static

INPUTS, CHOICES, TOGGLES, GRIDS = 9, 4, 9, 4


class EmptyApp(App[None]):
    """A form on the left, four scroll views on the right, a line above, keys below."""

    CSS = """
    #form { width: 27; }
    .row { height: 1; }
    .label { width: 12; }
    Input { width: 1fr; }
    .views { height: 1fr; }
    """
    BINDINGS = [Binding(key, "nothing", key.upper()) for key in "rfzcphq"]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        """Widgets that hold nothing."""
        with Horizontal(classes="row"):
            for text in ("name", "block", "legend"):
                yield Static(text)
        with Horizontal():
            with VerticalScroll(id="form"):
                yield from self._form()
            with Vertical():
                for _ in range(GRIDS // 2):
                    with Horizontal(classes="views"):
                        for _ in range(2):
                            with Vertical():
                                yield ScrollView()
                for _ in range(7):
                    yield Static("line")
        yield Footer(compact=True, show_command_palette=False)

    def _form(self) -> ComposeResult:
        for title in ("PRESET", "BLOCK", "BRANCHES", "INPUT"):
            yield Static(title)
        for number in range(INPUTS + CHOICES):
            with Horizontal(classes="row"):
                yield Static("label", classes="label")
                yield Input("1", compact=True) if number < INPUTS else Static("choice")
            yield Static("", classes="row")
        for _ in range(TOGGLES // 3):
            with Horizontal(classes="row"):
                for _ in range(3):
                    yield Checkbox("on", compact=True)


if __name__ == "__main__":
    EmptyApp().run()
