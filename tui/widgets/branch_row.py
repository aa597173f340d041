"""One branch in the form: whether the block has it, and whether with bias and batch norm."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Checkbox

from tui.fusion.spec import BranchKind, BranchSpec
from tui.widgets.square_toggle import SquareToggle

LABELS = {BranchKind.KXK: "k×k", BranchKind.POINTWISE: "1×1", BranchKind.IDENTITY: "identity"}


class BranchRow(Horizontal):
    """Three toggles: the branch, its bias, its batch norm. Those of an absent branch are dimmed."""

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

    def __init__(self, kind: BranchKind, branch: BranchSpec | None) -> None:
        super().__init__(id=f"branch-{kind.name.lower()}")
        self.kind = kind
        shown = branch or BranchSpec(kind)
        name = kind.name.lower()
        self._present = SquareToggle(LABELS[kind], branch is not None, id=f"{name}-present")
        self._bias = SquareToggle("", shown.bias, id=f"{name}-bias", tooltip="its own bias")
        self._norm = SquareToggle("", shown.batch_norm, id=f"{name}-norm", tooltip="a batch norm behind it")
        for toggle, part in ((self._present, "name"), (self._bias, "bias"), (self._norm, "norm")):
            toggle.add_class(f"branch-{part}")

    def compose(self) -> ComposeResult:
        """The three toggles; the identity has no bias of its own."""
        yield self._present
        yield self._bias
        yield self._norm
        self._bias.visible = self.kind.has_weight
        self._enable()

    @property
    def branch(self) -> BranchSpec | None:
        """The branch as it is switched, None where the block has none."""
        if not self._present.value:
            return None
        return BranchSpec(self.kind, bias=self._bias.value, batch_norm=self._norm.value)

    def show(self, branch: BranchSpec | None) -> None:
        """Switch the toggles to this branch, silently; None leaves bias and batch norm as they stand."""
        with self.prevent(Checkbox.Changed):
            self._present.value = branch is not None
            if branch is not None:
                self._bias.value = branch.bias
                self._norm.value = branch.batch_norm
        self._enable()

    def _enable(self) -> None:
        self._bias.disabled = not (self._present.value and self.kind.has_weight)
        self._norm.disabled = not self._present.value

    @on(Checkbox.Changed)
    def _switched(self, event: Checkbox.Changed) -> None:
        event.stop()
        self._enable()
        self.post_message(self.Changed())
