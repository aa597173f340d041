"""Blocks whose every figure is the same on every machine (what `tests/fusion/test_fill.py` shows)."""

from __future__ import annotations

from dataclasses import replace

from tui.fusion.spec import BlockSpec, InputFill, WeightFill

ROUNDED = BlockSpec(input=InputFill.IMPULSES)
"""Random weights and impulses: a small difference that is not 0. Each output sees one product at most."""

EXACT = BlockSpec(weights=WeightFill.INTEGERS, input=InputFill.INTEGERS)
"""Small integers: no difference at all."""

DEPTHWISE = replace(EXACT, in_channels=8, out_channels=8, groups=8)

COSTLY = replace(EXACT, in_channels=512, out_channels=512, input_shape=(256, 256))
"""A run that is asked for first, and never made by a test."""
