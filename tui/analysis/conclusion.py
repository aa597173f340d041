"""What a study comes to, in plain sentences: do both sides agree, and what must be kept in mind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.fusion.spec import BlockSpec, Dtype, InputFill, WeightFill

if TYPE_CHECKING:  # the views need the words before torch is there
    from tui.analysis.study import Study


def conclusion_of(study: Study) -> str:
    """One sentence that answers whether the fused convolution is the block."""
    if not study.agree:
        return (
            "They do NOT agree: in float64, where rounding is no excuse, they differ by "
            f"{study.float64.max_abs_diff:.3g}. The fused kernel is wrong."
        )
    dtype = study.spec.dtype
    if study.comparison.non_finite:
        return f"They agree in float64, but {dtype} can not hold these values: some became infinite or NaN."
    if study.comparison.max_abs_diff == 0:
        return f"They agree: in {dtype} both sides give the same values, every one."
    if study.comparison.allclose:
        return f"They agree: what differs in {dtype} is rounding."
    return (
        f"They agree: what differs in {dtype} is rounding, though more of it than torch.allclose "
        "lets pass by default."
    )


def cautions_of(spec: BlockSpec) -> Iterator[str]:
    """What a reader of the result must keep in mind about its input and its arithmetic."""
    constants = [
        name
        for name, constant in (
            ("weights", spec.weights is WeightFill.ONES),
            ("input", spec.input is InputFill.ONES),
        )
        if constant
    ]
    if constants:
        yield (
            f"Constant {' and '.join(constants)} can hide mistakes: a kernel that is flipped, shifted or "
            "with its channels swapped may give the same output. Try random."
        )
    if spec.dtype is Dtype.FLOAT16:
        yield "float16 convolutions were run through float32 and rounded once, on both sides."
