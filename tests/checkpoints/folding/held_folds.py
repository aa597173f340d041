"""The ways to fold a block, held against each other and against what its module does."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from tui.checkpoints.building import block_of
from tui.checkpoints.folding.general import answer_on_image, fold_general
from tui.checkpoints.folding.plain import fold_plain, is_plain
from tui.checkpoints.found import FoundBlock


def assert_folds(found: FoundBlock, state: Mapping[str, Tensor], weight: Tensor, bias: Tensor) -> None:
    """Every way gives these tensors of float64, and the branches answer as they do."""
    block = block_of(found, state.__getitem__, dtype=torch.float64)
    ways = [fold_general(block, torch.float64)]
    if is_plain(found):
        ways.append(fold_plain(found, state, None))
    for folded in ways:
        assert folded.answer.agrees
        assert folded.share == 0  # float64 is rounded to itself
        assert folded.weight is not None
        for one, other in ((folded.weight.reshape(weight.shape), weight), (folded.bias, bias)):
            assert one.is_contiguous()
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12 * max(1.0, float(other.abs().max())))
    assert answer_on_image(block).agrees
