"""DBB and ACNet: a square convolution and others beside it that only train."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import (
    Average,
    BranchPattern,
    Norm,
    branch,
    conv,
    conv_norm_branch,
)

PAPER = "Ding et al., Diverse Branch Block, CVPR 2021; DingXiaoH/DiverseBranchBlock"


def _pointwise_then_square(first: str, *, less_identity: bool = False) -> BranchPattern:
    """1 x 1, norm, k x k, norm; what the first norm makes of zeros stands around the image of the second."""
    key = "dbb_1x1_kxk"
    return branch(
        f"{key}.{first}",
        conv(f"{key}.{first}", "1x1", less_identity=less_identity),
        Norm(f"{key}.bn1.bn"),
        conv(f"{key}.conv2"),
        Norm(f"{key}.bn2"),
        optional=True,
    )


_SEQUENCES = (
    _pointwise_then_square("idconv1", less_identity=True),
    _pointwise_then_square("idconv1.conv", less_identity=True),  # as ports have it that hold the convolution
    _pointwise_then_square("conv1"),
)
_ONE_SEQUENCE = (tuple(each.name for each in _SEQUENCES),)

DBB = Family(
    name="DBB",
    source=PAPER,
    branches=(
        conv_norm_branch("dbb_origin"),
        conv_norm_branch("dbb_1x1", "1x1"),
        branch(
            "dbb_avg",
            conv("dbb_avg.conv", "1x1"),
            Norm("dbb_avg.bn.bn"),
            Average(),
            Norm("dbb_avg.avgbn"),
        ),
        *_SEQUENCES,
    ),
    one_of=_ONE_SEQUENCE,
    fused="dbb_reparam",
    fused_tells=True,
)

DBB_DEPTHWISE = Family(
    name="DBB (depthwise)",
    source=PAPER,
    branches=(
        conv_norm_branch("dbb_origin"),
        branch("dbb_avg", Average(), Norm("dbb_avg.avgbn")),
        *_SEQUENCES,
    ),
    one_of=_ONE_SEQUENCE,
    fused="dbb_reparam",
    fused_tells=True,
)

ACNET = Family(
    name="ACNet",
    source="Ding et al., ACNet, ICCV 2019; DingXiaoH/ACNet",
    branches=(
        branch("square_conv", conv("square_conv"), Norm("square_bn")),
        branch("ver_conv", conv("ver_conv", "kx1"), Norm("ver_bn")),
        branch("hor_conv", conv("hor_conv", "1xk"), Norm("hor_bn")),
    ),
    fused="fused_conv",
    fused_tells=True,
)
