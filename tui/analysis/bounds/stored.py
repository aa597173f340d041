"""How far a fused kernel that comes finished, from another tool, may lie from what the block comes to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.analysis.bounds.fold_sizes import FoldSizes, fold_sizes
from tui.analysis.bounds.linear_maps import Convolution
from tui.analysis.bounds.making import Making
from tui.analysis.numerics.precision import PRECISIONS, UNIT64, gamma_n
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel, add, pad_to
from tui.fusion.layers.border import pad_function_mode
from tui.fusion.specs.block_spec import Dtype
from tui.fusion.specs.geometry import Geometry
from tui.fusion.torch_dtypes import torch_dtype

_EVALUATION = 1 + 2.0**-30
"""The bounds are themselves computed in float64; their own rounding is far below this."""

_CASTS = 3
"""Numbers of one layer that a weight is multiplied by, each rounded once where the block's are finer."""


def numbers_of(kernel: Kernel) -> Tensor:
    """Each output channel's n weights in C order, then its bias or 0: (out_channels, n + 1), in float64."""
    weight = kernel.weight.detach().flatten(1)
    numbers = weight.new_zeros((len(weight), weight.shape[1] + 1), dtype=torch.float64)
    numbers[:, :-1] = weight
    if kernel.bias is not None:
        numbers[:, -1] = kernel.bias.detach()
    return numbers


