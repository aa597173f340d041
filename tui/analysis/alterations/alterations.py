"""What a user changed by hand in a block that its spec has filled: numbers, and a mistake made on purpose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, isnan, nan

from tui.analysis.alterations.editable import Shape, norm_shapes, shapes_in
from tui.analysis.alterations.gallery import MISTAKES, obstacle
from tui.analysis.side import WrongSide
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.branch_spec import POST_NORM, names_of

INPUT = "input"
"""The place of the input, (batch, in_channels, H, W)."""
FUSED = "fused"
"""Stands for the fused convolution, where other places name a branch."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One number that was set by hand.

    Attributes:
        place: "input", or what of which branch: "kxk.weight", "1x1 #2.bias", "fused.weight". A sequence's
            1 x 1 convolution is "1x1-kxk.first.weight" and "1x1-kxk.first.bias". A batch norm's numbers are
            "kxk.norm.gamma", beta, mean, var and eps, "1x1-kxk.first.norm.var" for the one between the steps
            of a sequence, "post norm.beta" for the one after the sum. A scale is "kxk.alpha" or "kxk.gamma".
            Inside of a sum the second chain's convolution has "1x1>(3x3+1x1).sum.2.conv.weight".
        index: of the number in that tensor.
        value: its new value, rounded to the dtype when it is set.
    """

    place: str
    index: tuple[int, ...]
    value: float

    def __post_init__(self) -> None:
        """Take one NaN for all, so that equal edits compare equal."""
        if isnan(self.value):
            object.__setattr__(self, "value", nan)

    def is_of(self, name: str) -> bool:
        """Whether it is a number of that branch, or of the fused convolution."""
        return self.place.startswith(f"{name}.")


@dataclass(frozen=True, slots=True)
class Alterations:
    """Everything that was changed by hand; by default nothing.

    Attributes:
        edits: at most one for each number, the oldest first. Edits of the fused convolution make it another
            one than the branches come to: a wrong fusion.
        mistake: the name of the mistake with which the block is fused, "" for none.
        finished: whether the fused numbers that were set are those of a kernel that came finished: what
            folding and storing it has rounded is then no fault of theirs.
    """

    edits: tuple[Edit, ...] = ()
    mistake: str = ""
    finished: bool = False

    def __bool__(self) -> bool:
        return bool(self.edits or self.mistake)

    @property
    def alters_fusion(self) -> bool:
        """Whether the fused convolution is made another one than the block comes to, on purpose."""
        fused_wrongly = bool(self.mistake) and MISTAKES[self.mistake].side is not WrongSide.UNFUSED
        return fused_wrongly or any(edit.is_of(FUSED) for edit in self.edits)

    @property
    def brings_finished(self) -> bool:
        """Whether the fused kernel is one that came finished, in some number at least."""
        return self.finished and any(edit.is_of(FUSED) for edit in self.edits)

    @property
    def alters_run(self) -> bool:
        """Whether another block is run as the unfused side than the one that is fused, on purpose."""
        return bool(self.mistake) and MISTAKES[self.mistake].side is not WrongSide.FUSED

    def count_of(self, name: str) -> int:
        """How many numbers of that branch, or of the fused convolution, were set."""
        return sum(edit.is_of(name) for edit in self.edits)

    def value_at(self, place: str, index: tuple[int, ...]) -> float | None:
        """To what that number was set, None where it was not."""
        here = (edit.value for edit in self.edits if (edit.place, edit.index) == (place, index))
        return next(here, None)

    def edited(self, *edits: Edit) -> Alterations:
        """With these numbers set; of the edits of one number the last counts, unless it sets the same."""
        older = {(edit.place, edit.index): edit.value for edit in self.edits}
        new = {
            (edit.place, edit.index): edit
            for edit in edits
            if (edit.place, edit.index) not in older
            or not same_number(older[edit.place, edit.index], edit.value)
        }
        kept = tuple(edit for edit in self.edits if (edit.place, edit.index) not in new)
        return replace(self, edits=(*kept, *new.values()))

    def without(self, place: str, index: tuple[int, ...]) -> Alterations:
        """With this number back at the value that the spec gives it."""
        kept = tuple(edit for edit in self.edits if (edit.place, edit.index) != (place, index))
        return replace(self, edits=kept)

    def fitting(self, spec: BlockSpec) -> Alterations:
        """What of it another block has a place for: numbers, and the mistake if it can be made there."""
        shapes = shapes_of(spec)
        kept = tuple(edit for edit in self.edits if is_inside(edit.index, shapes.get(edit.place)))
        possible = not self.mistake or obstacle(self.mistake, spec) is None
        mistake = self.mistake if possible else ""
        same = (kept, mistake) == (self.edits, self.mistake)
        return self if same else replace(self, edits=kept, mistake=mistake)


NOTHING_ALTERED = Alterations()


def shapes_of(spec: BlockSpec) -> dict[str, Shape]:
    """The shape of every tensor of this block whose numbers can be edited, by its place."""
    shapes: dict[str, Shape] = {INPUT: spec.input_nchw}
    for name, chain in zip(names_of(spec.branches), spec.chains, strict=True):
        shapes |= dict(shapes_in(name, chain))
    if spec.post_norm:
        norm = norm_shapes(spec.out_channels)
        shapes |= {f"{POST_NORM}.{part}": shape for part, shape in norm.items()}
    columns = spec.in_channels // spec.fused_groups
    shapes[f"{FUSED}.weight"] = (spec.out_channels, columns, *spec.fused_kernel_size)
    shapes[f"{FUSED}.bias"] = (spec.out_channels,)
    return shapes


def refusal_of(place: str, value: float) -> str | None:
    """Why that number of a block cannot have that value, None where it can."""
    part = place.rpartition(".")[2]
    if part in ("var", "eps") and value < 0:
        return f"{place} cannot be negative: a batch norm divides by the square root of var + eps"
    if part == "eps" and not isfinite(value):
        return f"{place} must be a finite number, as 1e-05"
    return None


def same_number(one: float, other: float) -> bool:
    """Whether they are equal, or both NaN."""
    return one == other or (isnan(one) and isnan(other))


def is_inside(index: tuple[int, ...], shape: Shape | None) -> bool:
    """Whether a tensor of that shape has a number of that index; None for no tensor."""
    if shape is None or len(index) != len(shape):
        return False
    return all(0 <= number < size for number, size in zip(index, shape, strict=True))
