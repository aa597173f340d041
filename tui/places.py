"""The app's part of where one can be: the bench, a checkpoint, a module, the sweep, the speeds; and how."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import on, work
from textual.await_complete import AwaitComplete
from textual.reactive import var
from textual.screen import Screen

from tui.analysis.numerics.ran_on import CPU
from tui.analysis.subject import Subject
from tui.running.measuring import MeasureFunction, deferred_measure
from tui.running.studying import StudyFunction, StudyingApp
from tui.screens.bench.screen import BenchScreen

if TYPE_CHECKING:
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


class PlacesApp(StudyingApp):
    """Starts on the bench with `first`, on the checkpoint `to_open`, or on the tree of a `module`.

    A module that is a block as a whole is a tree where what another tool made of it is `given`.

    `study` runs a subject (None: on that device), `measure` times its block, `sweep` runs a plan, `time_them`
    times all blocks (None of these two: on this machine); tests put others in their places.

    Attributes:
        is_first_start: whether the bench is to welcome who starts it.
    """

    sweep: var[SweepState | None] = var(None)
    """The last sweep, as far as it came; None before the first."""
    speed_table: var[SpeedTableState | None] = var(None)
    """The last timing of all blocks, as far as it came; None before the first."""

    def __init__(
        self,
        first: Subject,
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
    ) -> None:
        super().__init__(study, measure, compared=compared, device=device)
        self._first = first
        self.is_first_start = False
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

    def will_paint(self) -> bool:
        """Whether what changes now is painted as soon as all is done for the event at hand."""
        return False

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
        bench = self._bench = BenchScreen(first, compared, welcome=self.is_first_start and by_itself)
        bench.waits_to_paint = self.will_paint
        self.install_screen(bench, "bench")
        return bench.data_bind(
            PlacesApp.answers,
            PlacesApp.kernels,
            PlacesApp.study,
            PlacesApp.run_state,
            PlacesApp.beside,
            PlacesApp.preview,
            PlacesApp.speed,
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
            self._speed_screen = SpeedScreen(event.to_time, self._device).data_bind(PlacesApp.speed_table)
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
            self._sweep_screen = SweepScreen(event.subject, event.conditions).data_bind(PlacesApp.sweep)
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
