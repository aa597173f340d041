"""Which number of a block stands behind a tap that the screen shows, where one does."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from tui.analysis.alterations.alterations import FUSED, Edit, shapes_of
from tui.analysis.alterations.editable import Shape, editable_of, numbers_of, place_of
from tui.fusion.named_kernels import NAMED_KERNELS
from tui.fusion.refusal import Refusal
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.branch_spec import BranchSpec, Pair, names_of
from tui.fusion.specs.layer_spec import ChainSpec, LayerSpec
from tui.fusion.specs.padding import taps_apart
from tui.fusion.tap import Tap

MOST_EDITS = 20_000
"""Numbers that are set at once."""

Index = tuple[int, ...]


class NotEditableError(Refusal, ValueError):
    """No number of the block stands there; the message says why, for the user."""


@dataclass(frozen=True, slots=True)
class EditablePlace:
    """A number that can be edited.

    Attributes:
        name: of its tensor, as `shapes_of` has it.
        index: of the number in it.
        remark: what is done with it before the screen shows it: "before its batch norm", or "".
    """

    name: str
    index: Index
    remark: str = ""

    @property
    def words(self) -> str:
        """As people write it: "kxk.weight[0,1,2,2]"."""
        return f"{self.name}[{','.join(map(str, self.index))}]"


def weight_place(spec: BlockSpec, summand: str, tap: tuple[int, int, int, int]) -> EditablePlace:
    """The weight behind the tap (out, in, ky, kx) of a summand's kernel in the fused kernel's frame.

    The summand's kernel may stand in a larger frame, with zeros between its taps and between its groups:
    those zeros are not numbers of the block.

    Raises:
        NotEditableError: no weight stands there.
    """
    if summand == FUSED:
        return EditablePlace(f"{FUSED}.weight", tap)
    branch = _branch_named(spec, summand)
    layer = _weighted_layer(spec.chain_of(branch), summand)
    out, column, ky, kx = tap
    column = _own_column(spec, branch, out, column)
    rows = _own_tap(spec, branch, 0, ky)
    columns = _own_tap(spec, branch, 1, kx)
    name = place_of(summand, layer.name, "weight", spec.chain_of(branch).names)
    return EditablePlace(name, (out, column, rows, columns), _remark(spec, branch))


@dataclass(frozen=True, slots=True)
class InFrame:
    """Where a summand's weight stands in its kernel in the frame; the reverse of `weight_place`.

    Attributes:
        rows, columns: the frame's tap of each of its own rows and columns.
        group, fused_group: (out_channels, in_channels) of one group, its own and the fused kernel's.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    group: Pair
    fused_group: Pair

    def tap(self, index: Index) -> Tap:
        """The tap at which the weight of that index stands."""
        out, own, row, column = index
        return Tap(out, own + self.first_column(out), self.rows[row], self.columns[column])

    def own_row(self, ky: int) -> int | None:
        """The weight's own row at that row of the frame, None where the frame has a zero."""
        return self.rows.index(ky) if ky in self.rows else None

    def own_column(self, kx: int) -> int | None:
        """The weight's own column at that column of the frame, None where the frame has a zero."""
        return self.columns.index(kx) if kx in self.columns else None

    def first_column(self, out: int) -> int:
        """The column of the fused kernel in which the weight's own first column of that channel stands."""
        return out // self.group[0] * self.group[1] - out // self.fused_group[0] * self.fused_group[1]


def in_frame(spec: BlockSpec, summand: str) -> InFrame | None:
    """Where the weight of a summand stands, None for what is no branch and not the fused kernel."""
    fused_group = _group(spec, spec.fused_groups)
    if summand == FUSED:
        height, width = spec.fused_kernel_size
        return InFrame(tuple(range(height)), tuple(range(width)), fused_group, fused_group)
    branch = dict(zip(names_of(spec.branches), spec.branches, strict=True)).get(summand)
    if branch is None:
        return None
    places = []
    for axis, size in enumerate(spec.branch_kernel_size(branch)):
        first, step = _grid_of_taps(spec, branch, axis)
        places.append(tuple(range(first, first + size * step, step)))
    return InFrame(places[0], places[1], _group(spec, spec.branch_groups(branch)), fused_group)


def bias_place(spec: BlockSpec, summand: str, out: int) -> EditablePlace:
    """The bias of an output channel of a summand.

    Raises:
        NotEditableError: the summand has no bias of its own.
    """
    if summand == FUSED:
        return EditablePlace(f"{FUSED}.bias", (out,))
    branch = _branch_named(spec, summand)
    chain = spec.chain_of(branch)
    name = place_of(summand, chain.layers[chain.main].name, "bias", chain.names)
    if name not in shapes_of(spec):
        raise NotEditableError(f"{summand} has no bias of its own: switch it on in the form (f).")
    return EditablePlace(name, (out,), _remark(spec, branch))


