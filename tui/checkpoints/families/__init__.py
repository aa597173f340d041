"""The families of re-parameterizable blocks that are known in files, each as data."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.mobileone import MOBILEONE, MOBILEONE_MMPRETRAIN, MOBILEONE_TIMM
from tui.checkpoints.families.repvgg import REPVGG, REPVGG_MMPRETRAIN, REPVGG_TIMM

__all__ = ["FAMILIES", "Family"]

FAMILIES: tuple[Family, ...] = (
    REPVGG,
    REPVGG_TIMM,
    REPVGG_MMPRETRAIN,
    MOBILEONE,
    MOBILEONE_TIMM,
    MOBILEONE_MMPRETRAIN,
)
"""In the order in which they are asked; where two fit equally, the first names the block."""
