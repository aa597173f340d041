"""RepViT and the nets that share its pieces (LeViT, SHViT, LSNet): modules c and bn, fused in their place."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import (
    DEPTHWISE,
    BranchPattern,
    Identity,
    Norm,
    Times,
    branch,
    conv,
    conv_norm,
)

REPVIT_PAPER = "Wang et al., RepViT, CVPR 2024"
_IDENTITY = branch("identity", Identity())
_DEPTHWISE = branch("conv", *conv_norm("conv", conv_key="c", groups=DEPTHWISE))

REPVIT = Family(
    name="RepViT",
    source=f"{REPVIT_PAPER}; THU-MIG/RepViT, timm, jameslahm/lsnet, RepVGGDW",
    branches=(_DEPTHWISE, branch("conv1", conv("conv1", "1x1", groups=DEPTHWISE)), _IDENTITY),
    post_norm="bn",
    fused="",
    plain=True,
    found_by=("conv.c.weight",),
)

REPVIT_LEGACY = Family(
    name="RepViT (m1 to m3)",
    source=f"{REPVIT_PAPER}; timm, repvit.RepVggDw with legacy=True",
    branches=(
        _DEPTHWISE,
        branch("conv1", *conv_norm("conv1", "1x1", conv_key="c", groups=DEPTHWISE)),
        _IDENTITY,
    ),
    fused="",
    plain=True,
    found_by=("conv.c.weight",),
)

RESIDUAL = Family(
    name="Residual of a depthwise conv",
    source="Graham et al., LeViT, ICCV 2021; Yun & Ro, SHViT, CVPR 2024; THU-MIG/RepViT, jameslahm/lsnet",
    branches=(branch("m", *conv_norm("m", conv_key="c", groups=DEPTHWISE)), _IDENTITY),
    fused="",
    plain=True,
)

CONV_NORM = Family(
    name="Conv2d_BN",
    source="Graham et al., LeViT, ICCV 2021; RepViT, SHViT, LSNet and their ports in timm",
    branches=(branch("c", conv("c"), Norm("bn")),),
    fused="",
    plain=True,
)

NORM_LINEAR = Family(
    name="BN_Linear",
    source="Graham et al., LeViT, ICCV 2021; RepViT, SHViT, LSNet and their ports in timm",
    branches=(branch("l", Norm("bn"), conv("l", "1x1", groups=1)),),
    fused="",
    plain=True,
    found_by=("l.weight",),
)


def _head(name: str, first: str, *more: str) -> Family:
    """A classifier, or the mean of two, each a batch norm and a linear layer, fused in place of them all."""

    def linear(key: str) -> BranchPattern:
        mean = (Times(1 / (1 + len(more))),) if more else ()
        return branch(key, Norm(f"{key}.bn"), conv(f"{key}.l", "1x1", groups=1), *mean)

    return Family(
        name=name,
        source=f"{REPVIT_PAPER}; THU-MIG/RepViT, timm, RepVitClassifier",
        branches=tuple(map(linear, (first, *more))),
        fused="",
        plain=True,
        evidence=("token_mixer.",),
    )


REPVIT_HEADS = (
    _head("RepViT head (timm)", "head"),
    _head("RepViT two heads (timm)", "head", "head_dist"),
    _head("RepViT head", "classifier"),
    _head("RepViT two heads", "classifier", "classifier_dist"),
)
