"""Nets with blocks of several depthwise shapes, or of layers in a row: RepNeXt, Spike-Driven Transformer."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import DEPTHWISE, BranchPattern, Conv, Norm, branch, conv

REPNEXT_SOURCE = "Zhao et al., RepNeXt, 2024; suous/RepNeXt"


def _conv(size: str, *, biased: bool | None = None) -> Conv:
    """conv_5_3 is 5 x 3."""
    return conv(f"conv_{size.replace('x', '_')}", size, groups=DEPTHWISE, biased=biased)


def _row_then_column(size: int) -> BranchPattern:
    """Each pads zeros of its own, which is one convolution as long as the row has no bias."""
    return branch(
        f"conv_{size}_w, conv_{size}_h",
        conv(f"conv_{size}_w", f"1x{size}", groups=DEPTHWISE, biased=False),
        conv(f"conv_{size}_h", f"{size}x1", groups=DEPTHWISE, biased=False),
        zeros_between=True,
    )


_SPREAD = branch("conv_2_2", conv("conv_2_2", "2x2", groups=DEPTHWISE, dilation="2", spread=True))

REPNEXT_S = Family(
    name="RepNeXt S",
    source=f"{REPNEXT_SOURCE}, RepDWConvS of stride 1",
    branches=(
        branch("conv_3_3", _conv("3x3", biased=True)),
        branch("conv_3_w", conv("conv_3_w", "1x3", groups=DEPTHWISE, biased=True)),
        branch("conv_3_h", conv("conv_3_h", "3x1", groups=DEPTHWISE, biased=True)),
        _SPREAD,
    ),
    fused="",
    found_by=("conv_2_2.weight",),
)

REPNEXT_S_STRIDED = Family(
    name="RepNeXt S (stride 2)",
    source=f"{REPNEXT_SOURCE}, RepDWConvS of stride 2",
    branches=(branch("conv_3_3", _conv("3x3", biased=True)), _row_then_column(3), _SPREAD),
    fused="",
    found_by=("conv_2_2.weight",),
)

REPNEXT_M = Family(
    name="RepNeXt M",
    source=f"{REPNEXT_SOURCE}, RepDWConvM",
    branches=(
        branch("conv_7_7", _conv("7x7")),
        branch("conv_5_3", _conv("5x3")),
        branch("conv_3_5", _conv("3x5")),
        _row_then_column(7),
        _row_then_column(5),
    ),
    fused="",
    found_by=("conv_5_3.weight",),
)

SPIKE_DRIVEN = Family(
    name="Spike-Driven RepConv",
    source="Yao et al., Spike-driven Transformer V2, ICLR 2024; BICLab/Spike-Driven-Transformer-V2",
    branches=(
        branch(
            "body",
            conv("body.0", "1x1", groups=1),
            Norm("body.1.bn"),
            conv("body.2.0", "3x3", groups=DEPTHWISE),
            conv("body.2.1", "1x1", groups=1),
            Norm("body.2.2"),
        ),
    ),
    fused="",
    found_by=("body.1.bn.running_var",),
    note="its authors have no fused form: the convolution takes the module's place",
)
