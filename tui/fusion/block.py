"""ReparamBlock: parallel branches and their sum, and the one nn.Conv2d that it fuses to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from tui.fusion.copying import Copying
from tui.fusion.filled import conv2d_of
from tui.fusion.kernel import FusionError, Kernel, add, affine_of, pad_at, pad_to, scale
from tui.fusion.layers import Branch, Fold, build_branch
from tui.fusion.pair_text import show_pair
from tui.fusion.specs.block_spec import SAME, BlockSpec, Pair
from tui.fusion.specs.branch_spec import POST_NORM, names_of
from tui.fusion.specs.frame import Frame, Standing
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.layer_spec import USUAL_EPS, embedded_size
from tui.fusion.specs.padding import (
    conv2d_frame,
    even_border,
    even_padding,
    grown_and_cropped,
    offset_in,
    show_padding,
    taps_apart,
)
from tui.fusion.widening import dilate, ungroup


class Branches(nn.ModuleList):
    """The branches of a block, in order: nothing else can be put into it.

    Raises:
        FusionError: where a module that is not a Branch is put in, since its kernel is not known.
    """

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Take a branch in, or refuse a module of another kind."""
        if not isinstance(module, Branch):
            raise FusionError(f"{type(module).__name__} is not a kind of branch whose kernel is known")
        super().add_module(name, module)

    def __iter__(self) -> Iterator[Branch]:
        return cast("Iterator[Branch]", super().__iter__())

    def __getitem__(self, place: int) -> Branch:  # type: ignore[override]  # slices are not used
        return cast("Branch", super().__getitem__(place))


@dataclass(frozen=True, eq=False)
class Folded:
    """What a block comes to, in float64.

    Attributes:
        summands: by name, the folds by which each summand of the kernel came about, the last of them that
            summand: those of each branch, and the post norm's offset.
        kernel: their sum, the fused kernel.
    """

    summands: tuple[tuple[str, tuple[Fold, ...]], ...]
    kernel: Kernel


class Place(NamedTuple):
    """Where a branch stands in the fused kernel.

    Attributes:
        apart: taps of the fused kernel from one tap of the branch to its next.
        first: that on which the branch's first stands, its row and column; None where their centres meet.
    """

    apart: Pair
    first: Pair | None


