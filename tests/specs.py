"""Blocks whose every figure is the same on every machine (what `tests/fusion/test_fill.py` shows)."""

from __future__ import annotations

from dataclasses import replace

from tui.analysis.alterations.alterations import Alterations, Edit
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, InputFill, WeightFill

ROUNDED = BlockSpec(input=InputFill.IMPULSES)
"""Random weights and impulses: a small difference that is not 0. Each output sees one product at most."""

EXACT = BlockSpec(weights=WeightFill.INTEGERS, input=InputFill.INTEGERS)
"""Small integers: no difference at all."""

DEPTHWISE = replace(EXACT, in_channels=8, out_channels=8, groups=8)

COSTLY = replace(EXACT, in_channels=512, out_channels=512, input_shape=(256, 256))
"""A run that is asked for first, and never made by a test."""


def exact_preset(name: str) -> BlockSpec:
    """The preset in 8 channels, its structure kept, with small integers in place of its random values.

    Where it averages, it does so over 4 x 4 pixels: a sixteenth is exact, a ninth is not.
    """
    spec = PRESETS[name].spec
    averages = any("avg" in branch.kind for branch in spec.branches)
    return replace(
        spec if spec.in_channels < 8 else spec.with_in_channels(8),
        kernel_size=(4, 4) if averages else spec.kernel_size,
        input_shape=(9, 9),
        weights=WeightFill.INTEGERS,
        input=InputFill.INTEGERS,
    )


TOO_LARGE = Alterations(
    (
        Edit("kxk.weight", (0, 0, 1, 1), -2.0),
        Edit("1x1.weight", (0, 0, 0, 0), -1.0),
        Edit("input", (0, 0, 2, 2), -30000.0),
    )
)
"""Makes the branches of EXACT come to 60000 + 30000 - 30000 at one pixel: float16 ends at 65504."""

SLIGHTLY_WRONG = Alterations((Edit("fused.weight", (0, 0, 1, 1), 0.4492),))
"""Makes one fused weight of ROUNDED too large by 0.4 %: in bfloat16, by its last bit."""


def only_first_branch(spec: BlockSpec) -> Alterations:
    """Puts the first branch's kernel, which must be of full size, in the place of the fused one."""
    from itertools import product

    from tui.analysis.study import study_of

    kernel = study_of(spec).summands[0].kernel
    places = product(*map(range, kernel.weight.shape))
    edits = [Edit("fused.weight", place, float(kernel.weight[place])) for place in places]
    assert kernel.bias is not None
    edits += [Edit("fused.bias", (out,), value) for out, value in enumerate(kernel.bias.tolist())]
    return Alterations(tuple(edits))
