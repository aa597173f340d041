"""The screen of a sweep: what varies on top, the points below, and the one under the cursor in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import var
from textual.widgets import Static

from tui.analysis.alterations.alterations import NOTHING_ALTERED
from tui.analysis.quantities import time_in_words
from tui.analysis.speed.conditions import Conditions
from tui.analysis.subject import Subject
from tui.analysis.sweep.expected import expected_seconds
from tui.analysis.sweep.plan import Plan
from tui.analysis.sweep.quantities import Quantity
from tui.fusion.quoting import printable
from tui.fusion.specs.block_spec import BlockSpec
from tui.running.sweep_state import SweepStage, SweepState
from tui.screens.help_everywhere import HELP_EVERYWHERE
from tui.screens.place_screen import PlaceScreen
from tui.screens.sweep.taking_away import take_sweep_away
from tui.views.checkpoint.file_head import FileHead
from tui.views.shared.progress_line import progress_line
from tui.views.shared.styles import MUTED
from tui.views.sweep.condition_words import in_words
from tui.views.sweep.form import SweepForm
from tui.views.sweep.results import SweepResults
from tui.widgets.foot import Foot
from tui.widgets.foot_key import FootKey
from tui.widgets.help_line import HelpLine
from tui.widgets.notice import Notice
from tui.widgets.top_bar import summary


class SweepScreen(PlaceScreen):
    """Asks for sweeps of a block, and shows what the app says of them.

    Of a block that was read, or altered by hand, its shape is swept: every point has numbers of its own.
    """

    DEFAULT_CSS = """
    SweepScreen {
        background: $background;
        & #sweep-form { margin: 1 0 0 0; }
        & #sweep-progress {
            height: 1; padding: 0 1; margin: 1 0; text-wrap: nowrap; text-overflow: ellipsis;
        }
        & #sweep-results.-stale { opacity: 50%; }
        &.-low #sweep-form { margin: 0; }
        &.-low #sweep-progress { margin: 0; }
    }
    """
    EVERYWHERE: ClassVar[tuple[FootKey, ...]] = (
        FootKey("export", ("sweep.export",)),
        FootKey("back", ("sweep.leave",)),
        FootKey("keys", ("app.help",)),
        FootKey("quit", ("app.quit",)),
    )
    WAYS_OUT: ClassVar[int] = 3
    HEADING: ClassVar[str] = "IN A SWEEP"
    WAY_BACK: ClassVar[str] = "back to the sweep"
    HELP_LINES: ClassVar[tuple[HelpLine, ...]] = (
        HelpLine(
            "r, S",
            "run what the fields say; stop it: the points that are there stay",
            ("sweep.run", "sweep.stop"),
        ),
        HelpLine(
            "1 2 3 4 5 6, c",
            "speed-up, time, max |d|, budget used, memory, MACs; the next of them",
            ("sweep.quantity", *(f"sweep.quantity-{number}" for number in range(1, len(Quantity) + 1))),
        ),
        HelpLine("d", "the table behind the plot or the map, and back", ("sweep.table",)),
        HelpLine(
            "f, escape",
            "to the fields and back; from the points, to the bench",
            ("sweep.form", "sweep.leave"),
        ),
        HelpLine("x", "save the points as CSV or JSON, or the picture as SVG", ("sweep.export",)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(number),
                f"quantity({number - 1})",
                f"Show {quantity}",
                show=False,
                id=f"sweep.quantity-{number}",
                tooltip=f"In the plot or the map: {quantity.explained}",
            )
            for number, quantity in enumerate(Quantity, start=1)
        ),
        Binding("r", "run", "Run the sweep", show=False, id="sweep.run", tooltip="Run what the fields say"),
        Binding("S", "stop", "Stop the sweep", show=False, id="sweep.stop", tooltip="What is there stays"),
        Binding("f", "form", "What varies", show=False, id="sweep.form", tooltip="Go to the fields"),
        Binding(
            "escape", "leave", "Back", show=False, id="sweep.leave", tooltip="To the points, or the bench"
        ),
        Binding(
            "d", "table", "The table", show=False, id="sweep.table", tooltip="Behind the plot or the map"
        ),
        Binding("c", "next_quantity", "Show another quantity", show=False, id="sweep.quantity"),
        Binding("x", "export", "Export the sweep", show=False, id="sweep.export", tooltip="CSV, JSON or SVG"),
    ]

    sweep: var[SweepState | None] = var[SweepState | None](None)
    """What the app says of the sweep."""

    @dataclass
    class Wanted(Message):
        """The user wants this to be run."""

        plan: Plan

    class StopWanted(Message):
        """The user does not want to wait for the rest."""

    class BackWanted(Message):
        """The user wants to see the bench again."""

    @dataclass
    class BlockChosen(Message):
        """The user wants this block on the bench."""

        subject: Subject

    def __init__(self, subject: Subject, conditions: Conditions) -> None:
        super().__init__()
        self._subject = subject
        self._conditions = conditions
        self._plan: Plan | None = None

    @property
    def _base(self) -> BlockSpec:
        return self._subject.spec

    def compose(self) -> ComposeResult:
        """The block, the fields, how far it is, the points, the keys."""
        yield FileHead(id="file-head")
        yield SweepForm(self._base, self._conditions, id="sweep-form")
        yield Static("", id="sweep-progress", markup=False)
        yield SweepResults(id="sweep-results")
        yield Notice(id="notice")
        yield Foot(id="foot")

    @property
    def results(self) -> SweepResults:
        """The points."""
        return self.query_one(SweepResults)

    @property
    def middle(self) -> SweepResults:
        """As in every place."""
        return self.results

    @property
    def form(self) -> SweepForm:
        """The fields."""
        return self.query_one(SweepForm)

    def on_mount(self) -> None:
        """Stand in the first field."""
        self._say_base()
        self.form.focus_first()

    def show_base(self, subject: Subject, conditions: Conditions) -> None:
        """Vary this block from now on, under these conditions; the points of another one stay, dimmed."""
        self._subject, self._conditions = subject, conditions
        if self.is_mounted:
            self.form.show_base(subject.spec, conditions)
            self._say_base()

    def _say_base(self) -> None:
        head = self.query_one(FileHead)
        head.file = f"Sweep of {summary(self._base)}"
        own_numbers = self._subject.origin is not None or self._subject.alterations != NOTHING_ALTERED
        head.title = "its shape, with numbers drawn anew" if own_numbers else ""
        head.sizes = Content.styled(in_words(self._conditions), MUTED)
        self._mark_stale()

    def _mark_stale(self) -> None:
        """Dim points that are another block's."""
        state = self.sweep
        another = state is not None and state.shown.plan.base != self._base
        earlier = state is not None and state.shown is not state
        stale = another or earlier
        self.results.set_class(stale, "-stale")
        notice = self.query_one(Notice)
        if state is not None and state.stage is SweepStage.FAILED and (earlier or not another):
            notice.say(f"The sweep failed: {printable(state.words)}", error=True)
        elif earlier:
            notice.say("These points are of the sweep before: they stay until there is a new one.")
        elif another:
            notice.say("These points are of the block that was swept before: r runs the sweep of this one.")
        else:
            notice.text = ""

    def watch_sweep(self, before: SweepState | None, state: SweepState | None) -> None:
        """Show the points that are there, and how far it is."""
        if state is None:
            return
        begins = before is None or before.plan is not state.plan or state.is_running > before.is_running
        results, shown = self.results, state.shown
        if results.plan is not shown.plan:
            results.set_reactive(SweepResults.points, ())
            results.plan = shown.plan
        results.is_running = shown.is_running
        results.points = shown.points
        if begins:
            results.focus_content()
        self._say_progress(state)
        if begins or before is None or before.stage is not state.stage or before.before is not state.before:
            self._mark_stale()
            self.refresh_bindings()

    def _say_progress(self, state: SweepState) -> None:
        there = f"{len(state.points)} of {state.plan.count}"
        line = self.query_one("#sweep-progress", Static)
        match state.stage:
            case SweepStage.RUNNING:
                bar = progress_line(there, state.share, state.seconds_left)
                line.update(Content.assemble(bar, "   ", printable(state.words)), layout=False)
            case SweepStage.DONE:
                line.update(
                    Content.assemble((f"{there} points", "bold"), self._left_out(state)), layout=False
                )
            case _:
                stopped = Content.assemble((f"stopped: {there} points", "bold $text-warning"))
                line.update(Content.assemble(stopped, self._left_out(state)), layout=False)

    @staticmethod
    def _left_out(state: SweepState) -> str:
        """ ", 2 skipped: 3, 5"."""
        parts = []
        for kind in ("skipped", "refused", "failed"):
            names = [
                "/".join(value.text for value in each.values) for each in state.points if each.state == kind
            ]
            if names:
                parts.append(f"   {len(names)} {kind}: {', '.join(names)}")
        return "".join(parts)

    @on(SweepForm.Changed)
    def _form_changed(self, event: SweepForm.Changed) -> None:
        event.stop()
        self._plan = plan = event.plan
        if plan is None:
            self.form.hint("")
            return
        seconds = sum(map(expected_seconds, plan.allowed))
        skipped = plan.count - len(plan.allowed)
        words = f"{plan.count} point{'s' if plan.count != 1 else ''}, {time_in_words(seconds)}"
        self.form.hint(words + (f"; {skipped} the block does not allow" if skipped else ""))

    @on(SweepForm.Wanted)
    def _run_wanted(self, event: SweepForm.Wanted) -> None:
        event.stop()
        self.action_run()

    @on(SweepForm.QuantityChosen)
    def _quantity_chosen(self, event: SweepForm.QuantityChosen) -> None:
        event.stop()
        self.results.quantity = event.quantity

    @on(SweepResults.Moved)
    def _moved(self, event: SweepResults.Moved) -> None:
        event.stop()

    @on(SweepResults.Chosen)
    def _chosen(self, event: SweepResults.Chosen) -> None:
        event.stop()
        plan = self.results.plan
        cell = None if plan is None else plan.cells[event.place]
        if cell is None or cell.spec is None:
            self.notify("There is no such block: the line below the points says why.", timeout=4)
            return
        self.post_message(self.BlockChosen(Subject(cell.spec)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what runs can be stopped, and only what is there looked at."""
        if action == "stop":
            return self.sweep is not None and self.sweep.is_running
        if action in ("table", "export", "quantity", "next_quantity"):
            return self.sweep is not None
        return super().check_action(action, parameters)

    def action_run(self) -> None:
        """Run what the fields say."""
        if self._plan is None:
            self.form.focus_first()
            return
        self.post_message(self.Wanted(self._plan))

    def action_stop(self) -> None:
        """Stop it."""
        self.post_message(self.StopWanted())

    def action_form(self) -> None:
        """Go to the fields."""
        self.form.focus_first()

    def action_leave(self) -> None:
        """From the fields to the points, from there to the bench."""
        if self.form.has_focus_within and self.sweep is not None:
            self.results.focus_content()
        else:
            self.post_message(self.BackWanted())

    def action_table(self) -> None:
        """Show the table, or what is drawn of it."""
        self.results.as_table = not self.results.as_table

    def action_quantity(self, place: int) -> None:
        """Look at another quantity."""
        quantity = list(Quantity)[place]
        self.results.quantity = quantity
        self.form.show_quantity(quantity)

    def action_next_quantity(self) -> None:
        """Look at the next quantity, round and round."""
        quantities = list(Quantity)
        self.action_quantity((quantities.index(self.results.quantity) + 1) % len(quantities))

    @work
    async def action_export(self) -> None:
        """Save the points."""
        if self.sweep is not None:
            await take_sweep_away(self, self.sweep.shown, self.results.quantity)

    @staticmethod
    def help_sections() -> dict[str, tuple[HelpLine, ...]]:
        """What the help says of the keys, by heading."""
        return {
            SweepScreen.HEADING: (*SweepForm.HELP_LINES, *SweepResults.HELP_LINES, *SweepScreen.HELP_LINES),
            "EVERYWHERE": HELP_EVERYWHERE,
        }
