"""fuse(), fuse_model(): what a module raises on an image of ours is told in a sentence, or does no harm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.modules.styles import Written, conv
from tui.fusion.kernel import FusionError
from tui.modules.fusing import fuse
from tui.modules.run.running import RunError
from tui.modules.whole.model import fuse_model

X = torch.randn(1, 6, 8, 8, generator=torch.Generator().manual_seed(3))


class TheirError(Exception):
    """Of somebody's own."""


def two(self: Any, x: Tensor) -> Tensor:
    return self.dense(x) + self.point(x)  # type: ignore[no-any-return]


def rolled(self: Any, x: Tensor) -> Tensor:
    return torch.roll(self.dense(x), 1, 2)


def written(forward: Callable[..., Any], **more: Any) -> nn.Module:
    torch.manual_seed(4)
    return Written(forward, dense=conv(), point=conv(1), **more).eval()


def refusing(
    forward: Callable[..., Any], kind: type[Exception], takes: Callable[[Tensor], bool]
) -> nn.Module:
    def forwards(self: Any, x: Tensor) -> Any:
        if not takes(x):
            raise kind("not this image")
        return forward(self, x)

    return written(forwards)


TAKES: dict[str, Callable[[Tensor], bool]] = {
    "one size": lambda x: x.shape[2:] == (8, 8),
    "one dtype": lambda x: x.dtype is torch.float32,
    "one image": lambda x: len(x) == 1,
}
KINDS = [KeyError, AssertionError, TheirError]


@pytest.mark.parametrize("takes", TAKES)
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_one_that_takes_only(kind: type[Exception], takes: str) -> None:
    module = refusing(two, kind, TAKES[takes])
    torch.testing.assert_close(fuse(module, X)(X), module(X))
    torch.testing.assert_close(fuse_model(module, X).model(X), module(X))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_tried_is_told(kind: type[Exception]) -> None:
    told = r"it is not known to be one convolution: roll, .*; and Written's forward failed"
    with pytest.raises(FusionError, match=rf"{told} on 1x6x\d+x\d+: {kind.__name__}: "):
        fuse(refusing(rolled, kind, TAKES["one size"]), X)


def test_one_that_cannot_be_copied() -> None:
    with pytest.raises(
        FusionError, match=r"not known to be one convolution: roll, .*; and .* cannot be copied"
    ):
        fuse(written(rolled, lock=threading.Lock()), X)


@pytest.mark.parametrize("position", [torch.ones(1, 6, 8, 8), torch.full((6, 8, 8), 2.0)])
@pytest.mark.parametrize("operator", [torch.add, torch.mul])
@torch.no_grad()
def test_numbers_a_pixel_that_are_the_same_everywhere(operator: Any, position: Tensor) -> None:
    """They take one size of the image only, on which it is one convolution."""
    module = written(lambda self, x: operator(two(self, x), self.position), position=nn.Parameter(position))
    torch.testing.assert_close(fuse(module, X)(X), module(X))
    model = nn.Sequential(module, nn.ReLU())
    made = fuse_model(model.eval(), X)
    assert len(made.report.fused) == 1
    torch.testing.assert_close(made.model(X), model(X))


def test_numbers_a_pixel_that_differ() -> None:
    position = nn.Parameter(torch.randn(1, 6, 8, 8))
    module = written(lambda self, x: two(self, x) + self.position, position=position)
    with pytest.raises(FusionError, match="a number a pixel"):
        fuse(module, X)
    with pytest.raises(
        RunError, match=r"no example input was found for Written: give one \(.*size of tensor"
    ):
        fuse(module)
