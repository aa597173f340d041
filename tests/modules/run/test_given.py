"""What is given in the place of a module, or cannot be run or copied, is refused with the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from tui.fusion.kernel import FusionError
from tui.modules.finding import blocks_of
from tui.modules.fusing import fuse
from tui.modules.looking import look_at
from tui.modules.model import fuse_model

X = torch.zeros(1, 4, 8, 8)


@pytest.mark.parametrize(
    "asked",
    [fuse, lambda module, _: fuse(module), fuse_model, blocks_of, look_at],
    ids=["fuse", "fuse without an image", "fuse_model", "blocks_of", "look_at"],
)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "NoneType was given, and a module"),
        ({"weight": X}, "dict was given, and a module"),
        (nn.Conv2d, r"the class Conv2d was given.*Conv2d\(\.\.\.\)"),
        (nn.Sequential(nn.LazyConv2d(4, 3)).eval(), "0.weight has no size yet.*run it once"),
    ],
    ids=["none", "weights", "class", "lazy"],
)
def test_what_is_no_module(asked: Callable[[Any, Any], object], given: Any, words: str) -> None:
    with pytest.raises(FusionError, match=words):
        asked(given, X)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_a_model_that_cannot_be_copied() -> None:
    normed = nn.utils.weight_norm(nn.Conv2d(4, 4, 3, padding=1))
    model = nn.Sequential(normed, nn.BatchNorm2d(4)).eval()
    model(X)
    with pytest.raises(FusionError, match=r"cannot be copied.*0\.weight is a tensor.*torch\.no_grad"):
        fuse_model(model, X)
    with torch.no_grad():
        model(X)
    assert len(fuse_model(model, X).report.fused) == 1
