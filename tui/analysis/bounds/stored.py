"""How far a fused kernel that comes finished, from another tool, may lie from what the block comes to."""

from __future__ import annotations

from tui.analysis.bounds.fold_sizes import fold_sizes
from tui.analysis.numerics.precision import Precision, gamma_n
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel


def stored_bounds(block: ReparamBlock, precision: Precision) -> Kernel:
    """For each weight and bias of a right fusion, the most that folding and storing it so can have changed.

    |W_given - W| <= gamma_(kappa + 2)(u) sum_b |s_b W_b| + eta, with kappa roundings in a row: the tool may
    have folded in that arithmetic, in any order (Higham, 2002, lemma 3.1).

    Raises:
        FusionError: as `fold_sizes`.
    """
    sizes = fold_sizes(block)
    relative = gamma_n(sizes.roundings + 2, precision.unit)
    weight, bias = sizes.kernel.weight, sizes.kernel.bias
    return Kernel(
        weight * relative + precision.smallest, None if bias is None else bias * relative + precision.smallest
    )
