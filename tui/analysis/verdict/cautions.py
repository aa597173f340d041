"""What must be kept in mind about a study's input and its arithmetic, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from tui.fusion.spec import BlockSpec, Dtype, InputFill, WeightFill


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
