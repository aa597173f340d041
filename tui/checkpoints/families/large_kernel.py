"""RepLKNet and UniRepLKNet: a large depthwise convolution and small ones beside it."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import DEPTHWISE, Norm, branch, conv, conv_norm_branch

REPLKNET = Family(
    name="RepLKNet",
    source="Ding et al., RepLKNet, CVPR 2022; DingXiaoH/RepLKNet-pytorch, apple/ml-fastvit",
    branches=(
        conv_norm_branch("lkb_origin"),
        conv_norm_branch("small_conv", "any", optional=True),
    ),
    fused="lkb_reparam",
    fused_tells=True,
    found_by=("lkb_origin.conv.weight",),
)

LARGE_KERNEL_TIMM = Family(
    name="FastViT large kernel (timm)",
    source="Vasu et al., FastViT, ICCV 2023; timm, fastvit.ReparamLargeKernelConv",
    branches=(
        conv_norm_branch("large_conv"),
        conv_norm_branch("small_conv", "any", optional=True),
    ),
    fused="reparam_conv",
    fused_tells=True,
    found_by=("large_conv.conv.weight",),
)

UNIREPLKNET = Family(
    name="UniRepLKNet",
    source="Ding et al., UniRepLKNet, CVPR 2024; AILab-CVC/UniRepLKNet, DilatedReparamBlock",
    branches=(
        branch("lk_origin", conv("lk_origin", groups=DEPTHWISE), Norm("origin_bn")),
        branch(
            "dil_conv_k{k}_{r}",
            conv("dil_conv_k{k}_{r}", "{k}x{k}", groups=DEPTHWISE, dilation="{r}", within=True),
            Norm("dil_bn_k{k}_{r}"),
        ),
    ),
    fused="lk_origin",
    fused_tells=True,
    found_by=("lk_origin.weight",),
)
