"""What must be kept in mind about a study's input and its arithmetic, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from tui.analysis.numerics.misread import is_misread
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill, WeightFill


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
    if spec.dtype is Dtype.BFLOAT16 and _has_misread(spec):
        yield (
            "oneDNN, which torch takes for bfloat16, reads beyond the numbers of a convolution of this shape "
            "on some CPUs (torch 2.13): it was run without. Elsewhere its outputs may be garbage."
        )


def _has_misread(spec: BlockSpec) -> bool:
    """Whether a convolution of the block, or the fused one, is of a shape that oneDNN misreads."""
    width = spec.output_nchw[3]
    layers = [layer for chain in spec.chains for layer in chain.all_layers()]
    shapes = [(layer.in_channels // (layer.groups or layer.in_channels), layer) for layer in layers]
    own = (is_misread(columns, each.kernel_size[1], each.stride[1], width) for columns, each in shapes)
    fused = spec.in_channels // spec.fused_groups, spec.fused_kernel_size[1], spec.stride[1], width
    return is_misread(*fused) or any(own)
