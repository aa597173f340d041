"""How far a convolution may be off that goes by a transform, Winograd's or Fourier's, and not by products."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from tui.analysis.bounds.fold_sizes import FoldSizes
from tui.analysis.bounds.linear_maps import Convolution
from tui.analysis.numerics.precision import Precision

_AMPLIFICATION = 512.0
"""Of the roundings, by a transform and its inverse.

Measured: NNPACK's Winograd on tiles of 6 x 6 reaches 167 in one channel and 22 to 200 in more, its Fourier
transforms 30. TF32 makes 1000 and more.
"""


def transformed_bound(
    sizes: FoldSizes, groups: int, x: Tensor, precision: Precision, rows: Sequence[int]
) -> Tensor:
    """What |fused - unfused| stays below where either side went by a transform, (batch, len(rows), 1, 1).

    Its errors are relative to the norm of a whole tile and not to an element's own products: what is small
    beside its neighbours has no digit left. `sizes`: of all output channels; x (batch, in_channels, H, W).
    """
    energy = sizes.kernel.weight.square().sum(dim=(2, 3), keepdim=True)
    loudest = x.abs().amax(dim=(2, 3), keepdim=True).square()
    norms = Convolution(energy, groups=groups).rows(rows).signed(loudest).sqrt()
    return (2 * _AMPLIFICATION * precision.accumulation * norms).nan_to_num_(math.inf)
