"""Why a difference is what it is, in two sentences for somebody who meets it the first time."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

from tui.analysis.numerics.precision import PRECISIONS
from tui.analysis.quantities import two_digits
from tui.analysis.side import WrongSide
from tui.analysis.verdict.reason import Reason
from tui.fusion.specs.block_spec import Dtype

if TYPE_CHECKING:
    from tui.analysis.study import Study


_NO_ROUNDING = "Why that is not rounding: rounding makes neither another shape nor a NaN."

_WORDS = {
    Reason.COARSE: (
        "Why that is odd: most errors of rounding cancel each other, and the budget counts on it. "
        "Here they add up, or some step keeps fewer bits than the dtype has."
    ),
    Reason.TF32: (
        "Why that is TF32: each factor lost the last 13 of its 24 bits before it was multiplied. Set "
        "torch.backends.cudnn.conv.fp32_precision to 'ieee' to keep them."
    ),
    Reason.TRANSFORMED: (
        "Why that is a transform: Winograd's and Fourier's multiply fewer numbers, sums of many pixels, and "
        "lose what is small beside its neighbours. torch takes them for some batches where it has no oneDNN; "
        "torch.backends.nnpack.set_flags(False) keeps it from that."
    ),
    Reason.DATA: (
        "Why that is not rounding: what is NaN or infinite spreads to all that reads it, and 0 times it is "
        "NaN. A kernel with zeros in it reads more than the branches do."
    ),
    Reason.WEIGHTS: (
        "Why that is not rounding: where a whole channel is NaN or infinite any kernel gives the same. So "
        "its weights were compared one by one, and they differ by more than folding rounds."
    ),
    Reason.STORED: (
        "Why that is not rounding: this input and these sums hide it, the numbers of the kernel do not. Each "
        "was held against the fold in float64, and what storing it rounds is far less."
    ),
    Reason.SHAPE: _NO_ROUNDING,
    Reason.NOT_FINITE: _NO_ROUNDING,
}
"""What needs no figures."""

_DIFFERENT_MAPS = {
    WrongSide.FUSED: "the two sides are not the same map.",
    WrongSide.UNFUSED: "what ran unfused is not the block that was fused. The fused kernel is right.",
    WrongSide.BOTH: "neither side is what the block should be.",
}


def why_not_zero(study: Study) -> str:
    """The reason of the study's verdict, told with its figures."""
    dtype, finest = study.spec.dtype, two_digits(study.float64.max_abs_diff)
    match study.verdict.reason:
        case Reason.SAME:
            return (
                f"Why it is 0: {dtype} keeps {bits_of(dtype)} bits of a number, and here that was enough for "
                "every sum. Other weights or another input need more, and then the last bits differ."
            )
        case Reason.WITHIN if study.verdict.stored is not None:
            return (
                f"Why it is not 0: the finished kernel was rounded to {study.verdict.stored.dtype} before it "
                f"came here. In float64 that is all that is left, {finest}, and no more than it explains."
            )
        case Reason.WITHIN:
            rest = f"only {finest}" if study.float64.max_abs_diff else "nothing"
            left = f"With the 53 bits of float64 {rest} is left; a mistake would stay."
            if dtype is Dtype.FLOAT64:
                left = "A mistake would be larger by many powers of ten."
            return (
                f"Why it is not 0: both sides add the same products in another order, and {dtype} keeps "
                f"{bits_of(dtype)} bits of each sum. {left}"
            )
        case Reason.OVERFLOW | Reason.NOTHING:
            return _why_infinite(dtype)
        case Reason.ARITHMETIC:
            return (
                f"Why that is not rounding: no order of adding makes errors that large in {dtype}. In "
                "float64 both sides agree: the kernel is right, its run is not; a faulty backend, say."
            )
        case Reason.ALGEBRA:
            return (
                "Why that is not rounding: rounding shrinks with the dtype, to a 2^29th from float32 to "
                f"float64. In float64 the difference is still {finest}: {_DIFFERENT_MAPS[study.verdict.side]}"
            )
    return _WORDS[study.verdict.reason]


def _why_infinite(dtype: Dtype) -> str:
    if dtype in (Dtype.FLOAT64, Dtype.FLOAT32, Dtype.BFLOAT16):
        advice = "Smaller weights or a smaller input stay below it."
    else:
        advice = "bfloat16 and float32 reach 3.4e+38; or make the weights or the input smaller."
    return (
        f"Why it is infinite: {dtype} ends at {PRECISIONS[dtype].largest:.3g}, and some number "
        f"on the way is larger. {advice}"
    )


def bits_of(dtype: Dtype) -> int:
    """How many bits of a number the dtype keeps, the leading one among them."""
    return -round(log2(PRECISIONS[dtype].unit))
