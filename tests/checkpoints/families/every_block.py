"""A block of each kind as its state_dict, under the prefix "b"."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from tests.checkpoints.families.held_against import ready, state_of
from tests.checkpoints.families.parts import ConvNorm
from tests.checkpoints.families.repvgg_modules import mobileone, repvgg
from tests.checkpoints.families.test_diverse_branch import DBB
from tests.checkpoints.families.test_fastvit import RepMixer
from tests.checkpoints.families.test_ghost import RepGhost, ghost
from tests.checkpoints.families.test_large_kernel import Dilated
from tests.checkpoints.families.test_levit import NormLinear, RepVggDw
from tests.checkpoints.families.test_separable import RepNeXtM, RepNeXtS, SpikeConv
from tests.checkpoints.families.test_super_resolution import RRRB, RVSR, Conv3XC, EdgeBlock


def blocks() -> Iterator[nn.Module]:
    yield repvgg("RepVGG", 8, 8, groups=2)
    yield repvgg("RepVGG (timm)", 4, 8)
    yield mobileone("MobileOne", 8, 8, 3, groups=8)
    yield DBB((8, 8), 3, 2, None)
    yield DBB((8, 8), 3, 8, 16)
    yield RepMixer("RepMixer (timm)", 6, 3)
    yield RepGhost(6)
    yield ghost("cheap", "bn1", (6, 6), 3, 6, skip=True)
    yield Dilated(4, 9)
    yield RepVggDw(6, 3, legacy=False)
    yield RepVggDw(6, 3, legacy=True)
    yield NormLinear(bias=True)
    yield ConvNorm(4, 6, 3, names=("c", "bn"))
    yield ConvNorm(6, 6, 3)
    yield RepNeXtS(4, 1)
    yield RepNeXtM(4, bias=True)
    yield SpikeConv(4, 6)
    yield Conv3XC((4, 4), 2, True)
    yield EdgeBlock("conv3x3", (3, 8))
    yield EdgeBlock("rep_conv", (6, 6))
    yield RRRB(4, 2)
    yield RVSR(4, 2)


STATES = [state_of(ready(module), "b") for module in blocks()]
