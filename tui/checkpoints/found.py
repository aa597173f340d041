"""What is found in a checkpoint: blocks, what is left alone and why, and the rest. Knows no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tui.checkpoints.contents import Entry
from tui.fusion.pair_text import Pair, show_pair
from tui.fusion.specs.layer_spec import ChainSpec, LayerSpec

ALREADY_FUSED = "already fused"
"""Why a block is left alone that is fused."""


@dataclass(frozen=True, slots=True)
class FoundLayer:
    """One layer, and where its numbers are.

    Attributes:
        spec: what it is, in numbers.
        names: by what each is ("weight", "running_var", "factor"), the name of its tensor under the prefix.
        word: what it is called where its numbers do not say so: "sobelx".
        number: of a factor that is in no file.
        spread: pixels from one tap of the weight in the file to its next, in a kernel that is written with
            zeros between.
        chains: of a sum.
    """

    spec: LayerSpec
    names: tuple[tuple[str, str], ...] = ()
    word: str = ""
    number: float | None = None
    spread: int = 1
    chains: tuple[tuple[FoundLayer, ...], ...] = ()

    def all_names(self) -> Iterator[str]:
        """The names of all its tensors, under the prefix."""
        for _, name in self.names:
            yield name
        for chain in self.chains:
            for layer in chain:
                yield from layer.all_names()


@dataclass(frozen=True, slots=True)
class FoundBranch:
    """One summand of a block.

    Attributes:
        name: as in the file: "rbr_dense", "rbr_conv.0".
        layers: in a row.
        chain: the same in numbers.
        text: the same as `--branches` takes it: "3x3-bias+norm", "identity+norm".
    """

    name: str
    layers: tuple[FoundLayer, ...]
    chain: ChainSpec
    text: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that no file says.

    Attributes:
        what: "eps", "stride", "padding", "dilation", "groups", "identity".
        value: as text.
        why: in words.
        doubtful: whether it may well be otherwise, and the fused numbers would be too: tables tell it.
    """

    what: str
    value: str
    why: str
    doubtful: bool = False

    @property
    def words(self) -> str:
        """In a line."""
        return f"{self.what} {self.value}: {self.why}"


@dataclass(frozen=True, slots=True)
class FoundBlock:
    """A re-parameterizable block in a checkpoint.

    Attributes:
        prefix: what all its names begin with, without the dot; "" where the file is one block.
        family: the name of its family.
        branches: its summands.
        post_norm: the batch norm after the sum, or None.
        in_channels, out_channels, kernel_size, groups: of the fused convolution.
        reads: the names that the fused tensors take the place of, in the order of the branches.
        dtype: of its convolutions' weights, as in the file, and of the fused tensors.
        fused: the fused weight and bias.
        placeholders: names of the fused tensors that are in the file already: they are written over.
        eps: of its batch norms, by the family.
        has_norm: whether it has any.
        assumed: what no file says.
    """

    prefix: str
    family: str
    branches: tuple[FoundBranch, ...]
    post_norm: FoundLayer | None
    in_channels: int
    out_channels: int
    kernel_size: Pair
    groups: int
    reads: tuple[str, ...]
    dtype: str
    fused: tuple[Entry, Entry]
    placeholders: tuple[str, ...]
    eps: float
    has_norm: bool
    assumed: tuple[Assumption, ...]

    def at(self, prefix: str, wrapper: str = "") -> FoundBlock:
        """This block, which has no prefix, as one that stands there; `wrapper` as of an Entry."""
        dot = f"{prefix}." if prefix else ""
        weight, bias = (Entry(dot + entry.name, entry.shape, entry.dtype, wrapper) for entry in self.fused)
        return replace(
            self,
            prefix=prefix,
            reads=tuple(dot + name for name in self.reads),
            fused=(weight, bias),
            placeholders=tuple(dot + name for name in self.placeholders),
        )

    def full_name(self, name: str) -> str:
        """Of a name under the prefix."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def assumes(self, what: str) -> bool:
        """Whether that is something that no name and no shape in the file says."""
        return any(each.what == what for each in self.assumed)

    @property
    def written_over(self) -> tuple[str, ...]:
        """The names that a fused file does not have any more, or has with other numbers."""
        return (*self.reads, *self.placeholders)

    @property
    def shape_text(self) -> str:
        """ "64 -> 128, 3x3, groups 4"."""
        groups = f", groups {self.groups}" if self.groups > 1 else ""
        return f"{self.in_channels} -> {self.out_channels}, {show_pair(self.kernel_size)}{groups}"

    @property
    def branches_text(self) -> str:
        """All branches as `--branches` takes them."""
        return ", ".join(branch.text for branch in self.branches)


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Something that looks like a block and is not fused.

    Attributes:
        prefix: as of a FoundBlock.
        family: whose it would be; None where that is not certain.
        reason: in words.
        damaged: whether it is no block as names are missing or shapes disagree, and not as it is of a kind
            that is not fused.
    """

    prefix: str
    family: str | None
    reason: str
    damaged: bool = False

    @property
    def already_fused(self) -> bool:
        """Whether it is left alone as it is what a block comes to."""
        return self.reason == ALREADY_FUSED


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a checkpoint was found to be made of.

    Attributes:
        blocks: in the file's order.
        left_alone: what is skipped, in the file's order.
        rest: every name that no block reads or writes over, in the file's order.
    """

    blocks: tuple[FoundBlock, ...]
    left_alone: tuple[LeftAlone, ...]
    rest: tuple[str, ...]
