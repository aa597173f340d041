"""The families of re-parameterizable blocks that are known in files, each as data.

A new family is one entry of `FAMILIES` and one test in tests/checkpoints/families.
"""

from __future__ import annotations

from tui.checkpoints.families import (
    conv_bn,
    diverse_branch,
    fastvit,
    ghost,
    large_kernel,
    levit,
    mobileone,
    repvgg,
    separable,
    super_resolution,
)
from tui.checkpoints.families.family import Family

__all__ = ["FAMILIES", "Family"]

FAMILIES: tuple[Family, ...] = (
    repvgg.REPVGG,
    repvgg.REPVGG_TIMM,
    repvgg.REPVGG_MMPRETRAIN,
    repvgg.YOLOV6,
    repvgg.YOLOV7,
    repvgg.REPSPK,
    repvgg.QAREPVGG,
    repvgg.QAREPVGG_IDENTITY,
    repvgg.YOLO_NAS,
    repvgg.YOLO_NAS_IDENTITY,
    repvgg.YOLOV6_QA,
    repvgg.YOLOV6_QA_IDENTITY,
    repvgg.YOLOV6_QA_V2,
    repvgg.YOLO_REPCONV,
    repvgg.REPVGGDW,
    repvgg.RTDETR,
    repvgg.DFINE,
    mobileone.MOBILEONE,
    mobileone.MOBILEONE_TIMM,
    mobileone.MOBILEONE_MMPRETRAIN,
    fastvit.REPMIXER,
    fastvit.REPMIXER_TIMM,
    fastvit.POSITION,
    fastvit.POSITION_TIMM,
    diverse_branch.DBB,
    diverse_branch.DBB_DEPTHWISE,
    diverse_branch.ACNET,
    large_kernel.REPLKNET,
    large_kernel.LARGE_KERNEL_TIMM,
    large_kernel.UNIREPLKNET,
    ghost.REPGHOST,
    *ghost.GHOSTNETV3,
    *ghost.GHOSTNETV3_TIMM,
    ghost.PPLCNETV2,
    levit.REPVIT,
    levit.REPVIT_LEGACY,
    levit.RESIDUAL,
    *levit.REPVIT_HEADS,
    levit.NORM_LINEAR,
    levit.CONV_NORM,
    super_resolution.SPAN,
    *super_resolution.ECBSR,
    *super_resolution.EFDN,
    super_resolution.FMEN,
    super_resolution.RVSR,
    separable.REPNEXT_S,
    separable.REPNEXT_S_STRIDED,
    separable.REPNEXT_M,
    separable.SPIKE_DRIVEN,
    *conv_bn.PAIRS,
)
"""In the order in which they are asked; where two fit equally, the first names the block."""
