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
from tui.modules.run.running import RunError
from tui.modules.whole.model import fuse_model

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
        (nn.ModuleList([nn.Conv2d(4, 3, 1)]).eval(), "a ModuleList holds modules and does nothing.*give one"),
        (nn.Conv2d(4, 3, 1, device="meta").eval(), r"weight is on the meta device.*to_empty"),
    ],
    ids=["none", "weights", "class", "lazy", "list", "meta"],
)
def test_what_is_no_module(asked: Callable[[Any, Any], object], given: Any, words: str) -> None:
    with pytest.raises(FusionError, match=words):
        asked(given, X)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("asked", [fuse, fuse_model, look_at])
def test_torchscript_is_refused_in_words(asked: Callable[[Any, Any], object]) -> None:
    traced: nn.Module = torch.jit.trace(nn.Conv2d(4, 3, 1).eval(), X)  # type: ignore[no-untyped-call]
    with pytest.raises(FusionError, match="it is TorchScript"):
        asked(traced, X)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
def test_a_weight_that_was_computed_with_gradients_is_copied_by_its_numbers() -> None:
    normed = nn.utils.weight_norm(nn.Conv2d(4, 4, 3, padding=1))
    model = nn.Sequential(normed, nn.BatchNorm2d(4)).eval()
    with torch.enable_grad():
        model(X)
    assert not normed.weight.is_leaf
    x = torch.randn(1, 4, 8, 8)
    fused, report = fuse_model(model, x)
    assert len(report.fused) == 1
    torch.testing.assert_close(fused(x), model(x))


class NotCopied(nn.Conv2d):
    def __deepcopy__(self, _: Any) -> Any:
        raise TypeError("it is one of a kind")


def test_a_model_that_cannot_be_copied() -> None:
    with pytest.raises(FusionError, match=r"cannot be copied.*one of a kind.*fuse its parts"):
        fuse_model(nn.Sequential(NotCopied(4, 4, 1), nn.BatchNorm2d(4)).eval(), X)


def test_an_image_is_made_for_a_transposed_convolution() -> None:
    model = nn.Sequential(nn.ConvTranspose2d(3, 4, 2, 2), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)).eval()
    assert [each.title for each in look_at(model).findings.blocks] == ["1"]


@pytest.mark.parametrize("kind", [nn.Conv1d, nn.Conv3d])
def test_what_takes_no_image_is_told_so(kind: type[nn.Conv1d | nn.Conv3d]) -> None:
    with pytest.raises(RunError, match=f"{kind.__name__} and no Conv2d: blocks of images"):
        look_at(nn.Sequential(kind(4, 4, 3), nn.ReLU()).eval())


def test_of_code_without_a_file_no_line_of_ours_is_told() -> None:
    traced = torch.fx.symbolic_trace(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU())).eval()
    with pytest.raises(FusionError) as refused:
        fuse(torch.fx.symbolic_trace(Activated()).eval(), X)
    assert str(refused.value).endswith("an activation, relu")
    assert look_at(traced, X).why_not


class Activated(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x)
