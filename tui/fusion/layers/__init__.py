"""The kinds of layer, one nn.Module each: `forward(x)` runs it, `kernel()` says which convolution it is."""

from __future__ import annotations

from tui.fusion.layers.base import Layer
from tui.fusion.layers.branch import Branch
from tui.fusion.layers.building import build_branch
from tui.fusion.layers.chain import Chain, Fold
from tui.fusion.layers.channelwise import Average, Identity
from tui.fusion.layers.convolution import Convolution, OffsetConvolution, OffsetIdentityConv
from tui.fusion.layers.fixed import FixedDepthwise
from tui.fusion.layers.rescaling import Factor, Norm
from tui.fusion.layers.sum import Sum

__all__ = [
    "Average",
    "Branch",
    "Chain",
    "Convolution",
    "Factor",
    "FixedDepthwise",
    "Fold",
    "Identity",
    "Layer",
    "Norm",
    "OffsetConvolution",
    "OffsetIdentityConv",
    "Sum",
    "build_branch",
]
