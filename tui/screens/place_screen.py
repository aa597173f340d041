"""PlaceScreen: a place where one is, the bench or a tree of blocks; no dialog. Its keys are at its foot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import SystemCommand
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from tui.screens.commands import commands_of
from tui.screens.compositor import FrugalCompositor
from tui.screens.keys_shown import keys_here, place_of, shown
from tui.screens.styled_once import StyledOnce
from tui.widgets.foot import GAP, Foot
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine


class PlaceScreen(StyledOnce, Screen[None]):
    """Knows the sizes at which it is laid out in another way.

    Attributes:
        EVERYWHERE: what the foot tells of in every place of the screen, the most useful last.
        WAYS_OUT: how many of them the narrowest foot still tells of.
        WAY_BACK: what the bench calls the way back to it.
        HEADING: that of the help under which the screen's keys are told.
    """

    EVERYWHERE: ClassVar[tuple[FootKey, ...]] = ()
    WAYS_OUT: ClassVar[int] = 2
    WAY_BACK: ClassVar[str] = ""
    HEADING: ClassVar[str] = ""

    # mutable, as textual declares them
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012
    AUTO_FOCUS = ""

    # Textual's own paints the whole screen anew at each change; what looks different then are a few widgets,
    # which see to it themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()

    def on_compose(self) -> None:
        """Know the size before there are widgets: the first resize would style all of them once more."""
        self._know_size(self.app.size)

    def _know_size(self, size: Size) -> None:
        """Be of the classes of that size: of all of them at once, for each change styles the whole screen."""
        before = self.classes
        for cells, breakpoints in (
            (size.width, self.HORIZONTAL_BREAKPOINTS),
            (size.height, self.VERTICAL_BREAKPOINTS),
        ):
            now = max((least, name) for least, name in breakpoints if least <= cells)[1]
            for _, name in breakpoints:
                self.set_class(name == now, name, update=False)
        if self.classes != before:
            self.update_node_styles()

    def _screen_resized(self, size: Size) -> None:
        """Know another size before it is laid out for it, as views ask for it then.

        Textual tells the classes after that, and the first size three times more.
        """
        if size != self._size:
            before = self.classes
            self._know_size(size)
            if self._size and self.classes != before:
                self.tell_anew()
            super()._screen_resized(size)

    def tell_anew(self) -> None:
        """Write what there are other words for where there is more or less room."""

    def on_mount(self) -> None:
        """Tell the keys of wherever the focus goes."""
        self.bindings_updated_signal.subscribe(self, self._tell_keys)

    @property
    def middle(self) -> Widget:
        """What the foot tells the keys of where the focus is in nothing that has some."""
        raise NotImplementedError

    def _tell_keys(self, _: object = None) -> None:
        """Show the keys of the place in focus; while the terminal has none, those that were shown last."""
        active = self.active_bindings
        foot = self.query_one(Foot)
        foot.everywhere = shown(self.EVERYWHERE, active)
        foot.always = self.WAYS_OUT
        if self.app.app_focus or not foot.here:
            foot.here, foot.separator = keys_here(place_of(self.focused, self.middle), active), GAP

    def commands(self) -> Iterator[SystemCommand]:
        """What the keys here do, for the palette."""
        yield from commands_of(self)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        raise NotImplementedError

    def help_heading(self) -> str:
        """The heading of the help under which the keys of the place in focus are told."""
        return self.HEADING

    def welcomed(self) -> None:
        """Nobody has to be welcomed here."""

    @on(Foot.Pressed)
    async def _foot_pressed(self, event: Foot.Pressed) -> None:
        event.stop()
        bound = self.active_bindings.get(event.key)
        if bound is not None:
            await self.app.run_action(bound.binding.action, bound.node)
