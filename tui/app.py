"""The app: wires its places to what runs in the background, and to the terminal, the keys, the settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, InputEvent, Resize
from textual.filter import LineFilter
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.theme import Theme

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.numerics.ran_on import CPU
from tui.analysis.subject import Subject
from tui.collecting import collect_again
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec
from tui.keys_in_order import KeysInOrder
from tui.places import PlacesApp
from tui.running.background import LANE, iterate_in_thread
from tui.running.measuring import MeasureFunction, deferred_measure
from tui.running.studying import StudyFunction
from tui.screens.bench.screen import BenchScreen
from tui.screens.bench.views import load_views
from tui.screens.commands import KEYS_APART, commands_of
from tui.settings import Settings, is_first_start
from tui.terminal.colour_depth import ColourDepth
from tui.terminal.driver import stoppable
from tui.terminal.filters import UTF_8, filters_for
from tui.themes import DARK, THEMES, counterpart
from tui.widgets.form.choice import Choice
from tui.widgets.thin_scroll_bar import ThinScrollBar

if TYPE_CHECKING:
    from tui.analysis.study import Study
    from tui.checkpoints.choosing.to_open import ToOpen
    from tui.checkpoints.contents import Checkpoint
    from tui.modules.looking import LookedAt
    from tui.running.speed_table import TimeThemFunction
    from tui.running.sweep import SweepFunction


class RepFuseApp(PlacesApp):
    """Starts on the default block, or on `spec`, altered as `alterations` say; beside `compared`, if given.

    With a file `to_open` it starts on what that file or folder holds, and the bench waits for a block of it.
    So it does with a `module`, beside what another tool made of it where that is `given`; without that, one
    that is a block as a whole starts on the bench.

    The terminal has as many colours as `depth` says, and the characters of `encoding`.

    On `device` both sides of every block run, and are timed where nothing else is chosen.

    `study` runs a subject (None: on that device), `measure` times its block, `sweep` runs a plan, `time_them`
    times all blocks (None of these two: on this machine), and `settings_path` is where choices are kept;
    tests put others in their places.
    """

    TITLE = "repfuse-tui"
    CSS_PATH = "screens/bench/bench.tcss"  # the default screen's own CSS_PATH is not read
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "presets", "Preset", id="app.presets", tooltip="Published blocks to start from"),
        Binding(
            "question_mark",
            "help",
            "Help",
            key_display="?",
            id="app.help",
            tooltip="Every key, and the words",
        ),
        Binding("q", "quit", "Quit", id="app.quit"),
        Binding(
            "o",
            "open_file",
            "Open a checkpoint",
            show=False,
            id="app.open-file",
            tooltip="A file of weights: its blocks, to be seen with their numbers, fused and compared",
        ),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, id="app.suspend", priority=True),
        Binding("t", "toggle_theme", "Dark or light", show=False, id="app.theme"),
    ]

    def __init__(
        self,
        spec: BlockSpec | None = None,
        alterations: Alterations = NOTHING_ALTERED,
        *,
        compared: Subject | None = None,
        to_open: ToOpen | None = None,
        module: LookedAt | None = None,
        given: Path | Checkpoint | None = None,
        device: str = CPU,
        study: StudyFunction | None = None,
        measure: MeasureFunction = deferred_measure,
        sweep: SweepFunction | None = None,
        time_them: TimeThemFunction | None = None,
        settings_path: Path | None = None,
        depth: ColourDepth = ColourDepth.FULL,
        encoding: str = UTF_8,
    ) -> None:
        self._for_this_terminal = filters_for(depth, encoding)
        first = Subject(spec or BlockSpec(), alterations)
        if module is not None and module.whole is not None:
            origin = module.on_the_bench(module.whole)
            first = Subject(origin.spec, alterations, origin)
        super().__init__(
            first,
            compared=compared,
            to_open=to_open,
            module=module,
            given=given,
            device=device,
            study=study,
            measure=measure,
            sweep=sweep,
            time_them=time_them,
        )
        ScrollBar.renderer = ThinScrollBar
        self.keys = KeysInOrder(super().on_event, self._paint, self._handle_exception, LANE.beside)
        for theme in THEMES:
            self.register_theme(theme)
        self._settings_path = settings_path
        self.is_first_start = is_first_start(settings_path)
        self._settings, self._settings_fault = Settings.load(settings_path)
        if self._settings.reduced_motion:
            self.animation_level = "none"
        chosen = self._settings.theme
        self.theme = chosen if chosen in self.available_themes else DARK.name

    async def on_event(self, event: Event) -> None:
        """Keep keys and clicks in their order; all else goes its way at once."""
        if isinstance(event, InputEvent) and self.keys.takes(event):
            self.keys.take(event)
        else:
            await super().on_event(event)

    def will_paint(self) -> bool:
        """Whether what changes now is painted as soon as all is done for the key at hand."""
        return self.keys.will_paint

    def _paint(self) -> None:
        """Paint what has changed, without waiting for the screen's timer."""
        if self.screen_stack and not self._exit:
            self.screen._on_timer_update()

    def get_driver_class(self) -> type[Driver]:
        """Textual's own, which has to survive being stopped."""
        return stoppable(super().get_driver_class())

    def get_line_filters(self) -> list[LineFilter]:
        """Textual's own, and after them those for a terminal with few colours or characters."""
        return [*super().get_line_filters(), *self._for_this_terminal]

    def _handle_exception(self, error: Exception) -> None:
        """End with a traceback, but for what goes wrong because the app is about to end.

        From then on Textual composes no widget, so those that are just being mounted miss their children.
        """
        if not self._exit:
            super()._handle_exception(error)

    def on_resize(self, event: Resize) -> None:
        """Paint all anew where the terminal had another size for a moment, too short to be laid out for.

        Textual paints nothing then, and what the terminal had cut off in between stays blank in it.
        """
        if event.size == self.screen.outer_size:
            self.screen.refresh()

    def on_mount(self) -> None:
        """Begin with the first run; torch is loaded by it, after the first paint."""
        if self._settings_fault:
            self.notify(self._settings_fault, title="Settings", severity="warning", markup=False)
        self._take_own_keys()
        self.theme_changed_signal.subscribe(self, self._remember_theme)
        self.app_resume_signal.subscribe(self, self._paint_all)
        if self._bench is not None:
            self.call_after_refresh(self.request, self._first)
        self.compare()
        self.call_after_refresh(collect_again)

    def _take_own_keys(self) -> None:
        """Put the user's keys in the places of the program's; what is wrong with them is told."""
        if not self._settings.keymap:
            return
        from tui.screens.binding_ids import binding_ids  # who has no keys of their own does without
        from tui.screens.keymap import checked_keymap

        taken, faults = checked_keymap(self._settings.keymap, binding_ids())
        for fault in faults:
            self.notify(fault, title="Keymap in the settings", severity="warning", markup=False)
        self.set_keymap(taken)

    def _paint_all(self, _: object) -> None:
        """Paint everything: the terminal has shown something else, and an unchanged size repaints little."""
        self.refresh(layout=True)

    def _remember_theme(self, theme: Theme) -> None:
        if theme.name == self._settings.theme:
            return
        self._settings = replace(self._settings, theme=theme.name)
        fault = self._settings.save(self._settings_path)
        if fault:
            self.notify(fault, title="Settings", severity="warning", markup=False)

    @on(BenchScreen.Welcomed)
    def _welcomed(self) -> None:
        """Leave a settings file, so that the next start is not the first. Without one, it is no worse."""
        self._settings.save(self._settings_path)

    def watch_study(self, before: Study | None, study: Study | None) -> None:
        """Have the code of every view there, now that the first result is."""
        if before is None and study is not None:
            self._load_views()

    @work(group="views", exit_on_error=False, description="views")
    async def _load_views(self) -> None:
        async for _ in iterate_in_thread(load_views):
            pass

    @on(Choice.ListWanted)
    def _list_wanted(self) -> None:
        self.action_presets()

    @work
    async def action_presets(self) -> None:
        """Let the user choose a preset."""
        from tui.screens.dialogs.presets import PresetScreen  # not before the first paint

        name = await self.push_screen_wait(PresetScreen())
        if name is not None:
            self.action_preset(name)

    def action_preset(self, name: str) -> None:
        """Put the preset into the form and run it."""
        self._show_on_bench(Subject(PRESETS[name].spec))

    def action_help(self) -> None:
        """Show the help."""
        from tui.screens.dialogs.help import HelpScreen  # not before the first paint

        self.place.welcomed()
        from tui.screens.keymap import with_own_keys

        sections = self.place.help_sections()
        told = {title: with_own_keys(lines, self._keymap) for title, lines in sections.items()}
        self.push_screen(HelpScreen(told, self.place.help_heading()))

    def action_suspend_process(self) -> None:
        """Go back to the shell, where there is one."""
        if self.is_web:
            self.notify("A browser has no shell to go back to; q ends the program.", markup=False)
        else:
            super().action_suspend_process()

    def action_toggle_theme(self) -> None:
        """Go from dark to light or back."""
        self.theme = counterpart(self.current_theme.dark)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: Textual's own commands, the presets, and what the keys do."""
        own = [*commands_of(self), *self.place.commands()]
        named = {command.title.partition(KEYS_APART)[0] for command in own}
        for command in super().get_system_commands(screen):
            if command.title not in named:
                yield command
        for name, preset in PRESETS.items():
            yield SystemCommand(f"Preset {name}", preset.summary, partial(self.action_preset, name))
        yield from own
