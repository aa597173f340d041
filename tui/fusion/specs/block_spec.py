"""What the user chose: a block, its input and its arithmetic, validated before any torch call."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Literal

from tui.fusion.specs.branch_chain import chain_of, frame_of
from tui.fusion.specs.branch_spec import BranchKind, BranchSpec, Pair, Scale
from tui.fusion.specs.frame import Frame
from tui.fusion.specs.layer_spec import USUAL_EPS, ChainSpec, aligned_spacing, embedded_size
from tui.fusion.specs.padding import SAME, Conv2dFrame, conv2d_frame, offset_in
from tui.fusion.specs.problems import InvalidSpecError, Problem, problems_of

__all__ = [
    "SAME",
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

    Pairs are (height, width). `padding`: "same" as torch has it, where with stride s an input of height H
    gives an output of height ceil(H / s), whatever the kernel size and the dilation; or the numbers of the
    nn.Conv2d that the block fuses to, in which each branch stands centre on centre. `post_norm`: a batch norm
    behind the sum of the branches. `eps`: of every batch norm that has none of its own.

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
    eps: float = USUAL_EPS
    padding: Pair | Literal["same"] = SAME
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

    def chain_of(self, branch: BranchSpec) -> ChainSpec:
        """The layers of that branch, all in numbers."""
        return chain_of(self, branch)

    @property
    def chains(self) -> tuple[ChainSpec, ...]:
        """The layers of every branch."""
        return tuple(chain_of(self, branch) for branch in self.branches)

    def branch_kernel_size(self, branch: BranchSpec) -> Pair:
        """(kH, kW) of that branch's kernel, before any dilation."""
        return self.chain_of(branch).kernel_size

    def branch_dilation(self, branch: BranchSpec) -> Pair:
        """The dilation of that branch's taps; 1 on an axis of one tap."""
        return self.chain_of(branch).dilation

    def branch_groups(self, branch: BranchSpec) -> int:
        """The groups of that branch's kernel."""
        return self.chain_of(branch).groups

    @property
    def fused_groups(self) -> int:
        """The most groups that every branch can be written with."""
        return math.gcd(*(self.branch_groups(branch) for branch in self.branches))

    @property
    def fused_dilation(self) -> Pair:
        """The widest spacing of taps, on each axis, that every branch's taps fall on."""
        return aligned_spacing(self.chains)

    @property
    def frame(self) -> Frame:
        """The pixels that the fused kernel reads, and what stands around the image for it."""
        return frame_of(self)

    def embedded_kernel_size(self, branch: BranchSpec) -> Pair:
        """(kH, kW) of that branch's kernel at the fused kernel's spacing of taps.

        The fused kernel's where the branch does not stand centre on centre in it.
        """
        size = embedded_size(self.chain_of(branch), self.fused_dilation)
        whole = self.fused_kernel_size
        return size if self.first_tap(branch) == offset_in(size, whole) else whole

    def first_tap(self, branch: BranchSpec) -> Pair:
        """The tap of the fused kernel that the branch's first stands on."""
        first, spacing = self.frame.first_of(self.chain_of(branch)), self.fused_dilation
        return first[0] // spacing[0], first[1] // spacing[1]

    @property
    def fused_kernel_size(self) -> Pair:
        """(kH, kW) of the fused kernel: the smallest that holds every branch's."""
        return self.frame.taps(self.fused_dilation)

    @property
    def conv2d_frame(self) -> Conv2dFrame:
        """The nn.Conv2d to take away: in the next odd frame where it cannot pad an even kernel."""
        padding = None if self.padding == SAME else self.padding
        return conv2d_frame(self.fused_kernel_size, self.stride, self.fused_dilation, padding)

    @property
    def input_nchw(self) -> tuple[int, int, int, int]:
        """(batch, in_channels, height, width) of the input."""
        return self.batch_size, self.in_channels, *self.input_shape

    @property
    def output_nchw(self) -> tuple[int, int, int, int]:
        """(batch, out_channels, height, width) of either side's output."""
        return self.batch_size, self.out_channels, *self.frame.output(self.input_shape, self.stride)

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
