"""What the user chose: a block, its input and its arithmetic, validated before any torch call."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from tui.fusion.branch_spec import BranchKind, BranchSpec, Pair, Scale
from tui.fusion.padding import conv2d_size_and_padding, taps_apart
from tui.fusion.problems import InvalidSpecError, Problem, problems_of

__all__ = [
    "BlockSpec",
    "BranchKind",
    "BranchSpec",
    "Dtype",
    "InputFill",
    "InvalidSpecError",
    "PaddingMode",
    "Pair",
    "Problem",
    "Scale",
    "WeightFill",
]


class WeightFill(StrEnum):
    """How weights get their values."""

    RANDOM = "random"
    INTEGERS = "integers"
    ONES = "ones"


class InputFill(StrEnum):
    """How the input gets its values."""

    RANDOM = "random"
    INTEGERS = "integers"
    ONES = "ones"
    RAMP = "ramp"
    IMPULSES = "impulses"


class PaddingMode(StrEnum):
    """What stands outside the image; the value is nn.Conv2d's padding_mode."""

    ZEROS = "zeros"
    REFLECT = "reflect"
    REPLICATE = "replicate"
    CIRCULAR = "circular"


class Dtype(StrEnum):
    """The dtype of parameters, input and both runs; the value is torch's name for it."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"

    @property
    def bytes(self) -> int:
        """Bytes that one element takes."""
        return {Dtype.FLOAT64: 8, Dtype.FLOAT32: 4}.get(self, 2)

    @property
    def digits(self) -> int:
        """Significant decimal digits that tell any two of its numbers apart: 1 + ceil(p log10 2), p bits."""
        return {Dtype.FLOAT64: 17, Dtype.FLOAT32: 9, Dtype.BFLOAT16: 4, Dtype.FLOAT16: 5}[self]


@dataclass(frozen=True, slots=True)
class BlockSpec:
    """A block of parallel branches, its input and its arithmetic: all that a user edits.

    Pairs are (height, width). The padding is always "same": with stride s an input of height H gives an
    output of height ceil(H / s), whatever the kernel size and the dilation. `post_norm`: a batch norm behind
    the sum of the branches.

    >>> BlockSpec(in_channels=4, out_channels=4, stride=(2, 2), branches=BlockSpec().branches[:2]).output_nchw
    (1, 4, 5, 5)

    Raises:
        InvalidSpecError: the values make no block that can be built and fused.
    """

    in_channels: int = 2
    out_channels: int = 2
    kernel_size: Pair = (3, 3)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1
    branches: tuple[BranchSpec, ...] = (
        BranchSpec(BranchKind.KXK),
        BranchSpec(BranchKind.POINTWISE),
        BranchSpec(BranchKind.IDENTITY),
    )
    post_norm: bool = False
    padding_mode: PaddingMode = PaddingMode.ZEROS
    input_shape: Pair = (9, 9)
    batch_size: int = 1
    weights: WeightFill = WeightFill.RANDOM
    input: InputFill = InputFill.RANDOM
    dtype: Dtype = Dtype.FLOAT32
    seed: int = 0

    def __post_init__(self) -> None:
        problems = problems_of(self)
        if problems:
            raise InvalidSpecError(problems)

    def branch(self, kind: BranchKind) -> BranchSpec | None:
        """The branch of that kind, None where the block has none."""
        return next((branch for branch in self.branches if branch.kind is kind), None)

    def branch_kernel_size(self, branch: BranchSpec) -> Pair:
        """(kH, kW) of that branch's convolution or pooling, before any dilation."""
        match branch.kind:
            case BranchKind.POINTWISE | BranchKind.IDENTITY:
                return 1, 1
            case BranchKind.ROW:
                return 1, self.kernel_size[1]
            case BranchKind.COLUMN:
                return self.kernel_size[0], 1
            case _:
                return branch.kernel_size or self.kernel_size

    def branch_dilation(self, branch: BranchSpec) -> Pair:
        """The dilation of that branch's taps; pooling has none."""
        match branch.kind:
            case BranchKind.KXK | BranchKind.ROW | BranchKind.COLUMN | BranchKind.POINTWISE_KXK:
                return self.dilation
            case _:
                return branch.dilation or (1, 1)

    def branch_groups(self, branch: BranchSpec) -> int:
        """The groups of that branch's convolutions."""
        return branch.groups or self.groups

    def channels_between(self, branch: BranchSpec) -> int:
        """The channels between the two steps of a sequence; pooling keeps those that it is given."""
        if branch.kind is BranchKind.POINTWISE_AVERAGE:
            return self.out_channels
        return branch.expansion * self.in_channels

    @property
    def fused_groups(self) -> int:
        """The most groups that every branch can be written with."""
        return math.gcd(*(self.branch_groups(branch) for branch in self.branches))

    @property
    def fused_dilation(self) -> Pair:
        """The widest spacing of taps, on each axis, that every branch's taps fall on."""
        steps: tuple[list[int], list[int]] = ([], [])
        for branch in self.branches:
            sizes, dilations = self.branch_kernel_size(branch), self.branch_dilation(branch)
            for axis, (size, dilation) in enumerate(zip(sizes, dilations, strict=True)):
                if size > 1:
                    steps[axis].append(dilation)
        return math.gcd(*steps[0]) or 1, math.gcd(*steps[1]) or 1

    def embedded_kernel_size(self, branch: BranchSpec) -> Pair:
        """(kH, kW) of that branch's kernel at the fused kernel's spacing of taps."""
        sizes = self.branch_kernel_size(branch)
        apart = taps_apart(sizes, self.branch_dilation(branch), self.fused_dilation)
        height, width = map(dilated_size, sizes, apart)
        return height, width

    @property
    def fused_kernel_size(self) -> Pair:
        """(kH, kW) of the fused kernel: the smallest that holds every branch's."""
        sizes = [self.embedded_kernel_size(branch) for branch in self.branches]
        return max(size[0] for size in sizes), max(size[1] for size in sizes)

    @property
    def conv2d_kernel_size(self) -> Pair:
        """(kH, kW) of the nn.Conv2d to take away: the next odd one where it cannot pad an even kernel."""
        return conv2d_size_and_padding(self.fused_kernel_size, self.stride, self.fused_dilation)[0]

    @property
    def input_nchw(self) -> tuple[int, int, int, int]:
        """(batch, in_channels, height, width) of the input."""
        return self.batch_size, self.in_channels, *self.input_shape

    @property
    def output_nchw(self) -> tuple[int, int, int, int]:
        """(batch, out_channels, height, width) of either side's output."""
        height, width = (
            -(-size // stride) for size, stride in zip(self.input_shape, self.stride, strict=True)
        )
        return self.batch_size, self.out_channels, height, width

    def with_branches(self, *, bias: bool | None = None, batch_norm: bool | None = None) -> BlockSpec:
        """The same block with bias or batch norm switched for all its branches (None: left as it is)."""
        switched = tuple(
            replace(
                branch,
                bias=branch.bias if bias is None else bias,
                batch_norm=branch.batch_norm if batch_norm is None else batch_norm,
            )
            for branch in self.branches
        )
        return replace(self, branches=switched)

    def following(self, in_channels: int) -> dict[str, Any]:
        """What else changes for the structure to stay when in_channels does: the fields and their values.

        out_channels follows where it was equal to in_channels; groups, the block's and a branch's own, where
        they were one for each channel.
        """
        follows: dict[str, Any] = {}
        if self.out_channels == self.in_channels:
            follows["out_channels"] = in_channels
        if self._is_depthwise(self.groups):
            follows["groups"] = in_channels
        branches = tuple(
            replace(branch, groups=in_channels) if self._is_depthwise(branch.groups) else branch
            for branch in self.branches
        )
        return follows if branches == self.branches else follows | {"branches": branches}

    def _is_depthwise(self, groups: int | None) -> bool:
        return groups == self.in_channels > 1

    def with_in_channels(self, in_channels: int) -> BlockSpec:
        """The same structure with that many channels, as `following` has it."""
        return replace(self, in_channels=in_channels, **self.following(in_channels))

    def changes_from(self, other: BlockSpec) -> list[str]:
        """Names of the fields in which the two differ."""
        names = [field.name for field in fields(self)]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


def dilated_size(kernel_size: int, dilation: int) -> int:
    """Taps of an axis after zeros have been inserted, `dilation` - 1 between each two taps.

    (k - 1) r + 1 for odd k. Even k gets r - 1 zeros in front as well, k r in all, so that the centre tap
    (k - 1) // 2 of before is the centre tap of after.
    """
    if kernel_size == 1:
        return 1
    return (kernel_size - 1) * dilation + 1 if kernel_size % 2 else kernel_size * dilation
