"""RepGhost, GhostNetV3, PP-LCNetV2: mobile nets whose cheap depthwise convolutions are re-parameterized."""

from __future__ import annotations

from tui.checkpoints.families.family import ANYTHING, Family
from tui.checkpoints.families.patterns import (
    DEPTHWISE,
    Identity,
    Norm,
    branch,
    conv_norm,
    conv_norm_branch,
    identity_norm_branch,
)

REPGHOST = Family(
    name="RepGhost",
    source="Chen et al., RepGhost, 2022; ChengpengChen/RepGhost, timm",
    branches=(
        branch(
            "cheap_operation",
            *conv_norm("cheap_operation", conv_key="0", norm_key="1", groups=DEPTHWISE),
        ),
        branch("fusion_bn.0", Identity(), Norm("fusion_bn.0")),
    ),
    fused="cheap_operation",
    beside=("primary_conv", "relu"),
    found_by=("fusion_bn.0.weight",),
)


def _ghost(which: str, fused: str, norm: str, code: str) -> Family:
    """One of the three convolutions of a GhostNetV3 module; they lie beside each other."""
    return Family(
        name=f"GhostNetV3 {which.removesuffix('_rpr')}{code}",
        source="Liu et al., GhostNetV3, 2024; huawei-noah/Efficient-AI-Backbones, timm",
        branches=(
            conv_norm_branch(f"{which}_conv.{{i}}", norm_key=norm),
            conv_norm_branch(f"{which}_scale", "1x1", norm_key=norm, optional=True),
            identity_norm_branch(f"{which}_skip"),
        ),
        fused=fused,
        beside=ANYTHING,
    )


_FUSED = {"primary_rpr": "primary_conv.0", "cheap_rpr": "cheap_operation.0", "dw_rpr": "conv_dw"}
GHOSTNETV3 = tuple(_ghost(which, fused, "bn", "") for which, fused in _FUSED.items())
GHOSTNETV3_TIMM = tuple(_ghost(which, fused, "bn1", " (timm)") for which, fused in _FUSED.items())

PPLCNETV2 = Family(
    name="PP-LCNetV2",
    source="PaddlePaddle/PaddleClas, PP-LCNetV2, 2022; its ports to torch, timm, lcnetv2",
    branches=(conv_norm_branch("dw_conv_list.{i}", "any", groups=DEPTHWISE),),
    fused="dw_conv",
    beside=ANYTHING,
)
