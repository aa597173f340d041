"""Plain pairs of a convolution and the batch norm behind it, under the names that most code gives them."""

from __future__ import annotations

from tui.checkpoints.families.family import ANYTHING, Family
from tui.checkpoints.families.patterns import Norm, branch, conv


def _pair(name: str, convolution: str, norm: str) -> Family:
    return Family(
        name=name,
        source="Jacob et al., Quantization and Training of Neural Networks, CVPR 2018, sec. 3.2",
        branches=(branch(convolution, conv(convolution), Norm(norm)),),
        fused=convolution,
        beside=ANYTHING,
        plain=True,
        in_order=True,
        on_wish=True,
        note=f"nothing else may read what {convolution} gives",
    )


PAIRS = (
    _pair("conv_bn", "conv", "bn"),
    _pair("conv_bn (norm)", "conv", "norm"),
    _pair("conv_bn (transformers)", "convolution", "normalization"),
    *(_pair(f"conv_bn ({number})", f"conv{number}", f"bn{number}") for number in (1, 2, 3)),
    _pair("conv_bn (downsample)", "downsample.0", "downsample.1"),
)
