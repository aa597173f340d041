"""ReparamBlock: parallel branches and their sum, and the one nn.Conv2d that it fuses to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from tui.fusion.branches import Branch, ConvBranch, IdentityBranch
from tui.fusion.kernel import FusionError, Kernel, add, pad_to
from tui.fusion.padding import symmetric_padding
from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec, Pair


@dataclass(frozen=True, slots=True)
class Geometry:
    """What a kernel does not say of a convolution, the same for all branches of a block."""

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1


class ReparamBlock(nn.Module):
    """A block of parallel branches: `forward` is their plain sum, `fuse` the convolution that it is.

    The two share no code, so that comparing them means something.
    """

    def __init__(self, branches: Iterable[Branch], geometry: Geometry | None = None) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.geometry = geometry or Geometry()
        if not self.branches:
            raise FusionError("a block needs at least one branch")

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in_channels, H, W) -> the sum of the branches' outputs."""
        first, *rest = self.branches
        y: Tensor = first(x)
        for branch in rest:
            y = y + branch(x)
        return y

    def kernels(self) -> list[tuple[str, Kernel]]:
        """Each branch's name and its own kernel, in float64.

        Raises:
            FusionError: the block is in train mode, or a branch is no convolution.
        """
        if self.training:
            raise FusionError(
                "a block in train mode can not be fused: its batch norms follow each input; call eval() first"
            )
        return [(branch.name, branch.kernel()) for branch in map(_known, self.branches)]

    def kernel(self) -> Kernel:
        """The sum of the branches' kernels, in float64.

        Raises:
            FusionError: as `kernels`.
        """
        return add([kernel for _, kernel in self.kernels()])

    def fuse(self) -> nn.Conv2d:
        """One convolution that returns what the block returns, in its parameters' dtype, on their device.

        The block stays as it is; fusing again gives another, equal convolution.

        Raises:
            FusionError: as `kernels`.
        """
        return conv_of(self.kernel().to(self.dtype), self.geometry)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the parameters (of a block without any: the one that it was moved to)."""
        return next(chain(self.parameters(), self.buffers())).dtype


def _known(module: nn.Module) -> Branch:
    if not isinstance(module, Branch):
        raise FusionError(f"a {type(module).__name__} is no kind of branch whose kernel is known")
    return module


def conv_of(kernel: Kernel, geometry: Geometry) -> nn.Conv2d:
    """The kernel as an nn.Conv2d with "same" padding, to take away.

    An nn.Conv2d pads both sides alike (or, as padding="same", has no stride). Where an even kernel needs
    more zeros after than before, it is embedded in the next odd kernel, whose first row or column is zero.
    """
    out_channels, columns = kernel.weight.shape[:2]
    size, padding = _padding_of(kernel.kernel_size, geometry)
    kernel = pad_to(kernel, size)
    conv: nn.Conv2d = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Conv2d,
        int(columns) * geometry.groups,
        int(out_channels),
        size,
        stride=geometry.stride,
        padding=padding,
        dilation=geometry.dilation,
        groups=geometry.groups,
        bias=kernel.bias is not None,
        dtype=kernel.weight.dtype,
        device=kernel.weight.device,
    )
    conv.weight = nn.Parameter(kernel.weight)
    if kernel.bias is not None:
        conv.bias = nn.Parameter(kernel.bias)
    return conv.eval()


def _padding_of(kernel_size: Pair, geometry: Geometry) -> tuple[Pair, Pair | str]:
    """The kernel size that nn.Conv2d can pad evenly, and its `padding` argument."""
    symmetric = symmetric_padding(kernel_size, geometry.dilation)
    if symmetric is not None:
        return kernel_size, symmetric
    steps = zip(kernel_size, geometry.dilation, strict=True)
    if geometry.stride == (1, 1) and all(size % 2 or dilation == 1 for size, dilation in steps):
        return kernel_size, "same"
    odd = (kernel_size[0] | 1, kernel_size[1] | 1)
    symmetric = symmetric_padding(odd, geometry.dilation)
    assert symmetric is not None
    return odd, symmetric


def build_block(spec: BlockSpec) -> ReparamBlock:
    """The block that the spec describes, in eval mode, with torch's default values in its parameters."""
    geometry = Geometry(spec.stride, spec.dilation, spec.groups)
    return ReparamBlock((_build_branch(spec, branch) for branch in spec.branches), geometry).eval()


def _build_branch(spec: BlockSpec, branch: BranchSpec) -> Branch:
    if branch.kind is BranchKind.IDENTITY:
        return IdentityBranch(branch.kind, spec.in_channels, groups=spec.groups, batch_norm=branch.batch_norm)
    kernel_size = spec.branch_kernel_size(branch)
    return ConvBranch(
        branch.kind,
        spec.in_channels,
        spec.out_channels,
        kernel_size,
        stride=spec.stride,
        dilation=spec.dilation if kernel_size != (1, 1) else (1, 1),
        groups=spec.groups,
        bias=branch.bias,
        batch_norm=branch.batch_norm,
    )
