"""The errors of a block that runs as one convolution: what the fold rounds, and what the convolution does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tui.analysis.bounds.alike import is_varied
from tui.analysis.bounds.fold_sizes import FoldSizes, fold_sizes
from tui.analysis.bounds.linear_maps import Convolution
from tui.analysis.bounds.running import Bounded, Errors, flushed_weights, largest_of, pad, store
from tui.analysis.numerics.precision import UNIT64, Precision, gamma_n
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel
from tui.fusion.layers.border import bordered, pad_function_mode
from tui.fusion.specs.geometry import Geometry


def fused_bounds(
    block: ReparamBlock,
    fused: Kernel,
    x: Bounded,
    value: Tensor,
    rows: Sequence[int],
    sizes: FoldSizes | None = None,
) -> Bounded:
    """The fused convolution of an input as it was given, in these output channels.

    Its errors are linear in |x| and, in variance, in x^2. So those of folding, of casting the weight and of
    summing are added up for each weight first, and one convolution with them gives the bound.

    `fused`: what the block comes to, float64. `value`: the exact output, which is that of the branches.
    `sizes`: those of the block's fold, where they are known.

    Raises:
        FusionError: as `fold_sizes`.
    """
    sizes = (sizes or fold_sizes(block)).rows(rows)
    geometry, chosen = block.geometry, fused.rows(rows)
    border = geometry.border_of(fused.kernel_size)
    around = pad(x, border, pad_function_mode(geometry.padding_mode))
    absolute, squared = around.value.abs(), around.value.square()
    own = Convolution(fused.weight, geometry.stride, geometry.dilation, geometry.groups).rows(rows)
    alike = torch.tensor(float(own.terms), dtype=torch.float64).view(1, 1, 1)
    if not is_varied(x.value) and any(each.precision.likely for each in x.errors):
        alike = own.alike()

    def convolved(magnitudes: Tensor, kernel: Kernel) -> Tensor:
        y = own.with_weight(kernel.weight).absolute(magnitudes)
        return y if kernel.bias is None else y + kernel.bias.view(-1, 1, 1)

    errors = []
    for each in around.errors:
        precision = each.precision
        worst, variances = _errors_of(chosen, sizes, precision, alike)
        lost = (own.terms + 1) * precision.underflow + _flushed(own, around.value, each)
        bound, stored, variance = convolved(absolute, worst) + lost, each.stored, each.variance
        if precision.likely:
            variance = convolved(squared, variances)
            variance.addcmul_(value.square(), precision.accumulation**2 / 9 * (alike + 2))
            stored = torch.as_tensor(lost, dtype=torch.float64).expand_as(bound)
        errors.append(Errors(precision, bound, stored, variance))
    return store(Bounded(value, tuple(errors), _largest(fused)), value.abs())


def largest_sum(geometry: Geometry, fused: Kernel, x: Tensor, rows: Sequence[int]) -> float:
    """The largest sum of |products| and |bias| in these output channels of the fused convolution of x."""
    border = geometry.border_of(fused.kernel_size)
    around = bordered(x.abs(), border, pad_function_mode(geometry.padding_mode))
    own = Convolution(fused.weight, geometry.stride, geometry.dilation, geometry.groups).rows(rows)
    sums = own.absolute(around)
    bias = fused.rows(rows).bias
    return largest_of(sums if bias is None else sums + bias.abs().view(-1, 1, 1))


def _flushed(own: Convolution, x: Tensor, errors: Errors) -> Tensor | float:
    """What is lost where numbers near zero, of the input and of the weight, are read as zero."""
    weights = flushed_weights(own, x, errors.precision)
    pixels = own.absolute(errors.worst) if errors.worst.dim() else 0.0
    return pixels if weights is None else weights + pixels


def _largest(kernel: Kernel) -> float:
    tensors = [kernel.weight] if kernel.bias is None else [kernel.weight, kernel.bias]
    return max(largest_of(tensor.abs()) for tensor in tensors)


def _errors_of(fused: Kernel, sizes: FoldSizes, precision: Precision, alike: Tensor) -> tuple[Kernel, Kernel]:
    """What to convolve |x| with for the worst error, and x^2 for the variance but for the share of y^2.

    `alike`: of each row, (out_channels, 1, 1), or of all, (1, 1, 1), as `rounded_alike` counts.
    """
    folding = gamma_n(sizes.roundings, UNIT64)  # folds compute in float64, and cast once
    summing = precision.error_of_sum(fused.weight[0].numel())
    partial = precision.accumulation**2 / 3 * (alike + 2) / 6

    def errors(parameter: Tensor, size: Tensor, touched: Tensor) -> tuple[Tensor, Tensor]:
        cast = precision.unit * parameter.abs() + precision.smallest
        if precision.unit == UNIT64:
            cast = torch.zeros_like(parameter)  # float64 it is, and float64 it stays
        own = (folding * size + cast) * touched
        worst = summing * (parameter.abs() + own) + own
        shares = partial.reshape(-1, *(1,) * (parameter.dim() - 1))
        return worst, shares * parameter.square() + (cast * touched).square() / 3

    worst, variance = errors(fused.weight, sizes.kernel.weight, sizes.touched)
    if fused.bias is None or sizes.kernel.bias is None:
        return Kernel(worst, None), Kernel(variance, None)
    biases = errors(fused.bias, sizes.kernel.bias, torch.ones_like(fused.bias))
    return Kernel(worst, biases[0]), Kernel(variance, biases[1])
