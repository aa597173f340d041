"""The errors of a block that runs as one convolution: what the fold rounds, and what the convolution does."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tui.analysis.bounds.fold_sizes import FoldSizes, fold_sizes
from tui.analysis.bounds.linear_maps import Convolution
from tui.analysis.bounds.running import Bounded, Errors, pad, store
from tui.analysis.numerics.precision import UNIT64, Precision, gamma_n
from tui.fusion.block import ReparamBlock
from tui.fusion.branches.border import border_of, pad_function_mode
from tui.fusion.kernel import Kernel


def fused_bounds(
    block: ReparamBlock, fused: Kernel, x: Bounded, value: Tensor, rows: Sequence[int]
) -> Bounded:
    """The fused convolution of an exact input, in these output channels.

    Its errors are linear in |x| and, in variance, in x^2. So those of folding, of casting the weight and of
    summing are added up for each weight first, and one convolution with them gives the bound.

    `fused`: what the block comes to, float64. `value`: the exact output, which is that of the branches.

    Raises:
        FusionError: as `fold_sizes`.
    """
    sizes = fold_sizes(block)
    geometry = block.geometry
    border = border_of(fused.kernel_size, geometry.dilation)
    around = pad(x, border, pad_function_mode(geometry.padding_mode)).value
    absolute, squared = around.abs(), around.square()
    terms = fused.weight[0].numel()

    def convolved(magnitudes: Tensor, kernel: Kernel) -> Tensor:
        linear = Convolution(kernel.weight, geometry.stride, geometry.dilation, geometry.groups)
        y = linear.rows(rows).absolute(magnitudes)
        return y if kernel.bias is None else y + kernel.bias[list(rows)].view(-1, 1, 1)

    errors = []
    for each in x.errors:
        precision = each.precision
        worst, variances = _errors_of(fused, sizes, precision)
        bound = convolved(absolute, worst) + (terms + 1) * precision.underflow
        variance = each.variance
        if precision.likely:
            summing = precision.accumulation**2 / 3 * (terms + 2)
            variance = convolved(squared, variances) + summing * value.square() / 3
        errors.append(Errors(precision, bound, each.stored, variance))
    return store(Bounded(value, tuple(errors), _largest(fused)), value.abs())


def _largest(kernel: Kernel) -> float:
    tensors = [kernel.weight] if kernel.bias is None else [kernel.weight, kernel.bias]
    return max(float(tensor.nan_to_num(0.0, torch.inf, -torch.inf).abs().max()) for tensor in tensors)


def _errors_of(fused: Kernel, sizes: FoldSizes, precision: Precision) -> tuple[Kernel, Kernel]:
    """What to convolve |x| with for the worst error, and x^2 for the variance but for the share of y^2."""
    folding = gamma_n(sizes.roundings, UNIT64)  # folds compute in float64, and cast once
    summing = precision.error_of_sum(fused.weight[0].numel())
    partial = precision.accumulation**2 / 3 * (fused.weight[0].numel() + 2) / 6

    def errors(parameter: Tensor, size: Tensor, touched: Tensor) -> tuple[Tensor, Tensor]:
        cast = precision.unit * parameter.abs() + precision.smallest
        if precision.unit == UNIT64:
            cast = torch.zeros_like(parameter)  # float64 it is, and float64 it stays
        own = (folding * size + cast) * touched
        worst = summing * (parameter.abs() + own) + own
        return worst, partial * parameter.square() + (cast * touched).square() / 3

    worst, variance = errors(fused.weight, sizes.kernel.weight, sizes.touched)
    if fused.bias is None or sizes.kernel.bias is None:
        return Kernel(worst, None), Kernel(variance, None)
    biases = errors(fused.bias, sizes.kernel.bias, torch.ones_like(fused.bias))
    return Kernel(worst, biases[0]), Kernel(variance, biases[1])