def kernel_edits(name: str, shape: Shape, kernel: str, pair: Pair | None = None) -> tuple[Edit, ...]:
    """The edits that put a kernel, by its name, into a weight (out_channels, in_channels / groups, kH, kW).

    For the pair (out, in) of channels alone; without a pair for each output channel o and column
    o mod (in_channels / groups), and zeros elsewhere.

    Raises:
        NotEditableError: the kernel does not fit, or the weight is too large to be written out as edits.
    """
    taps = NAMED_KERNELS[kernel].of_size((shape[2], shape[3]))
    if taps is None:
        raise NotEditableError(f"{kernel} does not fit into {shape[2]}×{shape[3]} taps.")
    if pair is None and prod(shape) > MOST_EDITS:
        raise NotEditableError(
            f"This weight has {prod(shape):,} numbers, too many to set by hand: choose one pair of channels."
        )
    pairs = [pair] if pair else [(out, column) for out in range(shape[0]) for column in range(shape[1])]
    return tuple(
        Edit(name, (out, column, y, x), float(value) if pair or column == out % shape[1] else 0.0)
        for out, column in pairs
        for y, row in enumerate(taps)
        for x, value in enumerate(row)
    )


def _branch_named(spec: BlockSpec, summand: str) -> BranchSpec:
    for name, branch in zip(names_of(spec.branches), spec.branches, strict=True):
        if name == summand:
            return branch
    raise NotEditableError(
        "This offset comes from the batch norm after the sum: s shows its step, where enter sets it."
    )


def _weighted_layer(chain: ChainSpec, summand: str) -> LayerSpec:
    """The layer whose weight the summand's kernel shows, but for what rescales it."""
    layer = chain.layers[0]
    if chain.main > 0:
        both = sum(not each.rescales for each in chain.layers) == 2
        layers, over = ("two layers", "both") if both else ("several layers", "all of them")
        raise NotEditableError(
            f"{summand} is {layers}, and each of these numbers a sum over {over}: s shows its steps, where "
            "enter sets the numbers of each layer."
        )
    if "weight" not in numbers_of(layer):
        raise NotEditableError(editable_of(layer).weightless or f"{summand} has no weights of its own.")
    return layer


def _own_column(spec: BlockSpec, branch: BranchSpec, out: int, column: int) -> int:
    """The branch's own column behind a column of the fused kernel, which may have fewer groups."""
    groups = spec.branch_groups(branch)
    group, fused_group = _group(spec, groups), _group(spec, spec.fused_groups)
    own = column - (out // group[0] * group[1] - out // fused_group[0] * fused_group[1])
    if not 0 <= own < spec.in_channels // groups:
        raise NotEditableError(
            f"This 0 stands between two of the branch's {groups} groups; it is not a weight."
        )
    return own


def _group(spec: BlockSpec, groups: int) -> Pair:
    """(out_channels, in_channels) of one of so many groups."""
    return spec.out_channels // groups, spec.in_channels // groups


def _own_tap(spec: BlockSpec, branch: BranchSpec, axis: int, place: int) -> int:
    """The branch's own tap on an axis behind a tap of the fused kernel's frame."""
    first, step = _grid_of_taps(spec, branch, axis)
    own, rest = divmod(place - first, step)
    if rest or not 0 <= own < spec.branch_kernel_size(branch)[axis]:
        raise NotEditableError(_words_for_zero(spec.branch_kernel_size(branch), rest != 0))
    return own


def _grid_of_taps(spec: BlockSpec, branch: BranchSpec, axis: int) -> tuple[int, int]:
    """The frame's tap at which the branch's first one stands, and how far its taps lie apart."""
    sizes = spec.branch_kernel_size(branch)
    step = taps_apart(sizes, spec.branch_dilation(branch), spec.fused_dilation)[axis]
    return spec.first_tap(branch)[axis], step


def _words_for_zero(kernel_size: Pair, between: bool) -> str:
    if between:
        return "This 0 stands between two taps of a dilated kernel; it is not a weight."
    height, width = kernel_size
    return f"This 0 pads the branch's {height}×{width} kernel to the fused kernel's size; it is not a weight."


def _remark(spec: BlockSpec, branch: BranchSpec) -> str:
    behind = [editable_of(layer).called or layer.kind for layer in spec.chain_of(branch).tail]
    behind += ["post norm"] if spec.post_norm else []
    return f"before its {' and '.join(behind)}" if behind else ""
