"""Blocks whose every figure is the same on every machine (what `tests/fusion/test_fill.py` shows)."""

from __future__ import annotations

from dataclasses import replace

from tui.fusion.presets import PRESETS
from tui.fusion.spec import BlockSpec, InputFill, WeightFill

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
