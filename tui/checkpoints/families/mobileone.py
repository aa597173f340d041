"""MobileOne: several equal convolutions, a 1 x 1 and the identity, each with its batch norm."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import conv_norm_branch, identity_norm_branch

PAPER = "Vasu et al., MobileOne, CVPR 2023"

MOBILEONE = Family(
    name="MobileOne",
    source=f"{PAPER}; apple/ml-mobileone, and its blocks in apple/ml-fastvit",
    branches=(
        conv_norm_branch("rbr_conv.{i}"),
        conv_norm_branch("rbr_scale", "1x1", optional=True),
        identity_norm_branch("rbr_skip"),
    ),
    fused="reparam_conv",
    fused_tells=True,
)

MOBILEONE_TIMM = Family(
    name="MobileOne (timm)",
    source=f"{PAPER}; timm, byobnet.MobileOneBlock and fastvit.MobileOneBlock",
    branches=(
        conv_norm_branch("conv_kxk.{i}"),
        conv_norm_branch("conv_scale", "1x1", optional=True),
        identity_norm_branch("identity"),
    ),
    fused="reparam_conv",
    fused_tells=True,
)

MOBILEONE_MMPRETRAIN = Family(
    name="MobileOne (mmpretrain)",
    source=f"{PAPER}; open-mmlab/mmpretrain",
    branches=(
        conv_norm_branch("branch_conv_list.{i}", norm_key="norm"),
        conv_norm_branch("branch_scale", "1x1", norm_key="norm", optional=True),
        identity_norm_branch("branch_norm"),
    ),
    fused="branch_reparam",
    fused_tells=True,
)
