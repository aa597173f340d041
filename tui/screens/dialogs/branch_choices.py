"""What a branch can be made of, to be ticked: its kind and its options, each with what it means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tui.fusion.grammar.not_linear import WHY
from tui.fusion.specs.branch_spec import BranchKind, BranchSpec, Scale


@dataclass(frozen=True, slots=True)
class KindChoice:
    """A kind of branch.

    Attributes:
        name: as the list shows it.
        short, words: what it is, in few words and in a sentence.
        kind: None for what no branch can be.
    """

    name: str
    short: str
    words: str
    kind: BranchKind | None

    def is_of(self, branch: BranchSpec | None) -> bool:
        """Whether the branch is of that kind."""
        return branch is not None and branch.kind is self.kind

    def applied_to(self, branch: BranchSpec | None) -> BranchSpec | None:
        """The branch made one of that kind, with those of its options that the kind has; None for none."""
        if self.kind is None:
            return None
        if branch is None:
            return BranchSpec(self.kind, kernel_size=_size_of(self.kind))
        bias = branch.bias or not branch.kind.has_weight  # what had no weight chose no bias
        size = branch.kernel_size or _size_of(self.kind)
        return replace(branch, kind=self.kind, bias=bias, kernel_size=size)


def _size_of(kind: BranchKind) -> tuple[int, int] | None:
    return (5, 5) if kind is BranchKind.SIZED else None


@dataclass(frozen=True, slots=True)
class OptionChoice:
    """An option of a branch.

    Attributes:
        name: as it is written.
        short, words: what it is, in few words and in a sentence.
        suits: whether a branch of that kind can have it.
        is_on: whether the branch has it.
        switched: the branch with it, or without it where it has it.
    """

    name: str
    short: str
    words: str
    suits: Callable[[BranchKind], bool]
    is_on: Callable[[BranchSpec], bool]
    switched: Callable[[BranchSpec], BranchSpec]


KINDS: tuple[KindChoice, ...] = (
    KindChoice(
        "kxk", "the block's own size", "A convolution of the block's own kernel size.", BranchKind.KXK
    ),
    KindChoice("1x1", "one tap", "A 1×1 convolution: fused, it is the centre tap.", BranchKind.POINTWISE),
    KindChoice(
        "identity", "the input itself", "The input itself: fused, it is a Dirac kernel.", BranchKind.IDENTITY
    ),
    KindChoice("1xk", "one row", "A convolution of one row of the kernel, as in ACNet.", BranchKind.ROW),
    KindChoice("kx1", "one column", "A convolution of one column, as in ACNet.", BranchKind.COLUMN),
    KindChoice(
        "5x5, 3x3d2",
        "a size of its own",
        "A kernel size of its own, written as 5x5 or, dilated by 2, 3x3d2 (RepLKNet, UniRepLKNet).",
        BranchKind.SIZED,
    ),
    KindChoice(
        "avg", "average pooling", "Average pooling over the kernel (DBB, QARepVGG V2).", BranchKind.AVERAGE
    ),
    KindChoice(
        "1x1-kxk",
        "1×1, then k×k",
        "A 1×1 convolution and a k×k one after it: fused, the product of both (DBB).",
        BranchKind.POINTWISE_KXK,
    ),
    KindChoice(
        "1x1-avg",
        "1×1, then pooling",
        "A 1×1 convolution and average pooling after it (DBB).",
        BranchKind.POINTWISE_AVERAGE,
    ),
    KindChoice("relu", "not linear", f"relu {WHY}.", None),
)
"""In the order of the list."""


STARTS_WITH = BranchSpec(BranchKind.KXK)
"""The branch whose options are shown before one is written."""


def _scale(scale: Scale) -> Callable[[BranchSpec], BranchSpec]:
    return lambda branch: replace(branch, scale=Scale.NONE if branch.scale is scale else scale)


def _any(_: BranchKind) -> bool:
    return True


OPTIONS: tuple[OptionChoice, ...] = (
    OptionChoice(
        "+norm",
        "a batch norm after it",
        "A batch norm after the branch: it is folded into weights and bias.",
        _any,
        lambda branch: branch.batch_norm,
        lambda branch: replace(branch, batch_norm=not branch.batch_norm),
    ),
    OptionChoice(
        "-bias",
        "without bias",
        "Its convolutions have no bias of their own.",
        lambda kind: kind.has_weight,
        lambda branch: not branch.bias,
        lambda branch: replace(branch, bias=not branch.bias),
    ),
    OptionChoice(
        "+alpha",
        "times one number",
        "The branch times one learned number (QARepVGG).",
        _any,
        lambda branch: branch.scale is Scale.ALPHA,
        _scale(Scale.ALPHA),
    ),
    OptionChoice(
        "+gamma",
        "times one a channel",
        "The branch times one learned number an output channel: layer scale (FastViT).",
        _any,
        lambda branch: branch.scale is Scale.GAMMA,
        _scale(Scale.GAMMA),
    ),
    OptionChoice(
        "+g2",
        "groups of its own",
        "Groups of its own for its convolutions, written as +g2, +g4 and so on.",
        lambda kind: kind.has_weight,
        lambda branch: branch.groups is not None,
        lambda branch: replace(branch, groups=2 if branch.groups is None else None),
    ),
    OptionChoice(
        "+inner",
        "a norm between",
        "Sequences: a batch norm between the steps; the border is padded with its value at zero.",
        lambda kind: kind.is_sequence,
        lambda branch: branch.inner_norm,
        lambda branch: replace(branch, inner_norm=not branch.inner_norm),
    ),
    OptionChoice(
        "+idconv",
        "minus the identity",
        "Sequences: the 1×1 is stored minus the identity (DBB).",
        lambda kind: kind.is_sequence,
        lambda branch: branch.identity_offset,
        lambda branch: replace(branch, identity_offset=not branch.identity_offset),
    ),
    OptionChoice(
        "+x2",
        "channels between",
        "1x1-kxk: twice the channels between the steps; +x4 and so on for more.",
        lambda kind: kind is BranchKind.POINTWISE_KXK,
        lambda branch: branch.expansion != 1,
        lambda branch: replace(branch, expansion=2 if branch.expansion == 1 else 1),
    ),
    OptionChoice(
        "+zeros",
        "zeros between",
        "Sequences: plain zeros padded between the steps; right only where the 1×1 adds nothing.",
        lambda kind: kind.is_sequence,
        lambda branch: branch.zero_border,
        lambda branch: replace(branch, zero_border=not branch.zero_border),
    ),
    OptionChoice(
        "+p0",
        "padding of its own",
        "A padding of its own, +p1, +p0x2 and so on: as much smaller, as far it stands inside.",
        _any,
        lambda branch: branch.padding is not None,
        lambda branch: replace(branch, padding=(0, 0) if branch.padding is None else None),
    ),
)
"""In the order of the list."""
