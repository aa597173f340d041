"""RepVGG and what has taken over its block: a k x k and a 1 x 1 convolution and the identity."""

from __future__ import annotations

from dataclasses import replace

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import (
    DEPTHWISE,
    Average,
    BranchPattern,
    Factor,
    Identity,
    Norm,
    branch,
    conv,
    conv_norm,
    conv_norm_branch,
    identity_norm_branch,
)

PAPER = "Ding et al., RepVGG, CVPR 2021"
QA_PAPER = "Chu et al., Make RepVGG Greater Again, AAAI 2024"
YOLO_EPS = 1e-3

REPVGG = Family(
    name="RepVGG",
    source=f"{PAPER}; DingXiaoH/RepVGG, wespeaker in one and two dimensions",
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

YOLOV6 = Family(
    name="YOLOv6",
    source=f"Li et al., YOLOv6, 2022, with the block of {PAPER}; meituan/YOLOv6, mmyolo",
    branches=REPVGG.branches,
    fused="rbr_reparam",
    fused_tells=True,
    eps=YOLO_EPS,
    evidence=("ERBlock_", "Rep_p4", "Rep_n3", "detect.proj_conv", "bbox_head.head_module."),
)

YOLOV7 = Family(
    name="YOLOv7",
    source=f"Wang et al., YOLOv7, CVPR 2023, with the block of {PAPER}; WongKinYiu/yolov7",
    branches=(
        conv_norm_branch("rbr_dense", conv_key="0", norm_key="1"),
        conv_norm_branch("rbr_1x1", "1x1", conv_key="0", norm_key="1"),
        identity_norm_branch("rbr_identity"),
    ),
    fused="rbr_reparam",
    fused_tells=True,
    eps=YOLO_EPS,
)

REPSPK = Family(
    name="RepSPK",
    source="Ma et al., Rep Works in Speaker Verification, 2021; wespeaker, RepSPKBlock",
    branches=(
        conv_norm_branch("rbr_dense"),
        conv_norm_branch("rbr_dense_dilation", dilation="2"),
        identity_norm_branch("rbr_identity"),
    ),
    fused="rbr_reparam",
    fused_tells=True,
)

_IDENTITY = branch("identity", Identity())
_IN_NO_KEY = "whether it adds its input is an option of the class and in no key"


def _qa(name: str, *more: BranchPattern) -> Family:
    """QARepVGG as super-gradients has it, its norm after the sum folded in."""
    return Family(
        name=name,
        source=f"{QA_PAPER}; Deci-AI/super-gradients, QARepVGGBlock",
        branches=(
            conv_norm_branch("branch_3x3", "3x3", groups=1),
            branch("branch_1x1", conv("branch_1x1", "1x1", groups=1), Factor("alpha", optional=True)),
            *more,
        ),
        post_norm="post_bn",
        fused="rbr_reparam",
        fused_tells=True,
        note=f"{_IN_NO_KEY}; one without groups is assumed",
    )


QAREPVGG = _qa("QARepVGG")
QAREPVGG_IDENTITY = _qa("QARepVGG with identity", _IDENTITY)


def _yolov6_qa(name: str, *more: BranchPattern) -> Family:
    """QARepVGG as YOLOv6 has it, which keeps the norm after the sum."""
    return Family(
        name=name,
        source=f"{QA_PAPER}; meituan/YOLOv6, QARepVGGBlock",
        branches=(
            conv_norm_branch("rbr_dense", "3x3", groups=1),
            branch("rbr_1x1", conv("rbr_1x1", "1x1", groups=1)),
            *more,
        ),
        fused="rbr_reparam",
        fused_tells=True,
        eps=YOLO_EPS,
        beside=(*REPVGG.beside, "bn"),
        note=f"{_IN_NO_KEY}; one without groups is assumed, and bn stays after it",
    )


YOLOV6_QA = _yolov6_qa("YOLOv6 QARepVGG")
YOLOV6_QA_IDENTITY = _yolov6_qa("YOLOv6 QARepVGG with identity", _IDENTITY)
YOLOV6_QA_V2 = _yolov6_qa("YOLOv6 QARepVGGV2", _IDENTITY, branch("average", Average()))


def _with_eps_of_yolo_nas(family: Family) -> Family:
    return replace(
        family,
        name=f"YOLO-NAS {family.name}",
        eps=YOLO_EPS,
        evidence=("neck.neck1.", "heads.head1."),
    )


YOLO_NAS = _with_eps_of_yolo_nas(QAREPVGG)
YOLO_NAS_IDENTITY = _with_eps_of_yolo_nas(QAREPVGG_IDENTITY)

YOLO_REPCONV = Family(
    name="YOLO RepConv",
    source=f"WongKinYiu/yolov9, ultralytics, RepConv, with the block of {PAPER}",
    branches=(
        conv_norm_branch("conv1", "3x3"),
        conv_norm_branch("conv2", "1x1"),
        identity_norm_branch("bn"),
    ),
    fused="conv",
    eps=YOLO_EPS,
    plain=True,
    found_by=("conv1.conv.weight",),
)

REPVGGDW = Family(
    name="RepVGGDW",
    source="Wang et al., YOLOv10, NeurIPS 2024; THU-MIG/yolov10, ultralytics",
    branches=(
        conv_norm_branch("conv", "7x7", groups=DEPTHWISE),
        conv_norm_branch("conv1", "3x3", groups=DEPTHWISE),
    ),
    fused="conv",
    eps=YOLO_EPS,
    plain=True,
    found_by=("conv1.conv.weight",),
)

RTDETR = Family(
    name="RT-DETR",
    source="Zhao et al., RT-DETR, CVPR 2024; lyuwenyu/RT-DETR, transformers, RepVggBlock; D-FINE, VGGBlock",
    branches=(
        conv_norm_branch("conv1", "3x3", norm_key="norm"),
        branch("conv2", *conv_norm("conv2", "1x1", norm_key="norm"), Factor("alpha", optional=True)),
    ),
    fused="conv",
    plain=True,
    found_by=("conv1.conv.weight",),
)

DFINE = Family(
    name="D-FINE",
    source="Peng et al., D-FINE, ICLR 2025; Peterande/D-FINE, DEIM, ConvNormLayer_fuse",
    branches=(branch("conv", conv("conv"), Norm("norm")),),
    fused="conv_bn_fused",
    fused_tells=True,
    plain=True,
    evidence=(".lqe_layers.",),
    not_under="input_proj",  # a Sequential of the same names, which its own deploy model keeps
)
