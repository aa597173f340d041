"""FastViT's own blocks: RepMixer, whose sum has a difference in it, and the positional encoding."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import (
    DEPTHWISE,
    Factor,
    Identity,
    Norm,
    Times,
    branch,
    conv,
    conv_norm,
)

PAPER = "Vasu et al., FastViT, ICCV 2023"


def _repmixer(name: str, code: str, convs: str, scale: str, identity: str, gamma: str) -> Family:
    """x + gamma (mixer(x) - norm(x)), with mixer and norm each a MobileOne block."""
    factor = Factor(gamma, by_channel=True)
    return Family(
        name=name,
        source=f"{PAPER}; {code}",
        branches=(
            branch(f"mixer.{convs}.{{i}}", *conv_norm(f"mixer.{convs}.{{i}}", groups=DEPTHWISE), factor),
            branch(
                f"mixer.{scale}",
                *conv_norm(f"mixer.{scale}", "1x1", groups=DEPTHWISE),
                factor,
                optional=True,
            ),
            branch(f"mixer.{identity}", Identity(), Norm(f"mixer.{identity}"), factor),
            branch(f"norm.{identity}", Identity(), Norm(f"norm.{identity}"), Times(-1), factor),
            branch("identity", Identity()),
        ),
        fused="reparam_conv",
        fused_tells=True,
        found_by=(f"mixer.{convs}.{{i}}.conv.weight", f"norm.{identity}.weight"),
    )


REPMIXER = _repmixer("RepMixer", "apple/ml-fastvit", "rbr_conv", "rbr_scale", "rbr_skip", "layer_scale")
REPMIXER_TIMM = _repmixer(
    "RepMixer (timm)", "timm", "conv_kxk", "conv_scale", "identity", "layer_scale.gamma"
)


def _position(name: str, code: str, key: str) -> Family:
    return Family(
        name=name,
        source=f"{PAPER}; {code}",
        branches=(branch(key, conv(key, groups=DEPTHWISE)), branch("identity", Identity())),
        fused="reparam_conv",
        plain=True,
    )


POSITION = _position("FastViT position", "apple/ml-fastvit, RepCPE", "pe")
POSITION_TIMM = _position("FastViT position (timm)", "timm, fastvit.RepConditionalPosEnc", "pos_enc")
