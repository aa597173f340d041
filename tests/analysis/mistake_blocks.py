"""Small blocks on which, between them, every mistake of the gallery can be made."""

from __future__ import annotations

from dataclasses import replace

from tui.analysis.alterations.gallery import MISTAKES, obstacle
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec, PaddingMode

EIGHT = BlockSpec(8, 8, input_shape=(10, 10))
NORMED = replace(EIGHT, branches=parse_branches("kxk+norm,1x1+norm,identity+norm"))
SEQUENCES = parse_branches("kxk+norm,1x1-kxk+inner+norm,1x1-avg+norm,1x1-kxk+idconv,1x1+alpha,avg+norm")

BLOCKS = {
    "default": BlockSpec(),
    "normed": NORMED,
    "grouped": replace(NORMED, groups=4),
    "depthwise": replace(NORMED, groups=8, kernel_size=(4, 4)),
    "sequences": replace(EIGHT, branches=SEQUENCES),
    "strided": replace(EIGHT, branches=SEQUENCES, stride=(2, 2), groups=2),
    "post norm": replace(
        EIGHT, branches=parse_branches("kxk+norm,1x1+gamma,identity"), post_norm=True, batch_size=2
    ),
    "dilated": replace(EIGHT, branches=parse_branches("kxk+norm,1x1"), dilation=(2, 3), stride=(1, 2)),
    "small and dilated": replace(
        EIGHT, kernel_size=(5, 5), groups=8, branches=parse_branches("kxk+norm-bias,3x3d2+norm,1x1")
    ),
    "circular": replace(NORMED, padding_mode=PaddingMode.CIRCULAR),
}

POSSIBLE = [(name, title) for name in MISTAKES for title, spec in BLOCKS.items() if not obstacle(name, spec)]
"""Each mistake and each block, by name, that it can be made on."""
