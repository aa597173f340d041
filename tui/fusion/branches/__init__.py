"""The kinds of branch, one nn.Module each: `forward(x)` runs it, `kernel()` says which convolution it is."""

from __future__ import annotations

from tui.fusion.branches.average import AverageBranch
from tui.fusion.branches.base import Branch, Fold, last_of
from tui.fusion.branches.building import build_branch
from tui.fusion.branches.convolution import ConvBranch
from tui.fusion.branches.identity import IdentityBranch
from tui.fusion.branches.pointwise import OffsetIdentityConv, PointwiseStep
from tui.fusion.branches.sequence import SequenceBranch

__all__ = [
    "AverageBranch",
    "Branch",
    "ConvBranch",
    "Fold",
    "IdentityBranch",
    "OffsetIdentityConv",
    "PointwiseStep",
    "SequenceBranch",
    "build_branch",
    "last_of",
]
