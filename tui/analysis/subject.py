"""Subject: what is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.origin import Origin
from tui.fusion.spec import BlockSpec


@dataclass(frozen=True, slots=True)
class Subject:
    """What a study is made of: a block as it was chosen, and what was changed in it by hand.

    Attributes:
        origin: where the block's numbers come from; None where the spec fills it.
    """

    spec: BlockSpec
    alterations: Alterations = NOTHING_ALTERED
    origin: Origin | None = None
