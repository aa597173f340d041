"""RepVGG and what has taken over its block: a k x k and a 1 x 1 convolution and the identity, each normed."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import conv_norm_branch, identity_norm_branch

PAPER = "Ding et al., RepVGG, CVPR 2021"

REPVGG = Family(
    name="RepVGG",
    source=f"{PAPER}; DingXiaoH/RepVGG",
    branches=(
        conv_norm_branch("rbr_dense"),
        conv_norm_branch("rbr_1x1", "1x1"),
        identity_norm_branch("rbr_identity"),
    ),
    fused="rbr_reparam",
    fused_tells=True,
)

REPVGG_TIMM = Family(
    name="RepVGG (timm)",
    source=f"{PAPER}; timm, byobnet.RepVggBlock",
    branches=(
        conv_norm_branch("conv_kxk"),
        conv_norm_branch("conv_1x1", "1x1"),
        identity_norm_branch("identity"),
    ),
    fused="reparam_conv",
    fused_tells=True,
    found_by=("conv_1x1.conv.weight",),  # conv_kxk.conv is in other nets of timm too
)

REPVGG_MMPRETRAIN = Family(
    name="RepVGG (mmpretrain)",
    source=f"{PAPER}; open-mmlab/mmpretrain",
    branches=(
        conv_norm_branch("branch_3x3", norm_key="norm"),
        conv_norm_branch("branch_1x1", "1x1", norm_key="norm"),
        identity_norm_branch("branch_norm"),
    ),
    fused="branch_reparam",
    fused_tells=True,
)
