"""The app: wires the bench to studies that run in the background, and a checkpoint to the bench."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, InputEvent, Resize
from textual.filter import LineFilter
from textual.reactive import var
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
from tui.running.background import LANE, iterate_in_thread
from tui.running.measuring import MeasureFunction, deferred_measure
from tui.running.studying import StudyFunction, StudyingApp
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
    from tui.running.speed_table import RunningSpeedTable, TimeThemFunction
    from tui.running.speed_table_state import SpeedTableState
    from tui.running.sweep import RunningSweep, SweepFunction
    from tui.running.sweep_state import SweepState
    from tui.screens.checkpoint.screen import CheckpointScreen
    from tui.screens.module.screen import ModuleScreen
    from tui.screens.speed.screen import SpeedScreen
    from tui.screens.sweep.screen import SweepScreen
    from tui.screens.tree_screen import TreeScreen

    Place = BenchScreen | TreeScreen | SweepScreen | SpeedScreen


class RepFuseApp(StudyingApp):
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

    sweep: var[SweepState | None] = var(None)
    """The last sweep, as far as it came; None before the first."""
    speed_table: var[SpeedTableState | None] = var(None)
    """The last timing of all blocks, as far as it came; None before the first."""

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
        super().__init__(study, measure, compared=compared, device=device)
        ScrollBar.renderer = ThinScrollBar
        self._first = Subject(spec or BlockSpec(), alterations)
        if module is not None and module.whole is not None:
            origin = module.on_the_bench(module.whole)
            self._first = Subject(origin.spec, alterations, origin)
        self._bench: BenchScreen | None = None
        self._checkpoint: CheckpointScreen | None = None
        self._module: ModuleScreen | None = None
        self._sweep_screen: SweepScreen | None = None
        self._sweep_function = sweep
        self._speed_screen: SpeedScreen | None = None
        self._time_them_function = time_them
        self._tree_of_speeds: TreeScreen | None = None
        self._back_to: TreeScreen | SweepScreen | SpeedScreen | None = None
        self._opening = to_open
        self._looked, self._given = module, given
        self._device = device
        self.keys = KeysInOrder(super().on_event, self._paint, self._handle_exception, LANE.beside)
        for theme in THEMES:
            self.register_theme(theme)
        self._settings_path = settings_path
        self._first_start = is_first_start(settings_path)
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

    def get_default_screen(self) -> Screen[None]:
        """The bench, or the checkpoint or the module that was named."""
        if self._opening is not None:
            return self._new_checkpoint(self._opening)
        if self._looked is not None and (self._looked.whole is None or self._given is not None):
            return self._new_module(self._looked)
        return self._new_bench(self._first)

    def _new_bench(self, first: Subject) -> BenchScreen:
        """The bench, which from now on is there, in sight or not."""
        compared = self._a if isinstance(self._a, Subject) else None
        by_itself = not self._trees and self._looked is None
        bench = self._bench = BenchScreen(first, compared, welcome=self._first_start and by_itself)
        bench.waits_to_paint = lambda: self.keys.will_paint
        self.install_screen(bench, "bench")
        return bench.data_bind(
            RepFuseApp.answers,
            RepFuseApp.kernels,
            RepFuseApp.study,
            RepFuseApp.run_state,
            RepFuseApp.beside,
            RepFuseApp.preview,
            RepFuseApp.speed,
        )

    def _new_checkpoint(self, to_open: ToOpen) -> CheckpointScreen:
        """The screen of that file, which from now on is there, in sight or not."""
        from tui.screens.checkpoint.screen import CheckpointScreen  # what starts on the bench does without

        self._checkpoint = CheckpointScreen(to_open)
        self.install_screen(self._checkpoint, "checkpoint")
        return self._checkpoint

    def _new_module(self, looked: LookedAt) -> ModuleScreen:
        """The screen of that module, which from now on is there, in sight or not."""
        from tui.screens.module.screen import ModuleScreen  # it stands on torch, as what it shows does

        self._module = ModuleScreen(looked, self._given)
        self.install_screen(self._module, "module")
        return self._module

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

    @property
    def bench(self) -> BenchScreen:
        """The bench, whether it is in sight or not."""
        assert self._bench is not None
        return self._bench

    @property
    def _trees(self) -> list[TreeScreen]:
        """The screens from which blocks are opened."""
        return [tree for tree in (self._checkpoint, self._module) if tree is not None]

    @property
    def place(self) -> Place:
        """The bench, a tree of blocks, the sweep or the speeds: what is in sight, perhaps under a dialog."""
        places = (self._checkpoint, self._module, self._sweep_screen, self._speed_screen, self._bench)
        found = next(screen for screen in reversed(self.screen_stack) if screen in places)
        return cast("Place", found)

    def pop_screen(self) -> AwaitComplete:
        """Take the topmost screen away, but for the last: Textual's palette may go twice."""
        return super().pop_screen() if len(self.screen_stack) > 1 else AwaitComplete()

    def _go_to(self, place: Place) -> None:
        """Have it in sight; what lies above it outlives being taken away."""
        if place is not self._bench:
            self.stop_measuring()
        stack = self.screen_stack
        if place not in stack:
            self.push_screen(place)
            return
        for above in reversed(stack[stack.index(place) + 1 :]):
            above.dismiss()  # unlike a pop it answers whoever waits for a dialog

    def on_tree_screen_block_chosen(self, event: TreeScreen.BlockChosen) -> None:
        """Show a block of a checkpoint or of a module on the bench; the one that is there, as it was left."""
        self._open_block(event.subject, event.tree)

    def _open_block(self, subject: Subject, place: TreeScreen | SpeedScreen) -> None:
        """Have it on the bench, as it was left there if it was the last one; escape goes to that place."""
        self._back_to = place
        if self._bench is not None and self._bench.origin is subject.origin:
            self._bench.way_back = place.WAY_BACK
            self._go_to(self._bench)
        else:
            self._show_on_bench(subject)

    def on_tree_screen_speed_wanted(self, event: TreeScreen.SpeedWanted) -> None:
        """Go to the table of these blocks, which begins to be filled; one that is there stays as it is."""
        from tui.screens.speed.screen import SpeedScreen  # not before the first paint

        self._tree_of_speeds = event.tree
        if self._speed_screen is None or self._speed_screen.to_time is not event.to_time:
            self._running_speed_table.stop()
            before = self._speed_screen
            if before is not None and before not in self.screen_stack:
                self.uninstall_screen(before)
                before.remove()
            self._speed_screen = SpeedScreen(event.to_time, self._device).data_bind(RepFuseApp.speed_table)
            self.install_screen(self._speed_screen, f"speed {id(event.to_time)}")
        self._go_to(self._speed_screen)

    def on_speed_screen_wanted(self, event: SpeedScreen.Wanted) -> None:
        """Time them, and nothing else meanwhile."""
        self.stop_measuring()
        self._running_sweep.stop()
        self._running_speed_table.start(event.to_time, event.run_on, event.conditions)

    def on_speed_screen_stop_wanted(self) -> None:
        """Stop it; what is there stays."""
        self._running_speed_table.stop()

    def on_speed_screen_back_wanted(self) -> None:
        """Have the tree in sight again."""
        if self._tree_of_speeds is not None:
            self._go_to(self._tree_of_speeds)

    def on_speed_screen_block_chosen(self, event: SpeedScreen.BlockChosen) -> None:
        """Show a block of the table on the bench, from which escape goes back to the table."""
        assert self._speed_screen is not None
        self._open_block(event.subject, self._speed_screen)

    def _show_on_bench(self, subject: Subject) -> None:
        """Go to the bench, with a whole other block."""
        if self._bench is None:
            self._new_bench(subject)
            self.call_after_refresh(self.request, subject)
        else:
            self._bench.show_subject(subject)
        self._go_to(self.bench)
        tree = self._back_to or next(iter(self._trees), None)
        self.bench.way_back = "" if tree is None else tree.WAY_BACK

    @on(BenchScreen.BackWanted)
    def _back_wanted(self) -> None:
        tree = self._back_to or next(iter(self._trees), None)
        if tree is not None:
            self._go_to(tree)

    @on(BenchScreen.SweepWanted)
    def _sweep_wanted(self, event: BenchScreen.SweepWanted) -> None:
        """Go to the sweep, of this block from now on."""
        from tui.screens.sweep.screen import SweepScreen  # not before the first paint

        self.stop_measuring()
        if self._sweep_screen is None:
            self._sweep_screen = SweepScreen(event.subject, event.conditions).data_bind(RepFuseApp.sweep)
            self.install_screen(self._sweep_screen, "sweep")
        self._sweep_screen.show_base(event.subject, event.conditions)
        self._go_to(self._sweep_screen)

    def on_sweep_screen_wanted(self, event: SweepScreen.Wanted) -> None:
        """Run it, and time nothing else meanwhile."""
        self._running_speed_table.stop()
        self._running_sweep.start(event.plan)

    def on_sweep_screen_stop_wanted(self) -> None:
        """Stop it; what is there stays."""
        self._running_sweep.stop()

    @cached_property
    def _running_speed_table(self) -> RunningSpeedTable:
        from tui.analysis.speed.to_time import time_them  # not before the first paint
        from tui.running.speed_table import RunningSpeedTable

        times = self._time_them_function or time_them
        return RunningSpeedTable(self, partial(setattr, self, "speed_table"), times)

    @cached_property
    def _running_sweep(self) -> RunningSweep:
        from tui.analysis.sweep.running import sweep  # not before the first paint
        from tui.running.sweep import RunningSweep

        return RunningSweep(self, partial(setattr, self, "sweep"), self._sweep_function or sweep)

    def on_sweep_screen_back_wanted(self) -> None:
        """Have the bench in sight again."""
        self._go_to(self.bench)

    def on_sweep_screen_block_chosen(self, event: SweepScreen.BlockChosen) -> None:
        """Show a block of the sweep on the bench, from which escape goes back to the sweep."""
        self._back_to = self._sweep_screen
        self._show_on_bench(event.subject)

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

    @work
    async def action_open_file(self, folder: Path | None = None) -> None:
        """Let the user choose a checkpoint, and show it."""
        from tui.checkpoints.choosing.to_open import ToOpen  # not before the first paint
        from tui.screens.dialogs.checkpoint_file import CheckpointFileScreen

        here = folder or (self._checkpoint.to_open.path.parent if self._checkpoint else Path())
        path = await self.push_screen_wait(CheckpointFileScreen(here))
        if path is None:
            return
        if self._checkpoint is None:
            self._new_checkpoint(ToOpen(path))
        else:
            self._checkpoint.open_other(ToOpen(path))
        assert self._checkpoint is not None
        self._go_to(self._checkpoint)

    def on_opening_screen_folder_given(self, event: CheckpointScreen.FolderGiven) -> None:
        """Let a file in it be chosen."""
        self.action_open_file(event.folder)

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