class StoredBounds:
    """How far the numbers of a right finished kernel may lie from what a block comes to.

    Attributes:
        right: what the block comes to, as `numbers_of` has it.
    """

    def __init__(self, block: ReparamBlock, kernel: Kernel | None = None) -> None:
        """Fold the block, in eval mode, where its float64 `kernel` is not known yet.

        Raises:
            FusionError: the block cannot be folded.
        """
        self._block = block
        self._holding: dict[Dtype, bool] = {}
        self.kernel = block.kernel() if kernel is None else kernel
        self.right = numbers_of(self.kernel)

    def of(self, making: Making, kernel: Kernel | None = None) -> Tensor:
        """For each number the most that folding and storing it so can have changed: (out_channels, n + 1).

        |given - W| <= F + u (|W| + F) + eta with the fold's own bound F = gamma_k(u') S, S the sum of the
        absolute values of what was added up to W, k roundings in a row in whatever order (Higham, 2002,
        lemma 3.1), u' of the arithmetic and u of what is stored; our own fold in float64 adds its
        gamma_k(2^-53) S. A weight that is the plain copy of one branch's has no F.

        `kernel`: another one than the right one, to which W then belongs.
        """
        right = self.right if kernel is None else numbers_of(kernel)
        arithmetic, bound = PRECISIONS[making.arithmetic], right.abs()
        relative, rounded = self._relative(making.arithmetic), self._size
        if not self.holds_parameters(making.arithmetic):
            rounded = numbers_of(self._sizes.kernel)
        lost = self._plain_roundings * arithmetic.smallest
        for part, dtype in _parts(making.weight, making.bias):
            unit = 0.0 if making.arithmetic is dtype else PRECISIONS[dtype].unit
            added = lost * (1 + unit) + PRECISIONS[dtype].smallest
            bound[:, part].mul_(unit * _EVALUATION).add_(
                rounded[:, part], alpha=relative * (1 + unit) * _EVALUATION
            ).add_(added)
        return bound

    def kernel_of(self, making: Making) -> Kernel:
        """The same as `of`, as a kernel of bounds."""
        bound = self.of(making)
        return Kernel(bound[:, :-1].reshape(self.kernel.weight.shape), bound[:, -1].clone())

    def of_cast(self, making: Making) -> Tensor:
        """As `of`, without a fold's part: for what was rounded once and nothing else."""
        bound = self.right.abs()
        for part, dtype in _parts(making.weight, making.bias):
            precision = PRECISIONS[dtype]
            bound[:, part].mul_(precision.unit).add_(precision.smallest)
        return bound

    def rounded(self) -> Tensor:
        """Which numbers a fold step by step rounds several times, (out_channels, n + 1).

        Those to which only branches behind batch norms add; in an output channel that these put to 0, none.
        """
        block, rounded = self._block, self._size > 0
        if block.post_norm is None:
            plain = [
                kernel
                for branch, (_, kernel) in zip(block.branches, block.kernels(), strict=True)
                if not any(isinstance(module, nn.BatchNorm2d) for module in branch.modules())
            ]
            if plain:
                sizes = [Kernel(kernel.weight.abs(), kernel.bias) for kernel in plain]
                rounded &= numbers_of(pad_to(add(sizes), self.kernel.kernel_size)) == 0
        return rounded & rounded[:, :-1].any(dim=1, keepdim=True)

    @cached_property
    def _sizes(self) -> FoldSizes:
        return fold_sizes(self._block)

    @property
    def _plain_roundings(self) -> int:
        return self._sizes.roundings - self._sizes.summing

    @cached_property
    def _size(self) -> Tensor:
        """S, 0 where a weight was only copied."""
        kernel, touched = self._sizes.kernel, self._sizes.touched
        return numbers_of(Kernel(kernel.weight * touched, kernel.bias))

    def _relative(self, arithmetic: Dtype) -> float:
        """F and our own, as a part of S."""
        precision, own = PRECISIONS[arithmetic], gamma_n(self._sizes.roundings, UNIT64)
        if arithmetic is Dtype.FLOAT64:
            return 2 * own
        count = self._plain_roundings
        if not self.holds_parameters(arithmetic):
            layers = max(len(branch.layers) for branch in self._block.branches)
            count += _CASTS * layers + 1
        unit = max(precision.unit, self._unit_near_zero(precision.smallest))
        return gamma_n(count, unit) + gamma_n(self._sizes.summing, precision.accumulation) + own

    def _unit_near_zero(self, smallest: float) -> float:
        """How far, in parts, var + eps may be rounded where it is below the normal numbers."""
        norms = [module for module in self._block.modules() if isinstance(module, nn.BatchNorm2d)]
        sums = [float(norm.running_var.min()) + norm.eps for norm in norms if norm.running_var is not None]
        least = min((each for each in sums if each > 0), default=1.0)
        return min(smallest / 2 / least, 0.25)

    def holds_parameters(self, arithmetic: Dtype) -> bool:
        """Whether that dtype has every number of the block, or a tool would have rounded them first."""
        if arithmetic not in self._holding:
            tensors = [each for each in self._block.state_dict().values() if each.is_floating_point()]
            kind = torch_dtype(arithmetic)
            self._holding[arithmetic] = all(holds(tensor, kind) for tensor in tensors)
        return self._holding[arithmetic]


def _parts(weight: Dtype, bias: Dtype) -> list[tuple[slice, Dtype]]:
    """The columns of `numbers_of` that are stored in one dtype."""
    if weight is bias:
        return [(slice(None), weight)]
    return [(slice(None, -1), weight), (slice(-1, None), bias)]


def holds(tensor: Tensor, kind: torch.dtype) -> bool:
    """Whether that dtype has every number of the tensor."""
    if tensor.dtype is kind:
        return True
    cast = tensor.to(kind).to(tensor.dtype)
    return bool(((cast == tensor) | tensor.isnan()).all())


def reach_of(bound: Kernel, geometry: Geometry, x: Tensor, rows: Sequence[int]) -> Tensor:
    """What the outputs of these channels may lie apart where each weight and bias is off by its bound.

    x: the input, (batch, in_channels, H, W), float64; (batch, len(rows), H', W').
    """
    border = geometry.border_of(bound.kernel_size)
    around = functional.pad(x.abs(), border, pad_function_mode(geometry.padding_mode))
    own = Convolution(bound.weight, geometry.stride, geometry.dilation, geometry.groups).rows(rows)
    reach, bias = own.absolute(around), bound.rows(rows).bias
    return reach if bias is None else reach + bias.view(-1, 1, 1)
