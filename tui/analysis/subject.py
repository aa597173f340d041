"""Subject: what is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.origin import Origin
from tui.fusion.specs.block_spec import BlockSpec

if TYPE_CHECKING:
    from tui.fusion.kernel import Kernel


@dataclass(frozen=True, slots=True)
class Subject:
    """What a study is made of: a block as it was chosen, and what was changed in it by hand.

    Attributes:
        origin: where the block's numbers come from; None where the spec fills it.
        finished: a fused kernel that another tool made, in the dtypes in which it is stored: it is run in the
            place of the block's own, and judged by its weights too.
    """

    spec: BlockSpec
    alterations: Alterations = NOTHING_ALTERED
    origin: Origin | None = None
    finished: Kernel | None = None
