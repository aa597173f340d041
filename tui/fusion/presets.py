"""Published blocks by name, each a BlockSpec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.specs.block_spec import BlockSpec, BranchSpec, Pair
from tui.fusion.specs.layer_spec import YOLO_EPS


@dataclass(frozen=True)
class Preset:
    """A named block to start from, and one line that tells where it is found.

    Attributes:
        branches: as they are written.
        values: what else is not a BlockSpec's own.
    """

    name: str
    summary: str
    branches: str
    values: Mapping[str, Any]

    @cached_property
    def spec(self) -> BlockSpec:
        """The block. Reading and checking all of them would hold the first paint up, which needs one."""
        return BlockSpec(branches=parse_branches(self.branches), **self.values)


_UNIREPLKNET: dict[int, tuple[Pair, ...]] = {
    17: ((5, 1), (9, 2), (3, 4), (3, 5), (3, 7)),
    15: ((5, 1), (7, 2), (3, 3), (3, 5), (3, 7)),
    13: ((5, 1), (7, 2), (3, 3), (3, 4), (3, 5)),
    11: ((5, 1), (5, 2), (3, 3), (3, 4), (3, 5)),
    9: ((5, 1), (5, 2), (3, 3), (3, 4)),
    7: ((5, 1), (3, 2), (3, 3)),
    5: ((3, 1), (3, 2)),
}


def unireplknet_convs(kernel_size: int) -> tuple[Pair, ...]:
    """(kernel size, dilation) of the small convs that UniRepLKNet puts beside a large one of that size.

    Ding et al., 2024, "UniRepLKNet", DilatedReparamBlock.

    Raises:
        ValueError: the paper has no block of that kernel size.
    """
    if kernel_size not in _UNIREPLKNET:
        sizes = ", ".join(map(str, sorted(_UNIREPLKNET)))
        raise ValueError(f"UniRepLKNet has blocks of kernel size {sizes}, not {kernel_size}")
    return _UNIREPLKNET[kernel_size]


def unireplknet_branches(kernel_size: int) -> tuple[BranchSpec, ...]:
    """The large convolution and its dilated small ones, a batch norm each.

    Raises:
        ValueError: as `unireplknet_convs`.
    """
    return parse_branches(_unireplknet(kernel_size))


def _unireplknet(kernel_size: int) -> str:
    small = (f"{size}x{size}d{dilation}" for size, dilation in unireplknet_convs(kernel_size))
    return ",".join(f"{size}+norm-bias" for size in ("kxk", *small))


def _preset(name: str, summary: str, branches: str, **values: Any) -> Preset:
    """A preset of 64 channels on 56 x 56 pixels where nothing else is said."""
    usual: dict[str, Any] = {"in_channels": 64, "out_channels": 64, "input_shape": (56, 56)}
    return Preset(name, summary, branches, usual | values)


def _channels(channels: int, *, depthwise: bool = False) -> dict[str, int]:
    """As many in as out."""
    same = {"in_channels": channels, "out_channels": channels}
    return same | {"groups": channels} if depthwise else same


_DEPTHWISE: dict[str, Any] = {"groups": 64}
_STRIDED: dict[str, Any] = {"stride": (2, 2)}
_REPVGG = "kxk+norm-bias,1x1+norm-bias,identity+norm"
_MOBILEONE = "kxk+norm-bias,kxk+norm-bias,kxk+norm-bias,kxk+norm-bias,1x1+norm-bias,identity+norm"
_DBB = "kxk+norm-bias,1x1+norm-bias,1x1-avg+norm+inner-bias,1x1-kxk+norm+inner+idconv-bias"
_DBB_DEPTHWISE = "kxk+norm-bias,avg+norm,1x1-kxk+norm+inner-bias+x2"
_EDGES = "1x1+x2 > 3x3,1x1 > sobelx,1x1 > sobely,1x1 > laplacian"
_REPMIXER = "kxk+norm-bias+gamma,1x1+norm-bias+gamma,identity+norm+gamma,identity+norm+gamma,identity"

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("residual", "2 channels, small enough to check by hand", "kxk,1x1,identity", {}),
        _preset("repvgg", "64 channels, batch norm each (Ding et al., 2021)", _REPVGG),
        _preset(
            "repvgg-downsample",
            "first block of a stage: stride 2, no identity",
            "kxk+norm-bias,1x1+norm-bias",
            **_STRIDED,
        ),
        _preset("repvgg-grouped", "4 groups, as in RepVGG's g4 models", _REPVGG, groups=4),
        _preset("repvgg-depthwise", "one group a channel, as in MobileOne", _REPVGG, **_DEPTHWISE),
        _preset(
            "qarepvgg",
            "to quantise: one norm at the end (Chu et al., 2022)",
            "kxk+norm-bias,1x1-bias,identity",
            post_norm=True,
        ),
        _preset("mobileone", "4 depthwise 3x3 in parallel (Vasu et al., 2022)", _MOBILEONE, **_DEPTHWISE),
        _preset(
            "acnet", "square, row and column (Ding et al., 2019)", "kxk+norm-bias,kx1+norm-bias,1xk+norm-bias"
        ),
        _preset("dbb", "diverse branches, 1x1 first (Ding et al., 2021)", _DBB),
        _preset(
            "dbb-depthwise", "DBB with a group a channel and a bare average", _DBB_DEPTHWISE, **_DEPTHWISE
        ),
        _preset(
            "replknet",
            "31x31 beside 5x5, depthwise (Ding et al., 2022)",
            "kxk+norm-bias,5x5+norm-bias",
            kernel_size=(31, 31),
            **_DEPTHWISE,
        ),
        _preset(
            "unireplknet",
            "13x13 and dilated small convs (Ding et al., 2024)",
            _unireplknet(13),
            kernel_size=(13, 13),
            input_shape=(28, 28),
            **_DEPTHWISE,
        ),
        _preset("repmixer", "FastViT's token mixer (Vasu et al., 2023)", _REPMIXER, **_DEPTHWISE),
        _preset(
            "fastvit-stem",
            "second conv of its stem: depthwise, stride 2",
            "kxk+norm-bias,1x1+norm-bias",
            **_DEPTHWISE,
            **_STRIDED,
        ),
        _preset(
            "repvit",
            "depthwise, one norm at the end (Wang et al., 2023)",
            "kxk+norm-bias,1x1,identity",
            post_norm=True,
            **_DEPTHWISE,
        ),
        _preset(
            "repghost",
            "3x3 and identity, depthwise (Chen et al., 2022)",
            "kxk+norm-bias,identity+norm",
            **_DEPTHWISE,
        ),
        _preset(
            "repconv",
            "YOLOv7 to v9: no identity (Wang et al., 2022)",
            "kxk+norm-bias,1x1+norm-bias",
            eps=YOLO_EPS,
        ),
        _preset(
            "repvggdw",
            "YOLOv10: 7x7 and 3x3, depthwise (Wang et al., 2024)",
            "kxk+norm-bias,3x3+norm-bias",
            kernel_size=(7, 7),
            eps=YOLO_EPS,
            **_DEPTHWISE,
        ),
        _preset(
            "span",
            "1x1 > 3x3 > 1x1 beside a 1x1 (Wan et al., 2023)",
            "1x1+x2 > 3x3+x2 > 1x1,1x1",
            **_channels(48),
        ),
        _preset(
            "ecbsr", "with Sobel and Laplacian edges (Zhang et al., 2021)", f"kxk,{_EDGES}", **_channels(16)
        ),
        _preset(
            "edbb",
            "EFDN: ECB, a 1x1, an identity (Wang et al., 2022)",
            f"kxk,1x1,{_EDGES},identity",
            **_channels(48),
        ),
        _preset(
            "sesr",
            "3x3 to 256 channels and back (Bhardwaj et al., 2021)",
            "kxk+c256 > 1x1,identity",
            **_channels(16),
        ),
        _preset(
            "rrrb",
            "FMEN: an identity inside a chain (Du et al., 2022)",
            "1x1+x2 > (3x3 + identity) > 1x1,identity",
            **_channels(50),
        ),
        _preset(
            "repnext",
            "7x7, 5x3, 3x5, rows then columns (Zhao et al., 2024)",
            "kxk,5x3,3x5,1xk-bias > kx1-bias,1x5-bias > 5x1-bias",
            kernel_size=(7, 7),
            **_channels(16, depthwise=True),
        ),
        _preset(
            "orepa",
            "all but its fixed cosine kernels (Hu et al., 2022)",
            "kxk-bias+gamma,1x1-avg+gamma-bias,1x1-bias+gamma,1x1-kxk+idconv-bias+gamma,"
            "kxk-bias+dw+x8 > 1x1-bias > gamma",
            post_norm=True,
        ),
        _preset(
            "csla",
            "RepOptimizers: scales, one norm (Ding et al., 2022)",
            "kxk-bias+gamma,1x1-bias+gamma,identity+gamma",
            post_norm=True,
        ),
        _preset(
            "nextvit",
            "a norm before a 1x1 (Li et al., 2022)",
            "norm > 1x1",
            kernel_size=(1, 1),
            **_channels(96) | {"out_channels": 288},
        ),
        _preset(
            "repadapter",
            "down to 8 channels, + identity (Luo et al., 2023)",
            "1x1+c8 > 1x1+g2 > alpha,identity",
            kernel_size=(1, 1),
            input_shape=(14, 14),
            **_channels(768),
        ),
        _preset(
            "spike",
            "two 1x1 about a depthwise 3x3 (Yao et al., 2024)",
            "1x1-bias > norm > kxk-bias+dw > 1x1-bias > norm",
            input_shape=(14, 14),
            **_channels(256),
        ),
        Preset(
            "pointwise",
            "1x1 and identity only: fuses to a 1x1 conv",
            "1x1,identity",
            {"kernel_size": (1, 1)},
        ),
    )
}


_FREE = {"input_shape", "batch_size", "input", "weights", "dtype", "seed"}
"""What may be another than the preset's: it makes no other block of it."""


def preset_named(spec: BlockSpec) -> str | None:
    """The name of the preset that this block is, None when it is none of them.

    Its structure decides; with another dtype, input, seed or fill a preset still is that preset.
    """
    fewest: int | None = None
    nearest: str | None = None
    for name, preset in PRESETS.items():
        changed = set(spec.changes_from(preset.spec))
        if not changed:
            return name
        if changed <= _FREE and (fewest is None or len(changed) < fewest):
            nearest, fewest = name, len(changed)
    return nearest
