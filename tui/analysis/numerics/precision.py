"""The constants of each arithmetic that rounding errors are counted in; no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tui.fusion.specs.block_spec import Dtype


@dataclass(frozen=True, slots=True)
class Precision:
    """How an arithmetic rounds: a dtype, and how convolutions in it are summed.

    Attributes:
        unit: unit roundoff u of storing a number, half the spacing of numbers at 1.
        accumulation: unit roundoff of each addition inside a convolution, pooling or batch norm. 16-bit
            dtypes sum in float32, taken twice as coarse here, as some hardware cuts instead of rounding
            (Blanchard et al., SIAM J. Sci. Comput. 42(3), 2020).
        smallest: the smallest subnormal number, which bounds the error of storing one near 0. In float64 the
            smallest normal one, as subnormal numbers are slow to calculate with.
        underflow: bound on the error of a product near 0 that the summing dtype cannot hold, and of any
            number below it, in or out, where the hardware flushes those to zero: AVX-512's bfloat16 does
            so always, others after torch.set_flush_denormal(True).
        largest: the largest finite number.
        largest_sum: the largest finite number of the dtype that sums are held in.
        product: relative error of a product whose factors were rounded once more, 0 where they were not.
        likely: whether the likely error is worth following too, beside the worst one.
    """

    unit: float
    accumulation: float
    smallest: float
    underflow: float
    largest: float
    largest_sum: float
    product: float = 0.0
    likely: bool = True

    @property
    def lost_near_zero(self) -> float:
        """Bound on the absolute error of storing one number, in the dtype or flushed to zero."""
        return max(self.smallest, self.underflow)

    def error_of_sum(self, terms: int) -> float:
        """Relative bound on the error of a sum of that many products and a bias, in any order."""
        return (1 + gamma_n(terms + 2, self.accumulation)) * (1 + self.product) - 1


FLOAT64_NOISE = 1e-12
"""Of the largest output in float64, what counts as no difference; a right fusion stays below 1e-13."""


def gamma_n(roundings: int, unit: float) -> float:
    """gamma_n = n u / (1 - n u), infinite from n u = 1 on (Higham, 2002, lemma 3.1)."""
    return roundings * unit / (1 - roundings * unit) if roundings * unit < 1 else math.inf


_FLOAT32_NORMAL = 2.0**-126
_FLOAT32_LARGEST = 2.0**127 * (2 - 2.0**-23)
_FLOAT64_LARGEST = 2.0**1023 * (2 - 2.0**-52)

PRECISIONS = {
    # Likely errors are no help here: even the worst are far below any mistake, and a constant input makes
    # all errors alike, up to 2.7 times what is likely of independent ones.
    Dtype.FLOAT64: Precision(
        2.0**-53, 2.0**-53, 2.0**-1022, 2.0**-1022, _FLOAT64_LARGEST, _FLOAT64_LARGEST, likely=False
    ),
    Dtype.FLOAT32: Precision(
        2.0**-24, 2.0**-24, 2.0**-149, _FLOAT32_NORMAL, _FLOAT32_LARGEST, _FLOAT32_LARGEST
    ),
    Dtype.BFLOAT16: Precision(
        2.0**-8, 2.0**-23, 2.0**-133, _FLOAT32_NORMAL, 2.0**127 * (2 - 2.0**-7), _FLOAT32_LARGEST
    ),
    Dtype.FLOAT16: Precision(2.0**-11, 2.0**-23, 2.0**-24, _FLOAT32_NORMAL, 65504.0, _FLOAT32_LARGEST),
}

UNIT64 = PRECISIONS[Dtype.FLOAT64].unit
"""Unit roundoff of float64, in which folds and bounds are computed."""

BATCH_NORM_ROUNDINGS = 8
"""At most, in y = s x + t with s and t computed from the batch norm's parameters, whichever way."""

FINEST_FIRST = tuple(sorted(PRECISIONS, key=lambda dtype: PRECISIONS[dtype].unit))
"""The dtypes by their unit roundoff."""

TF32 = replace(PRECISIONS[Dtype.FLOAT32], product=(1 + 2.0**-10) ** 2 - 1, likely=False)
"""float32 whose convolutions cut both factors to 10 bits after the point (NVIDIA, A100 whitepaper, 2020)."""


def spacing_at(value: float, dtype: Dtype) -> float:
    """From |value| to the dtype's next larger number."""
    precision = PRECISIONS[dtype]
    if not math.isfinite(value) or value == 0:
        return precision.smallest
    exponent = math.frexp(value)[1]
    return max(precision.smallest, math.ldexp(precision.unit, exponent))
