"""What is given to study_of in the place of a block is refused with the way."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tui.analysis.study import study_of
from tui.fusion.block import build_block
from tui.fusion.kernel import FusionError
from tui.fusion.specs.block_spec import BlockSpec
from tui.modules.finding import blocks_of

SPEC = BlockSpec(in_channels=3, out_channels=3)
X = torch.zeros(1, 3, 8, 8)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((nn.Conv2d(3, 3, 3), X), r"a Conv2d was given.*tui\.explore.*tui\.blocks_of"),
        ((nn.Conv2d(3, 3, 3),), r"a Conv2d was given.*tui\.explore.*tui\.blocks_of"),
        ((None,), "NoneType was given, and a BlockSpec"),
        (("repvgg",), "str was given, and a BlockSpec"),
        ((BlockSpec,), "the class BlockSpec was given"),
        ((build_block(SPEC),), r"on an input: a tensor \(batch, 3, H, W\) in torch\.float32"),
        ((SPEC, X), "an input was given after a spec"),
    ],
    ids=["module", "module alone", "none", "name", "class", "block alone", "input of a spec"],
)
def test_told_the_way(given: tuple[Any, ...], words: str) -> None:
    with pytest.raises(FusionError, match=words):
        study_of(*given)


def test_the_block_of_a_module_by_that_way() -> None:
    module = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)).eval()
    (found,) = blocks_of(module, X).blocks
    assert study_of(found.block, X + 1).verdict.ruling.agrees
