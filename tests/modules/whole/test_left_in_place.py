"""fuse_model(): a model that does not do without what is inside of a block keeps that block."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from tests.modules.small_models import Block, whole_numbers
from tui.fusion.kernel import FusionError
from tui.modules.whole.model import FusedModel, fuse_model

X = torch.randn(1, 2, 8, 9, generator=torch.Generator().manual_seed(3))


class Blocks(nn.Module):
    """Blocks one behind the other, each with an activation."""

    def __init__(self, count: int = 2) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block() for _ in range(count)])

    def forward(self, x: Tensor) -> Any:
        for block in self.blocks:
            x = relu(block(x)) / 16
        return x


class ReadsInside(Blocks):
    """Of the second and the fifth it asks for a convolution."""

    def forward(self, x: Tensor) -> Any:
        for place, block in enumerate(self.blocks):
            x = relu(block(x)) / 16
            if place in (1, 4) and block.conv.stride != (1, 1):
                x = x * 2
        return x


class AsksForTheClass(Blocks):
    def forward(self, x: Tensor) -> Any:
        for block in self.blocks:
            if isinstance(block, Block):
                x = relu(block(x)) / 16
        return x


class CallsByName(Blocks):
    """A convolution calls its argument otherwise."""

    def forward(self, x: Tensor) -> Any:
        return relu(self.blocks[1](x=relu(self.blocks[0](x))))


class Listened(Blocks):
    """A hook on an inner module tells the forward what size that gives."""

    def __init__(self, *, bound: bool) -> None:
        super().__init__()
        self.heard: list[Tensor] = []
        hook = self.hear if bound else lambda _, args, y: self.heard.append(y)
        self.blocks[0].get_submodule("conv").register_forward_hook(hook)

    def hear(self, _module: nn.Module, _arguments: Any, y: Tensor) -> None:
        self.heard.append(y)

    def forward(self, x: Tensor) -> Any:
        self.heard.clear()
        x = super().forward(x)
        return x * self.heard[0].shape[1]


class Alternating(Blocks):
    """It counts its runs, in Python."""

    runs = 0

    def forward(self, x: Tensor) -> Any:
        self.runs += 1
        return super().forward(x) * (self.runs % 2)


class ReadsInsideWhereItIsWide(Blocks):
    def forward(self, x: Tensor) -> Any:
        asked: Any = self.blocks
        return super().forward(x) * (1 if x.shape[3] < 200 else asked[0].conv.kernel_size[0])


class ReadsFaintly(nn.Module):
    """It adds so little of a weight that the output hardly tells."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2)

    def forward(self, x: Tensor) -> Any:
        return relu(self.bn(self.conv(x))) + 1e-6 * self.conv.weight.square().sum()


class Shared(nn.Module):
    """Two convolutions of one weight, which both of them hold, and the whole, which reads it too."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))
        self.second = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))
        self.shared = self.second[0].weight = self.first[0].weight

    def forward(self, x: Tensor) -> Any:
        return relu(self.second(relu(self.first(x)) / 16)) + self.get_parameter("shared").sum()


def fused_and_checked(model: nn.Module) -> FusedModel:
    made = fuse_model(whole_numbers(model), X)
    with torch.no_grad():
        torch.testing.assert_close(made.model(X), model(X))
    return made


def left_alone(made: FusedModel) -> dict[str, str]:
    return {each.path: each.reason for each in made.report.left_alone if each.path}


def test_what_the_forward_reads_is_left_and_the_rest_is_fused() -> None:
    made = fused_and_checked(ReadsInside(7))
    assert [each.title for each in made.report.fused] == [f"blocks.{place}" for place in (0, 2, 3, 5, 6)]
    assert list(left_alone(made)) == ["blocks.1", "blocks.4"]
    for reason in left_alone(made).values():
        assert "reads what is inside of it: AttributeError: 'Conv2d' object has no attribute 'conv'" in reason
        assert "test_left_in_place.py:" in reason


def test_what_is_asked_for_its_class_is_left() -> None:
    made = fused_and_checked(AsksForTheClass())
    assert not made.report.fused
    assert all("asks for a module's class" in reason for reason in left_alone(made).values())
    assert list(left_alone(made)) == ["blocks.0", "blocks.1"]


def test_what_is_called_as_no_convolution_is_left() -> None:
    made = fused_and_checked(CallsByName())
    assert [each.title for each in made.report.fused] == ["blocks.0"]
    assert "TypeError" in left_alone(made)["blocks.1"]


def test_what_is_listened_to_is_left() -> None:
    made = fused_and_checked(Listened(bound=True))
    assert [each.title for each in made.report.fused] == ["blocks.1"]
    assert "does not run with a convolution in its place: IndexError" in left_alone(made)["blocks.0"]


def test_a_copy_that_does_not_run_is_told_from_the_model() -> None:
    with pytest.raises(FusionError, match=r"the model runs, and a copy of it does not: .*IndexError"):
        fuse_model(whole_numbers(Listened(bound=False)), X)


def test_a_model_that_does_not_do_the_same_twice() -> None:
    with pytest.raises(FusionError, match="does not do the same twice"):
        fuse_model(whole_numbers(Alternating()), X)


def test_what_is_read_on_other_sizes_only() -> None:
    with pytest.raises(
        FusionError, match=r"on images of another size the fused model fails \(AttributeError"
    ):
        fuse_model(whole_numbers(ReadsInsideWhereItIsWide()), X)


class Counting(nn.Module):
    """It counts its runs in a buffer, by which it multiplies.

    `by_the_size`: and computes with the size, so that its parts are tried one by one.
    """

    runs: Tensor

    def __init__(self, *, by_the_size: bool) -> None:
        super().__init__()
        self.block: Any = Block()
        self.register_buffer("runs", torch.zeros(1))
        self.by_the_size = by_the_size

    def forward(self, x: Tensor) -> Any:
        self.runs += 1
        return relu(self.block(x)) * self.runs / (x.shape[2] if self.by_the_size else 1)


@pytest.mark.parametrize("by_the_size", [False, True])
def test_one_that_counts_its_runs_in_a_buffer_begins_as_it_was_given(by_the_size: bool) -> None:
    model = nn.Sequential(Counting(by_the_size=by_the_size), nn.ReLU())
    fused, report = fuse_model(whole_numbers(model), X)
    assert [each.title for each in report.fused] == ["0.block"]
    for each in (model, fused):
        assert float(each.get_buffer("0.runs")) == 0
    for _ in range(3):
        torch.testing.assert_close(fused(X), model(X))


class CountingInline(Counting):
    """It counts in the forward that would be rewritten."""

    def forward(self, x: Tensor) -> Any:
        y = self.block.conv(x) + self.block.point(x)
        self.runs[:] += 1
        return relu(y) * self.runs


def test_a_forward_that_keeps_something_for_the_next_run_is_not_rewritten() -> None:
    model = nn.Sequential(CountingInline(by_the_size=False), nn.ReLU())
    fused, report = fuse_model(whole_numbers(model), X)
    assert [each.reason for each in report.left_alone] == [
        "its forward writes over 0.runs, as one that counts its runs does"
    ]
    for _ in range(3):
        torch.testing.assert_close(fused(X), model(X))


def test_what_is_read_for_itself_is_left() -> None:
    made = fused_and_checked(ReadsFaintly())
    assert not made.report.fused
    assert "its weight is read elsewhere too: pow in forward" in left_alone(made)["conv"]


def test_a_weight_that_others_hold_too_is_read_where_they_hold_it() -> None:
    made = fused_and_checked(Shared())
    assert [each.title for each in made.report.fused] == ["first", "second"]