class ReparamBlock(nn.Module):
    """A block of parallel branches: `forward` is their plain sum, `fuse` the convolution that it is.

    The two share no code, so that comparing them means something.

    Attributes:
        branches: the summands, each with its own groups and dilation.
        geometry: that of the fused convolution: groups and dilations that divide every branch's.
        post_norm: the batch norm after the sum, with the `eps` given, None where there is none.
    """

    post_norm: nn.Module | None

    def __init__(
        self,
        branches: Iterable[Branch],
        geometry: Geometry | None = None,
        *,
        post_norm: bool = False,
        eps: float = USUAL_EPS,
    ) -> None:
        super().__init__()
        self.branches = Branches(branches)
        self.geometry = geometry or Geometry()
        if not self.branches:
            raise FusionError("a block needs at least one branch")
        self.post_norm = nn.BatchNorm2d(self.out_channels, eps=eps) if post_norm else None

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W) -> the sum of the branches' outputs, normalised by the post norm."""
        first, *rest = self.branches
        y: Tensor = first(x)
        for branch in rest:
            y = y + branch(x)
        return y if self.post_norm is None else self.post_norm(y)

    def __deepcopy__(self, memo: dict[int, Any]) -> ReparamBlock:
        """A block of its own with the same numbers: searches for likenesses copy it again and again."""
        return cast("ReparamBlock", Copying(memo).of_attributes(self))

    def kernels(self) -> list[tuple[str, Kernel]]:
        """The summands of the fused kernel by name, in float64: each branch's, and the post norm's offset.

        A branch's kernel has the block's groups and spacing of taps, in a frame of its own size. With a post
        norm, y = s sum + t, each is multiplied by s and a last summand "post norm" adds t: a 1 x 1 kernel of
        zeros with that bias.

        Raises:
            FusionError: the block is in train mode, a branch is not a convolution, or the branches' strides,
                paddings, groups or dilations do not go together.
        """
        return [(name, _last_of(folds).kernel) for name, folds in self._summands()]

    def folded(self) -> Folded:
        """Every fold of every summand, and their sum.

        Raises:
            FusionError: as `kernels`.
        """
        summands = tuple((name, tuple(folds)) for name, folds in self._summands())
        return Folded(summands, add([folds[-1].kernel for _, folds in summands]))

    def kernel(self) -> Kernel:
        """The sum of the branches' kernels, in float64.

        Raises:
            FusionError: as `kernels`.
        """
        return add([kernel for _, kernel in self.kernels()], overwrite=True)

    def fuse(self) -> nn.Conv2d:
        """One convolution that returns what the block returns, in its parameters' dtype, on their device.

        The block stays as it is; fusing again gives another, equal convolution.

        >>> x = torch.ones(1, 4, 5, 5, dtype=torch.float64)
        >>> block = build_block(BlockSpec(in_channels=4, out_channels=4)).double()
        >>> torch.allclose(block.fuse()(x), block(x))
        True

        Raises:
            FusionError: as `kernels`.
        """
        return conv_of(self.kernel().to(self.dtype), self.geometry)

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.branches[0].in_channels

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.branches[0].out_channels

    @property
    def kernel_size(self) -> Pair:
        """(kH, kW) of the fused kernel."""
        return self.frame.taps(self.geometry.dilation)

    @property
    def frame(self) -> Frame:
        """The pixels that the fused kernel reads, and what stands around the image for it."""
        return Frame.around([branch.standing for branch in self.branches], self.geometry.border)

    def place_of(self, branch: Branch, frame: Frame | None = None) -> Place:
        """Where the branch stands in the fused kernel; `frame`: the block's, where it is known.

        Raises:
            FusionError: the branch's taps do not fall on the block's.
        """
        return _place_in(frame or self.frame, branch.standing, self.geometry.dilation, branch.name)

    def placed(self, branch: Branch, kernel: Kernel) -> Kernel:
        """A kernel that is spaced as the branch's as a summand of the fused one.

        Raises:
            FusionError: as `place_of`, and where it would stand outside of the fused kernel.
        """
        place = self.place_of(branch)
        wide = kernel if place.apart == (1, 1) else dilate(kernel, place.apart)
        return wide if place.first is None else pad_at(wide, self.kernel_size, place.first)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the parameters (of a block without any: the one that it was moved to)."""
        return next(chain(self.parameters(), self.buffers())).dtype

    def _summands(self) -> Iterator[tuple[str, Iterator[Fold]]]:
        if self.training:
            raise FusionError(
                "a block in train mode cannot be fused: its batch norms follow each input; call eval() first"
            )
        post = None if self.post_norm is None else affine_of(self.post_norm)
        frame = self.frame
        for branch in self.branches:
            yield branch.name, self._folds_of(branch, frame, None if post is None else post[0])
        if post is not None:
            columns = self.in_channels // self.geometry.groups
            zeros = post[1].new_zeros((len(post[1]), columns, 1, 1))
            yield POST_NORM, iter([Fold("offset of the post norm", Kernel(zeros, post[1]))])

    def _folds_of(self, branch: Branch, frame: Frame, post_scale: Tensor | None) -> Iterator[Fold]:
        """The branch's own folds, and those that make its kernel a summand of this block's."""
        own, standing = branch.geometry, branch.standing  # once: they walk through all layers
        _refuse_other_geometry(branch.name, own, standing, self.geometry, frame)
        for fold in branch.folds():
            kernel = fold.kernel
            yield fold
        groups, fewer = own.groups, self.geometry.groups
        if groups != fewer:
            kernel = ungroup(kernel, groups, fewer)
            yield Fold(f"{groups} groups written as {fewer}", kernel)
        place = _place_in(frame, standing, self.geometry.dilation, branch.name)
        if place.apart != (1, 1):
            kernel = dilate(kernel, place.apart)
            yield Fold("zeros between the taps", kernel)
        if place.first is not None:
            kernel = pad_at(kernel, frame.taps(self.geometry.dilation), place.first)
            yield Fold("placed by its padding", kernel)
        if post_scale is not None:
            kernel = scale(kernel, post_scale)
            yield Fold("times the post norm's scale", kernel)


def _last_of(folds: Iterator[Fold]) -> Fold:
    """The last fold, which holds the kernel; none before it is kept."""
    return deque(folds, maxlen=1)[0]


def _refuse_other_geometry(
    name: str, own: Geometry, standing: Standing, block: Geometry, frame: Frame
) -> None:
    """Groups and dilations can be brought together; strides and ways to pad cannot.

    Raises:
        FusionError: the branch has another stride, pads in another way, or reads beyond the fused kernel.
    """
    if own.stride != block.stride:
        steps = " and ".join(map(show_pair, (own.stride, block.stride)))
        raise FusionError(
            f"{name}: strides {steps} visit other pixels: no single convolution; make them equal"
        )
    if own.padding_mode is not block.padding_mode and any(grown_and_cropped(standing.border)[0]):
        modes = " and ".join((own.padding_mode, block.padding_mode))
        raise FusionError(f"{name}: {modes} padding differ at the border: no single convolution; pad alike")
    if not frame.holds(standing):
        raise FusionError(
            f"{name}: its padding has it read {frame.where(standing)}, which is padded by "
            f"{show_padding(frame.border)}: outside of it; give it another padding, or the block"
        )


def _place_in(frame: Frame, standing: Standing, spacing: Pair, name: str) -> Place:
    own, first = standing.dilation, frame.first_of(standing)
    for size, apart, pixels, step in zip(standing.kernel_size, own, first, spacing, strict=True):
        if size > 1 and apart % step:
            raise FusionError(f"{name}: taps {apart} apart do not fall on taps {step} apart")
        if pixels % step:
            raise FusionError(f"{name}: its taps fall between those of the block, {step} apart")
    tap = first[0] // spacing[0], first[1] // spacing[1]
    centred = offset_in(embedded_size(standing, spacing), frame.taps(spacing))
    return Place(taps_apart(standing.kernel_size, own, spacing), None if tap == centred else tap)


def conv_of(kernel: Kernel, geometry: Geometry) -> nn.Conv2d:
    """The kernel as an nn.Conv2d that pads as the geometry says, to take away.

    An even kernel that nn.Conv2d cannot pad is embedded in an odd one (`conv2d_frame`).

    Raises:
        FusionError: the geometry's border is none that an nn.Conv2d pads.
    """
    padding = None if geometry.border is None else even_padding(geometry.border)
    if padding is None and geometry.border is not None:
        raise FusionError(f"nn.Conv2d cannot pad by {show_padding(geometry.border)}: give both sides as much")
    frame = conv2d_frame(kernel.kernel_size, geometry.stride, geometry.dilation, padding)
    apart = taps_apart(kernel.kernel_size, geometry.dilation, frame.dilation)
    kernel = pad_to(kernel if apart == (1, 1) else dilate(kernel, apart), frame.kernel_size)
    return conv2d_of(
        nn.Parameter(kernel.weight),
        None if kernel.bias is None else nn.Parameter(kernel.bias),
        stride=geometry.stride,
        padding=frame.padding,
        dilation=frame.dilation,
        groups=geometry.groups,
        padding_mode=geometry.padding_mode.value,
    )


def build_block(spec: BlockSpec) -> ReparamBlock:
    """The block that the spec describes, in eval mode, with torch's default values in its parameters.

    >>> block = build_block(BlockSpec(in_channels=4, out_channels=4))
    >>> [branch.name for branch in block.branches]
    ['kxk', '1x1', 'identity']
    """
    border = None if spec.padding == SAME else even_border(spec.padding)
    geometry = Geometry(spec.stride, spec.fused_dilation, spec.fused_groups, spec.padding_mode, border)
    named = zip(spec.chains, names_of(spec.branches), strict=True)
    branches = [build_branch(chain, name) for chain, name in named]
    return ReparamBlock(branches, geometry, post_norm=spec.post_norm, eps=spec.eps).eval()
