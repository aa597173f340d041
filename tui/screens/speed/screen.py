"""The screen of the speed of all blocks of a file or a module: fields on top, the table, the one in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.widgets import Static

from tui.analysis.failure import sentence_of
from tui.analysis.speed.conditions import CPU, Conditions
from tui.analysis.speed.to_time import RunOn, ToTime
from tui.analysis.subject import Subject
from tui.fusion.quoting import printable
from tui.fusion.refusal import Refusal
from tui.running.background import iterate_in_thread
from tui.running.speed_table_state import SpeedTableState, TimingStage
from tui.screens.help_everywhere import HELP_EVERYWHERE
from tui.screens.place_screen import PlaceScreen
from tui.screens.speed.taking_away import take_speeds_away
from tui.views.checkpoint.detail_pane import DetailPane
from tui.views.checkpoint.file_head import FileHead
from tui.views.shared.progress_line import progress_line
from tui.views.speed_table.form import SpeedTableForm
from tui.views.speed_table.table import SpeedTable
from tui.widgets.foot import Foot
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice


class SpeedScreen(PlaceScreen):
    """Asks for the blocks of `to_time` to be timed, and shows what the app says of them."""

    HORIZONTAL_BREAKPOINTS = [*PlaceScreen.HORIZONTAL_BREAKPOINTS, (160, "-wide")]  # noqa: RUF012  # as there
    DEFAULT_CSS = """
    SpeedScreen {
        background: $background;
        & #speed-form { margin: 1 0 0 0; }
        & #speed-progress {
            height: 1; padding: 0 1; margin: 1 0; text-wrap: nowrap; text-overflow: ellipsis;
        }
        & #speed-body { height: 1fr; }
        & #speed-body.-stale > * { opacity: 60%; }
        &.-narrow #speed-body { layout: vertical; }
        &.-narrow SpeedTable { min-height: 6; }
        &.-low #speed-form { margin: 0; }
        &.-low #speed-progress { margin: 0; }
    }
    """
    EVERYWHERE: ClassVar[tuple[FootKey, ...]] = (
        FootKey("export", ("speed-table.export",)),
        FootKey("back", ("speed-table.leave",)),
        FootKey("keys", ("app.help",)),
        FootKey("quit", ("app.quit",)),
    )
    WAYS_OUT: ClassVar[int] = 3
    HEADING: ClassVar[str] = "THE SPEED OF ALL BLOCKS"
    WAY_BACK: ClassVar[str] = "back to the speeds"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "r, S",
            "time all blocks as the fields say; stop it: what was timed stays",
            ("speed-table.run", "speed-table.stop"),
        ),
        HelpLine(
            "f, escape",
            "to the fields and back; from the table, to the tree",
            ("speed-table.form", "speed-table.leave"),
        ),
        HelpLine("x", "save what was measured as CSV or JSON", ("speed-table.export",)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run", "Time all blocks", show=False, id="speed-table.run", tooltip="As the fields say"),
        Binding("S", "stop", "Stop timing", show=False, id="speed-table.stop", tooltip="What is there stays"),
        Binding("f", "form", "The fields", show=False, id="speed-table.form", tooltip="Go to the fields"),
        Binding(
            "escape",
            "leave",
            "Back",
            show=False,
            id="speed-table.leave",
            tooltip="To the table, or to the tree",
        ),
        Binding(
            "x", "export", "Export the speeds", show=False, id="speed-table.export", tooltip="CSV or JSON"
        ),
    ]

    speed_table: var[SpeedTableState | None] = var[SpeedTableState | None](None)
    """What the app says of the timing."""

    @dataclass
    class Wanted(Message):
        """The user wants these to be timed."""

        to_time: ToTime
        run_on: RunOn
        conditions: Conditions

    class StopWanted(Message):
        """The user does not want to wait for the rest."""

    class BackWanted(Message):
        """The user wants to see the tree again."""

    @dataclass
    class BlockChosen(Message):
        """The user wants this block on the bench."""

        subject: Subject

    def __init__(self, to_time: ToTime, device: str = CPU) -> None:
        """`device`: where they are timed first."""
        super().__init__()
        self.to_time = to_time
        self._device = device
        self._subjects: dict[int, Subject] = {}
        self._looked_for_devices = False

    def compose(self) -> ComposeResult:
        """The name, the fields, how far it is, the table and the pane beside it, the keys."""
        yield FileHead(id="file-head")
        yield SpeedTableForm(self._device, has_inputs=self.to_time.has_inputs, id="speed-form")
        yield Static("", id="speed-progress", markup=False)
        with Horizontal(id="speed-body"):
            yield SpeedTable(id="speed-table")
            yield DetailPane(id="detail")
        yield Notice(id="notice")
        yield Foot(id="foot")

    @property
    def table(self) -> SpeedTable:
        """The blocks."""
        return self.query_one(SpeedTable)

    @property
    def middle(self) -> SpeedTable:
        """As in every place."""
        return self.table

    @property
    def form(self) -> SpeedTableForm:
        """The fields."""
        return self.query_one(SpeedTableForm)

    def on_mount(self) -> None:
        """Stand in the table, and begin."""
        head = self.query_one(FileHead)
        head.file, head.title = printable(self.to_time.name), "speed"
        self.table.focus_content()
        self.action_run()

    def watch_speed_table(self, before: SpeedTableState | None, state: SpeedTableState | None) -> None:
        """Show what is there, and how far it is."""
        if state is None or state.to_time is not self.to_time:
            return
        self.table.state = state
        self._say_progress(state)
        self._mark_stale()
        if before is None or before.stage is not state.stage:
            self.refresh_bindings()
        if state.found.timed and not self._looked_for_devices:  # torch, which knows them, is there by now
            self._looked_for_devices = True
            self._look_for_devices()

    @work(group="devices", exclusive=True, exit_on_error=False, description="devices")
    async def _look_for_devices(self) -> None:
        """Offer the devices of this machine; the first question about them can take a second."""
        async for devices in iterate_in_thread(_devices):
            self.form.offer_devices(devices)

    def _say_progress(self, state: SpeedTableState) -> None:
        found, line = state.found, self.query_one("#speed-progress", Static)
        there = f"{found.complete} of {found.count} timed"
        left_out = f"   {len(found.left_out)} left out" if found.left_out else ""
        match state.stage:
            case TimingStage.RUNNING:
                bar = progress_line(there, found.share, state.seconds_left)
                line.update(Content.assemble(bar, "   ", printable(state.words)), layout=False)
            case TimingStage.DONE:
                line.update(Content.assemble((there, "bold"), left_out), layout=False)
            case _:
                line.update(
                    Content.assemble((f"stopped: {there}", "bold $text-warning"), left_out), layout=False
                )

    def _mark_stale(self) -> None:
        """Dim what was timed otherwise than the fields say by now, and say so."""
        state, notice = self.speed_table, self.query_one(Notice)
        if state is None:
            return
        as_fields = state.conditions == self.form.conditions and state.run_on == self.form.run_on()
        self.query_one("#speed-body").set_class(not as_fields, "-stale")
        if state.stage is TimingStage.FAILED:
            notice.say(f"They were not timed: {printable(state.words)}", error=True)
        elif not as_fields:
            notice.say(
                "These were timed otherwise than the fields say: enter there, or r here, times all again."
            )
        else:
            notice.text = ""

    @on(SpeedTableForm.Changed)
    def _fields_changed(self, event: SpeedTableForm.Changed) -> None:
        event.stop()
        self._mark_stale()

    @on(SpeedTableForm.Wanted)
    def _run_wanted(self, event: SpeedTableForm.Wanted) -> None:
        event.stop()
        self.action_run()

    @on(SpeedTable.Moved)
    def _moved(self, event: SpeedTable.Moved) -> None:
        event.stop()
        self.tell_anew()

    def tell_anew(self) -> None:
        """Tell of what is under the cursor."""
        self.query_one(DetailPane).show(self.table.detail(narrow=self.has_class("-narrow")))

    @on(SpeedTable.Chosen)
    def _chosen(self, event: SpeedTable.Chosen) -> None:
        event.stop()
        try:
            if event.place not in self._subjects:
                self._subjects[event.place] = self.to_time.subject(event.place)
        except Refusal as error:
            notice = self.query_one(Notice)
            notice.say(f"This block cannot be opened: {sentence_of(error)}", error=True)
            return
        self.post_message(self.BlockChosen(self._subjects[event.place]))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what runs can be stopped, and only what is there saved."""
        state = self.speed_table
        if action == "stop":
            return state is not None and state.is_running
        if action == "export":
            return state is not None
        return super().check_action(action, parameters)

    def action_run(self) -> None:
        """Time all blocks as the fields say."""
        run_on = self.form.run_on()
        if run_on is None:
            self.form.focus_first()
            return
        self.table.focus_content()
        self.post_message(self.Wanted(self.to_time, run_on, self.form.conditions))

    def action_stop(self) -> None:
        """Stop it."""
        self.post_message(self.StopWanted())

    def action_form(self) -> None:
        """Go to the fields."""
        self.form.focus_first()

    def action_leave(self) -> None:
        """From the fields to the table, from there to the tree."""
        if self.form.has_focus_within:
            self.table.focus_content()
        else:
            self.post_message(self.BackWanted())

    @work
    async def action_export(self) -> None:
        """Save what was measured."""
        if self.speed_table is not None:
            await take_speeds_away(self, self.speed_table)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        return {
            SpeedScreen.HEADING: (
                *SpeedTable.HELP_LINES,
                *SpeedScreen.HELP_LINES,
                *SpeedTableForm.HELP_LINES,
            ),
            "EVERYWHERE": HELP_EVERYWHERE,
        }


def _devices() -> Iterator[tuple[str, ...]]:
    from tui.analysis.numerics.devices import devices_here

    yield devices_here()
