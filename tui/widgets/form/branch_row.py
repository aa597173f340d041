"""One branch in the form: its kind, whether it is switched on, and whether with bias and batch norm."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Checkbox

from tui.fusion.specs.branch_spec import BranchSpec, Scale
from tui.widgets.form.square_toggle import SquareToggle

_MARKS = {Scale.NONE: "", Scale.ALPHA: " α", Scale.GAMMA: " γ"}


def label_of(branch: BranchSpec) -> str:
    """The branch in few columns: its title, its scale, and "…" where it has options beyond those shown."""
    if branch.chain is not None:
        return branch.title
    told = BranchSpec(
        branch.kind,
        bias=branch.bias,
        batch_norm=branch.batch_norm,
        kernel_size=branch.kernel_size,
        dilation=branch.dilation,
        scale=branch.scale,
    )
    return branch.title + _MARKS[branch.scale] + ("" if branch == told else " …")


class BranchRow(Horizontal):
    """Three toggles: the branch, its bias, its batch norm. Those of a branch that is off are dimmed."""

    DEFAULT_CSS = """
    BranchRow {
        height: 1;
        & > .branch-name { width: 12; }
        & > .branch-bias { width: 6; }
        & > .branch-norm { width: 6; }
    }
    """

    class Changed(Message):
        """One of the toggles was switched by the user."""

    def __init__(self, position: int, branch: BranchSpec) -> None:
        super().__init__()
        self._branch = branch
        self.present, self._bias, self._norm = (
            SquareToggle(label, value, id=f"branch-{position}-{part}", classes=f"branch-{part}", tooltip=tip)
            for part, label, value, tip in (
                ("name", label_of(branch), True, None),
                ("bias", "", branch.bias, "a bias of its own"),
                ("norm", "", branch.batch_norm, "a batch norm after it"),
            )
        )

    def compose(self) -> ComposeResult:
        """The three toggles; what has no weight has no bias of its own."""
        yield self.present
        yield self._bias
        yield self._norm
        self._show_what_is_switched()
        self._enable()

    @property
    def branch(self) -> BranchSpec:
        """The branch as it is switched here, whether it is on or off."""
        return replace(self._branch, bias=self._bias.value, batch_norm=self._norm.value)

    @property
    def is_on(self) -> bool:
        """Whether the block has this branch."""
        return self.present.value

    def show(self, branch: BranchSpec) -> None:
        """Become the row of this branch, switched on, silently."""
        self._branch = branch
        with self.prevent(Checkbox.Changed):
            self.present.label = label_of(branch)
            self.present.value = True
            self._bias.value = branch.bias
            self._norm.value = branch.batch_norm
        self._show_what_is_switched()
        self._enable()

    def _show_what_is_switched(self) -> None:
        self._bias.visible = self._branch.kind.has_weight
        self._norm.visible = self._branch.kind.has_options

    def _enable(self) -> None:
        self._bias.disabled = not (self.is_on and self._branch.kind.has_weight)
        self._norm.disabled = not self.is_on

    @on(Checkbox.Changed)
    def _switched(self, event: Checkbox.Changed) -> None:
        event.stop()
        self._enable()
        self.post_message(self.Changed())
