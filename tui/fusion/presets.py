"""Published blocks by name, each a BlockSpec."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec


@dataclass(frozen=True, slots=True)
class Preset:
    """A named block to start from, and one line that tells where it is found."""

    name: str
    summary: str
    spec: BlockSpec


def _branches(*kinds: BranchKind, batch_norm: bool) -> tuple[BranchSpec, ...]:
    """Branches as RepVGG has them: a batch norm each and then no bias, or a bias each and no batch norm."""
    return tuple(BranchSpec(kind, bias=not batch_norm, batch_norm=batch_norm) for kind in kinds)


_REPVGG = BlockSpec(
    in_channels=64,
    out_channels=64,
    input_shape=(56, 56),
    branches=_branches(BranchKind.KXK, BranchKind.POINTWISE, BranchKind.IDENTITY, batch_norm=True),
)

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("residual", "2 channels, small enough to check by hand", BlockSpec()),
        Preset("repvgg", "64 channels, batch norm each (Ding et al., 2021)", _REPVGG),
        Preset(
            "repvgg-downsample",
            "first block of a stage: stride 2, no identity",
            replace(
                _REPVGG,
                stride=(2, 2),
                branches=_branches(BranchKind.KXK, BranchKind.POINTWISE, batch_norm=True),
            ),
        ),
        Preset("repvgg-grouped", "4 groups, as in RepVGG's g4 models", replace(_REPVGG, groups=4)),
        Preset("repvgg-depthwise", "one group a channel, as in MobileOne", replace(_REPVGG, groups=64)),
        Preset(
            "pointwise",
            "1x1 and identity only: fuses to a 1x1 conv",
            BlockSpec(
                kernel_size=(1, 1),
                branches=_branches(BranchKind.POINTWISE, BranchKind.IDENTITY, batch_norm=False),
            ),
        ),
    )
}


def preset_named(spec: BlockSpec) -> str | None:
    """The name of the preset that this block is, None when it is none of them."""
    return next((name for name, preset in PRESETS.items() if preset.spec == spec), None)
