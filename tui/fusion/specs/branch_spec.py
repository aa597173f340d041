"""One branch of a block as the user chose it: its kind and its options."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.fusion.pair_text import Pair as Pair
from tui.fusion.pair_text import shortest, show_pair
from tui.fusion.specs.layer_spec import ChainSpec
from tui.fusion.specs.part import Part, title_of

POST_NORM = "post norm"
"""The name of the summand that holds the offset of the batch norm after the sum."""


class BranchKind(StrEnum):
    """The kinds of branch; the value is its name (SIZED's is its kernel size instead)."""

    KXK = "kxk"
    POINTWISE = "1x1"
    IDENTITY = "identity"
    ROW = "1xk"
    COLUMN = "kx1"
    SIZED = "conv"
    AVERAGE = "avg"
    POINTWISE_KXK = "1x1-kxk"
    POINTWISE_AVERAGE = "1x1-avg"
    CHAIN = "chain"

    @property
    def has_weight(self) -> bool:
        """Whether the branch has a convolution, with a weight and perhaps a bias of its own."""
        return self not in (BranchKind.IDENTITY, BranchKind.AVERAGE, BranchKind.CHAIN)

    @property
    def has_options(self) -> bool:
        """Whether a norm and a scale behind it are options of the branch; those of a chain are its layers."""
        return self is not BranchKind.CHAIN

    @property
    def is_sequence(self) -> bool:
        """Whether the branch is a 1x1 convolution and something after it."""
        return self in (BranchKind.POINTWISE_KXK, BranchKind.POINTWISE_AVERAGE)


class Scale(StrEnum):
    """What multiplies a branch's output; the value is the option's name."""

    NONE = ""
    ALPHA = "alpha"
    """One learned number for the branch (QARepVGG)."""
    GAMMA = "gamma"
    """One learned number an output channel (layer scale, as in FastViT)."""


@dataclass(frozen=True, slots=True)
class BranchSpec:
    """One branch: a kind, and what is on it.

    Attributes:
        bias: of each convolution in the branch.
        batch_norm: after the branch, before its scale.
        kernel_size, dilation: of a SIZED convolution; the other kinds take the block's.
        groups: of its convolutions, None for the block's.
        scale: what multiplies the output.
        inner_norm: sequences: a batch norm between the two steps. What lies outside the image then reads as
            its value at zero, as DBB pads it, so that the border is exact.
        identity_offset: sequences: the 1x1 stores its weight minus the identity (DBB's idconv).
        expansion: 1x1-kxk: channels between the two steps, as a multiple of in_channels.
        zero_border: sequences: plain zeros are padded between the two steps.
        padding: its own, above and at the left; None where its centre stands on the fused kernel's.
        parts: of a CHAIN: its layers as they were written.
        chain: of a CHAIN that was not written: its layers, all in numbers.
        label: of a CHAIN: its title.
    """

    kind: BranchKind
    bias: bool = True
    batch_norm: bool = False
    kernel_size: Pair | None = None
    dilation: Pair | None = None
    groups: int | None = None
    scale: Scale = Scale.NONE
    inner_norm: bool = False
    identity_offset: bool = False
    expansion: int = 1
    zero_border: bool = False
    padding: Pair | None = None
    parts: tuple[Part, ...] = ()
    chain: ChainSpec | None = None
    label: str = ""

    def __post_init__(self) -> None:
        """Drop what the kind has no use for, so that equal branches compare equal."""
        self._drop_unless(self.kind.has_weight, bias=False, groups=None)
        self._drop_unless(self.kind.is_sequence, inner_norm=False, identity_offset=False)
        self._drop_unless(self.kind.is_sequence or self.kind is BranchKind.CHAIN, zero_border=False)
        self._drop_unless(self.kind is BranchKind.POINTWISE_KXK, expansion=1)
        self._drop_unless(self.kind is BranchKind.CHAIN, parts=(), chain=None, label="")
        self._drop_unless(self.kind.has_options, batch_norm=False, scale=Scale.NONE)
        if self.kind is BranchKind.SIZED and self.kernel_size == (1, 1):
            object.__setattr__(self, "kind", BranchKind.POINTWISE)
        if self.kind is BranchKind.SIZED:
            object.__setattr__(self, "kernel_size", self.kernel_size or (3, 3))
            object.__setattr__(self, "dilation", self.dilation or (1, 1))
        else:
            self._drop_unless(False, kernel_size=None, dilation=None)

    @classmethod
    def of_chain(cls, chain: ChainSpec, label: str) -> BranchSpec:
        """A branch that was not written: of these layers, under that title."""
        return cls(BranchKind.CHAIN, chain=chain, label=label)

    def _drop_unless(self, wanted: bool, **without: object) -> None:
        if not wanted:
            for name, value in without.items():
                object.__setattr__(self, name, value)

    @property
    def title(self) -> str:
        """The kind as people write it: "kxk", "5x5", "3x3d2" for a dilated one."""
        if self.kernel_size is None:
            return self.label or title_of(self.parts) or str(self.kind)
        dilated = "" if self.dilation is None or self.dilation == (1, 1) else f"d{shortest(self.dilation)}"
        return f"{show_pair(self.kernel_size)}{dilated}"


def names_of(branches: tuple[BranchSpec, ...]) -> list[str]:
    """A name for each branch: its title, and a number after it where the block has several of that title."""
    titles = [branch.title for branch in branches]
    seen: dict[str, int] = {}
    names = []
    for title in titles:
        seen[title] = seen.get(title, 0) + 1
        names.append(f"{title} #{seen[title]}" if titles.count(title) > 1 else title)
    return names
