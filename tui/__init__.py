"""A bench in the terminal for structural re-parameterization of convolution blocks.

>>> import tui
>>> study = tui.study_of(tui.PRESETS["repvgg"].spec.with_in_channels(4))
>>> study.verdict.ruling.agrees
True
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from tui.deferred_names import deferred_names, listed_names

if TYPE_CHECKING:
    from tui.analysis.study import Study, study_of
    from tui.exploring import explore
    from tui.fusion.block import ReparamBlock, build_block
    from tui.fusion.grammar.branch_text import parse_branches
    from tui.fusion.presets import PRESETS
    from tui.fusion.specs.block_spec import BlockSpec
    from tui.modules.finding import blocks_of
    from tui.modules.fusing import fuse
    from tui.modules.whole.model import fuse_model

__version__ = "0.1.0"

# torch looks for numpy as it is imported, which nothing here needs, and whoever imports this gets torch so.
warnings.filterwarnings("ignore", "Failed to initialize NumPy", UserWarning)

__all__ = [
    "PRESETS",
    "BlockSpec",
    "ReparamBlock",
    "Study",
    "blocks_of",
    "build_block",
    "explore",
    "fuse",
    "fuse_model",
    "parse_branches",
    "study_of",
]


if not TYPE_CHECKING:  # to a type checker only the names above exist
    # The command imports this package before its first paint, and torch takes longer than all of that.
    _HOMES = {
        "BlockSpec": "tui.fusion.specs.block_spec",
        "PRESETS": "tui.fusion.presets",
        "ReparamBlock": "tui.fusion.block",
        "Study": "tui.analysis.study",
        "blocks_of": "tui.modules.finding",
        "build_block": "tui.fusion.block",
        "explore": "tui.exploring",
        "fuse": "tui.modules.fusing",
        "fuse_model": "tui.modules.whole.model",
        "parse_branches": "tui.fusion.grammar.branch_text",
        "study_of": "tui.analysis.study",
    }
    __getattr__ = deferred_names(__name__, _HOMES)
    __dir__ = listed_names(__name__, _HOMES)
