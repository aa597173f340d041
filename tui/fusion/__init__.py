"""The mathematics of re-parameterizable blocks: torch and the standard library, nothing else.

>>> from tui.fusion import BlockSpec, build_block, parse_branches
>>> block = build_block(BlockSpec(8, 8, branches=parse_branches("kxk+norm,1x1+norm,identity+norm")))
>>> block.fuse()
Conv2d(8, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.deferred_names import deferred_names, listed_names

if TYPE_CHECKING:
    from tui.fusion.block import ReparamBlock, build_block, conv_of
    from tui.fusion.composition import compose
    from tui.fusion.fill import fill_block, make_input
    from tui.fusion.grammar.branch_text import parse_branches
    from tui.fusion.kernel import (
        FusionError,
        Kernel,
        add,
        average_pool,
        dirac,
        fold_batch_norm,
        kernel_of,
        pad_to,
        scale,
    )
    from tui.fusion.layers import (
        Average,
        Branch,
        Chain,
        Convolution,
        Factor,
        FixedDepthwise,
        Identity,
        Layer,
        Norm,
        Sum,
    )
    from tui.fusion.presets import PRESETS
    from tui.fusion.specs.block_spec import BlockSpec, Dtype, PaddingMode
    from tui.fusion.specs.branch_spec import BranchKind, BranchSpec
    from tui.fusion.specs.geometry import Geometry
    from tui.fusion.specs.problems import InvalidSpecError
    from tui.fusion.widening import dilate, ungroup

__all__ = [
    "PRESETS",
    "Average",
    "BlockSpec",
    "Branch",
    "BranchKind",
    "BranchSpec",
    "Chain",
    "Convolution",
    "Dtype",
    "Factor",
    "FixedDepthwise",
    "FusionError",
    "Geometry",
    "Identity",
    "InvalidSpecError",
    "Kernel",
    "Layer",
    "Norm",
    "PaddingMode",
    "ReparamBlock",
    "Sum",
    "add",
    "average_pool",
    "build_block",
    "compose",
    "conv_of",
    "dilate",
    "dirac",
    "fill_block",
    "fold_batch_norm",
    "kernel_of",
    "make_input",
    "pad_to",
    "parse_branches",
    "scale",
    "ungroup",
]

_KERNEL = (
    "FusionError",
    "Kernel",
    "add",
    "average_pool",
    "dirac",
    "fold_batch_norm",
    "kernel_of",
    "pad_to",
    "scale",
)

_LAYERS = (
    "Average",
    "Branch",
    "Chain",
    "Convolution",
    "Factor",
    "FixedDepthwise",
    "Identity",
    "Layer",
    "Norm",
    "Sum",
)

if not TYPE_CHECKING:  # to a type checker only the names above exist
    # What a spec needs is imported before the first paint, and torch with none of it.
    _HOMES = {
        "BlockSpec": "tui.fusion.specs.block_spec",
        "BranchKind": "tui.fusion.specs.branch_spec",
        "BranchSpec": "tui.fusion.specs.branch_spec",
        "Dtype": "tui.fusion.specs.block_spec",
        "Geometry": "tui.fusion.specs.geometry",
        "InvalidSpecError": "tui.fusion.specs.problems",
        "PRESETS": "tui.fusion.presets",
        "PaddingMode": "tui.fusion.specs.block_spec",
        "ReparamBlock": "tui.fusion.block",
        "build_block": "tui.fusion.block",
        "compose": "tui.fusion.composition",
        "conv_of": "tui.fusion.block",
        "dilate": "tui.fusion.widening",
        "fill_block": "tui.fusion.fill",
        "make_input": "tui.fusion.fill",
        "parse_branches": "tui.fusion.grammar.branch_text",
        "ungroup": "tui.fusion.widening",
        **dict.fromkeys(_KERNEL, "tui.fusion.kernel"),
        **dict.fromkeys(_LAYERS, "tui.fusion.layers"),
    }
    __getattr__ = deferred_names(__name__, _HOMES)
    __dir__ = listed_names(__name__, _HOMES)
