"""Blocks of small nets for super-resolution: biases instead of batch norms, edge kernels, nested sums."""

from __future__ import annotations

from tui.checkpoints.families.family import Family
from tui.checkpoints.families.patterns import (
    BranchPattern,
    Conv,
    Fixed,
    Identity,
    Together,
    branch,
    conv,
)

_IDENTITY = branch("identity", Identity())

SPAN = Family(
    name="SPAN",
    source="Wan et al., SPAN, CVPRW 2024; hongyuanyu/SPAN, Conv3XC",
    branches=(
        branch("conv", conv("conv.0", "1x1"), conv("conv.1", "3x3"), conv("conv.2", "1x1")),
        branch("sk", conv("sk", "1x1")),
    ),
    fused="eval_conv",
    fused_tells=True,
    found_by=("sk.weight",),
    plain=True,
)


def _sequence(key: str) -> BranchPattern:
    return branch(
        key,
        Conv(f"{key}.k0", f"{key}.b0", "1x1", groups=1),
        Conv(f"{key}.k1", f"{key}.b1", "3x3", groups=1),
    )


def _edge(key: str, word: str) -> BranchPattern:
    return branch(
        key,
        Conv(f"{key}.k0", f"{key}.b0", "1x1", groups=1),
        Fixed(word, f"{key}.mask", f"{key}.scale", f"{key}.bias"),
    )


_EDGES = (
    _edge("conv1x1_sbx", "sobelx"),
    _edge("conv1x1_sby", "sobely"),
    _edge("conv1x1_lpl", "laplacian"),
)
_SEQUENCE = _sequence("conv1x1_3x3")


def _ecb(name: str, *more: BranchPattern) -> Family:
    return Family(
        name=name,
        source="Zhang et al., ECBSR, ACM MM 2021; xindongzhang/ECBSR, ECB",
        branches=(branch("conv3x3", conv("conv3x3", "3x3", groups=1)), _SEQUENCE, *_EDGES, *more),
        fused="conv3x3",
        found_by=("conv1x1_sbx.k0",),
        note="whether it adds its input is an option of the class and in no key",
    )


ECBSR = (_ecb("ECBSR"), _ecb("ECBSR with identity", _IDENTITY))


def _edbb(name: str, *more: BranchPattern) -> Family:
    sequence = ("conv1x1_3x3.k0", "conv1x1_3x3.b0", "conv1x1_3x3.k1", "conv1x1_3x3.b1")
    return Family(
        name=name,
        source="Wang, Edge-enhanced Feature Distillation Network, CVPRW 2022; icandle/EFDN, EDBB",
        branches=(
            branch("rep_conv", conv("rep_conv", "3x3", groups=1)),
            branch("conv1x1", conv("conv1x1", "1x1", groups=1)),
            *_EDGES,
            *more,
        ),
        fused="rep_conv",
        found_by=("conv1x1_sbx.k0",),
        unused=() if _SEQUENCE in more else sequence,
        note="with_13 and with_idt are options of the class and in no key",
    )


EFDN = (
    _edbb("EFDN"),
    _edbb("EFDN with_13", _SEQUENCE),
    _edbb("EFDN with_idt", _IDENTITY),
    _edbb("EFDN with_13 and with_idt", _SEQUENCE, _IDENTITY),
)

FMEN = Family(
    name="FMEN",
    source="Du et al., FMEN, CVPRW 2022; NJU-Jet/FMEN, RRRB",
    branches=(
        branch(
            "conv",
            conv("expand_conv", "1x1", groups=1),
            Together(((conv("fea_conv", "3x3", groups=1),), (Identity(),))),
            conv("reduce_conv", "1x1", groups=1),
        ),
        _IDENTITY,
    ),
    fused="rep_conv",
    beside=(),  # PlainUSR has a gate "se" inside
    found_by=("fea_conv.weight",),
)


def _bottleneck(number: str) -> BranchPattern:
    return branch(
        f"fea{number}_conv",
        conv(f"expand{number}_conv", "1x1", groups=1),
        conv(f"fea{number}_conv", "3x3", groups=1),
        conv(f"reduce{number}_conv", "1x1", groups=1),
    )


RVSR = Family(
    name="RVSR",
    source="huai-chang/RVSR, RepConv, AIS 2024 challenge",
    branches=(
        _bottleneck(""),
        _bottleneck("1"),
        branch("res_conv3x3", conv("res_conv3x3", "3x3", groups=1)),
        branch("res_conv1x1", conv("res_conv1x1", "1x1", groups=1)),
        _IDENTITY,
    ),
    fused="rep_conv",
    beside=(),
    found_by=("res_conv3x3.weight",),
)
