"""The form in which a user edits a BlockSpec; what is wrong is said at its field, at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.message import Message
from textual.reactive import var
from textual.widgets import Input, Static

from tui.analysis.origin import Origin
from tui.fusion.grammar.fields import FIELDS, spec_from, texts_of
from tui.fusion.grammar.text_error import TextError
from tui.fusion.presets import PRESETS, preset_named
from tui.fusion.specs.block_spec import BlockSpec, InvalidSpecError, Problem
from tui.widgets.foot_key import FootKey
from tui.widgets.form.branch_list import BranchList
from tui.widgets.form.choice import Choice
from tui.widgets.form.origin_pane import OriginPane
from tui.widgets.form.value_input import ValueInput

BLOCK = (
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "dilation",
    "groups",
    "padding",
    "padding_mode",
)
NORMS = ("post_norm", "eps")
INPUT = ("input_shape", "batch_size", "input", "weights", "dtype", "seed")
BRANCHES = "branches"
"""The field of the list."""


class FieldRow(Horizontal):
    """A label, which it draws itself, and its control on one line."""

    def __init__(self, name: str, control: ValueInput | Choice, label: str) -> None:
        super().__init__(id=f"row-{name}")
        self._label = Content(label)
        self._control = control

    def compose(self) -> ComposeResult:
        """The control, to the right of the label."""
        yield self._control

    def render(self) -> Content:
        """The label."""
        return self._label


class ParameterForm(VerticalScroll):
    """Every field of a BlockSpec. Posts `Edited` with the new spec, or `Refused` with what is wrong."""

    FOOT_KEYS: ClassVar[tuple[FootKey, ...]] = (
        FootKey("field", ("form.previous", "form.next")),
        FootKey("value", ("choice.previous", "choice.next")),
        FootKey("to the view", ("bench.grids",)),
        FootKey("add a branch", ("bench.add-branch",)),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "Next field", show=False, id="form.next"),
        Binding("up", "app.focus_previous", "Previous field", show=False, id="form.previous"),
    ]

    spec: var[BlockSpec] = var(BlockSpec, init=False, always_update=True)
    """The last valid spec of the form; set it to fill the fields, which may hold no valid one at present."""

    @dataclass
    class Edited(Message):
        """The fields make a valid spec, another than before, of a block from there."""

        spec: BlockSpec
        origin: Origin | None

    @dataclass
    class Refused(Message):
        """The fields make no valid spec; the last valid one stands."""

        problems: tuple[Problem, ...]

    def __init__(self, spec: BlockSpec, origin: Origin | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id, can_focus=False)
        self._followed = spec
        self._origin = origin
        self._controls: dict[str, ValueInput | Choice] = {}
        self._complaints: dict[str, Static] = {}
        self.set_reactive(ParameterForm.spec, spec)

    def compose(self) -> ComposeResult:
        """Where to start from, then the block, its branches, its input."""
        yield Static("PRESET", id="preset-heading", classes="section")
        yield Choice(tuple(PRESETS), preset_named(self.spec), id="preset", blank="your own", listed=True)
        yield OriginPane(id="origin")
        yield Static("BLOCK", classes="section")
        yield from self._rows(BLOCK)
        with Horizontal(classes="section-columns"):
            yield Static("BRANCHES", classes="section")
            yield Static("bias", classes="column")
            yield Static("norm", classes="column")
        yield BranchList(self.spec.branches)
        yield from self._rows(NORMS)
        yield Static("INPUT", classes="section")
        yield from self._rows(INPUT)

    def on_mount(self) -> None:
        """Have only those fields edited that may be."""
        self._show_origin()
        self._show_image()

    def show(self, spec: BlockSpec, origin: Origin | None) -> None:
        """Fill the fields with a whole other block, from there."""
        self._origin = origin
        self._show_origin()
        self.spec = spec

    def _show_origin(self) -> None:
        """Say where the block comes from; what it is cannot be edited then, only how it is run."""
        origin = self._origin
        self.query_one(OriginPane).origin = origin
        self.set_class(origin is not None, "-given")
        for name, control in self._controls.items():
            control.disabled = origin is not None and name not in origin.free
        self.query_one(BranchList).disabled = origin is not None

    def _show_image(self) -> None:
        """Say where the image comes from, where the block brings one and runs on it."""
        words = "" if self._origin is None else self._origin.image_of(self.spec)
        self.query_one("#input", Choice).told = {str(self.spec.input): words} if words else {}

    def _rows(self, names: Iterable[str]) -> ComposeResult:
        texts = texts_of(self.spec)
        for name in names:
            field = FIELDS[name]
            with self.prevent(Input.Changed):  # an Input tells of its first value too, and that is no edit
                control = (
                    Choice(field.choices, texts[name], id=name)
                    if field.choices
                    else ValueInput(texts[name], id=name)
                )
            self._controls[name] = control
            yield FieldRow(name, control, field.label)

    def unfold(self, unfolded: bool) -> None:
        """Come into sight on a screen that is too narrow for it, or go. What it holds is not styled anew."""
        self.set_class(unfolded, "-open", update=False)
        self.app.stylesheet.update_nodes([self])

    def leave_out(self, left_out: bool) -> None:
        """Go, where something else has all the room, or come back. What it holds is not styled anew."""
        self.set_class(left_out, "-left-out", update=False)
        self.app.stylesheet.update_nodes([self])

    @property
    def is_unfolded(self) -> bool:
        """Whether it is in sight on a narrow screen, too."""
        return self.has_class("-open")

    def focus_first(self) -> None:
        """Put the focus on the first field."""
        first = "#preset" if self._origin is None else "#input_shape"
        self.query_one(first).focus()

    def watch_spec(self, spec: BlockSpec) -> None:
        """Fill the fields, silently."""
        self._show_image()
        if spec == self._read_or_none():
            self._show_problems(())
            self._show_preset()
            return
        with self.prevent(Input.Changed, Choice.Changed):
            for name, text in texts_of(spec).items():
                if name in self._controls:
                    self._controls[name].value = text
            self.query_one(BranchList).branches = spec.branches
        self._show_problems(())
        self._show_preset()

    @on(Choice.Changed, "#preset")
    def _take_preset(self, event: Choice.Changed) -> None:
        event.stop()
        event.prevent_default()
        self.spec = PRESETS[event.value].spec
        self.post_message(self.Edited(self.spec, None))

    @on(DescendantFocus)
    def _remember_what_follows(self, event: DescendantFocus) -> None:
        """Judge by the spec before the typing: on the way from 8 to 12 depthwise channels there is 1."""
        if event.widget.id == "in_channels":
            self._followed = self.spec

    @on(Input.Changed, "#in_channels")
    def _follow(self, event: Input.Changed) -> None:
        """Let out channels, and the groups of a depthwise block, follow where they were as many."""
        try:
            in_channels = FIELDS["in_channels"].parse(event.value)
        except TextError:
            return
        with self.prevent(Input.Changed):
            for name, value in self._followed.following(in_channels).items():
                if name == "branches":
                    self.query_one(BranchList).branches = value
                else:
                    self.query_one(f"#{name}", ValueInput).value = str(value)

    @on(Input.Changed)
    @on(BranchList.Changed)
    @on(Choice.Changed)
    def _read_fields(self, event: Input.Changed | BranchList.Changed | Choice.Changed) -> None:
        event.stop()
        if isinstance(event, Choice.Changed) and event.choice.id == "preset":
            return
        try:
            spec = self._read()
        except InvalidSpecError as error:
            self._show_problems(error.problems)
            self.post_message(self.Refused(error.problems))
            return
        self._show_problems(())
        self.set_reactive(ParameterForm.spec, spec)
        self._show_preset()
        self._show_image()
        self.post_message(self.Edited(spec, self._origin))

    def _read(self) -> BlockSpec:
        """The spec that stands in the fields; raises InvalidSpecError."""
        texts = {name: control.value or "" for name, control in self._controls.items()}
        return spec_from(texts, self.spec, branches=self.query_one(BranchList).branches)

    def _read_or_none(self) -> BlockSpec | None:
        try:
            return self._read()
        except InvalidSpecError:
            return None

    def _show_preset(self) -> None:
        self.query_one("#preset", Choice).value = preset_named(self.spec)

    def _show_problems(self, problems: tuple[Problem, ...]) -> None:
        for name in (*self._controls, BRANCHES):
            said = "\n".join(problem.message for problem in problems if problem.field == name)
            complaint = self._complaints.get(name)
            if said == ("" if complaint is None else complaint.content):  # an update lays the form out anew
                continue
            if complaint is None:
                self._complain(name, said)
            else:
                complaint.update(said)
                complaint.set_class(bool(said), "-said")
            if name in self._controls:
                self._controls[name].set_class(bool(said), "-wrong")

    def _complain(self, name: str, said: str) -> None:
        """Make room for the complaint about a field; most fields never have one."""
        complaint = Static(said, id=f"complaint-{name}", classes="complaint -said", markup=False)
        self._complaints[name] = complaint
        above = self.query_one(BranchList if name == BRANCHES else f"#row-{name}")
        self.mount(complaint, after=above)
