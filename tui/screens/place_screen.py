"""PlaceScreen: a place where one is, the bench or a tree of blocks; no dialog. Its keys are at its foot."""

from __future__ import annotations

from textual import on
from textual.events import ScreenResume
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from tui.widgets.foot import Foot


class PlaceScreen(Screen[None]):
    """Knows the sizes at which it is laid out in another way; it is styled once before its first paint."""

    # mutable, as textual declares them
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012
    AUTO_FOCUS = ""

    # Textual's own paints the whole screen anew at each change; what looks different then are a few widgets,
    # which see to it themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    _was_in_sight = False

    def on_compose(self) -> None:
        """Know the size before there are widgets: the first resize would style all of them once more."""
        width, height = self.app.size
        told = ((width, self.HORIZONTAL_BREAKPOINTS), (height, self.VERTICAL_BREAKPOINTS))
        for size, breakpoints in told:
            self.add_class(max((least, name) for least, name in breakpoints if least <= size)[1])

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Style nothing again that was styled when it was mounted, a moment ago."""
        event.refresh_styles &= self._was_in_sight
        self._was_in_sight = True

    @on(Foot.Pressed)
    async def _foot_pressed(self, event: Foot.Pressed) -> None:
        event.stop()
        bound = self.active_bindings.get(event.key)
        if bound is not None:
            await self.app.run_action(bound.binding.action, bound.node)
