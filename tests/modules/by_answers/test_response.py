"""A module by its answers: what is a convolution is found, what only looks like one is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.modules.styles import FUSED, Written, conv
from tests.modules.test_fusing import image, made
from tui.fusion.kernel import FusionError
from tui.modules.by_answers.response import response_of
from tui.modules.finished import padded_conv
from tui.modules.fusing import block_of, fuse


@pytest.mark.parametrize("style", FUSED)
@torch.no_grad()
def test_what_is_recognised_is_found_by_its_answers_too(style: str) -> None:
    module = made(style).double()
    found, known = response_of(module, image()), block_of(module, image())
    x = image((1, 6, 19, 15), seed=9)
    expected = module(x)
    ours = padded_conv(found.kernel, found.geometry, found.border)(x)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-9 * float(expected.abs().max()))
    assert found.geometry.stride == known.block64.geometry.stride
    assert found.geometry.padding_mode == known.block64.geometry.padding_mode
    if style != "a masked weight":  # all of its other taps are zero
        assert found.geometry.groups == known.block64.geometry.groups


@pytest.mark.parametrize(
    ("size", "stride", "padding", "dilation", "groups"),
    [
        ((3, 5), (2, 1), (1, 2), (1, 1), 1),
        ((4, 2), (4, 3), (0, 1), (1, 1), 2),
        ((3, 3), (1, 1), (0, 4), (2, 3), 6),
        ((1, 1), (2, 2), (0, 0), (1, 1), 3),
        ((7, 1), (1, 2), (3, 0), (2, 1), 1),
    ],
)
@torch.no_grad()
def test_geometry(size: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> None:
    layer = nn.Conv2d(6, 12, size, stride, padding, dilation, groups).double()
    found = response_of(layer, image())
    assert found.geometry.groups == groups
    assert found.geometry.stride == stride
    assert found.border == (padding[1], padding[1], padding[0], padding[0])
    torch.testing.assert_close(found.kernel.weight, layer.weight, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.kernel.bias, layer.bias, rtol=0, atol=0)


def soft_threshold(self: Any, x: Tensor) -> Tensor:
    return functional.softshrink(self.dense(x), 1e-6)


def drifting(self: Any, x: Tensor) -> Tensor:
    return self.dense(x) * torch.linspace(1, 1 + 1e-6, x.shape[3], dtype=x.dtype)  # type: ignore[no-any-return]


ALMOST: dict[str, Callable[[], nn.Module]] = {
    "a relu6 that never clips on usual images": lambda: Written(
        lambda self, x: functional.relu6(self.dense(x) * 1e-4 + 3) * 1e4, dense=conv()
    ),
    "a clamp at a million": lambda: Written(lambda self, x: self.dense(x).clamp(max=1e6), dense=conv()),
    "a tanh that is straight near zero": lambda: Written(
        lambda self, x: torch.tanh(self.dense(x) * 1e-7) * 1e7, dense=conv()
    ),
    "a threshold far below": lambda: Written(soft_threshold, dense=conv()),
    "an absolute value": lambda: Written(lambda self, x: self.dense(x).abs(), dense=conv()),
    "another factor at each column": lambda: Written(drifting, dense=conv()),
    "zeros in between": lambda: nn.Sequential(conv(1), conv()),
    "a norm of each image": lambda: nn.Sequential(conv(), nn.InstanceNorm2d(6)),
}


@pytest.mark.parametrize("name", ALMOST)
def test_almost_linear_is_not_linear(name: str) -> None:
    torch.manual_seed(2)
    with pytest.raises(FusionError):
        response_of(ALMOST[name]().double().eval(), image())


def test_what_differs_at_the_border_only_is_told_so() -> None:
    with pytest.raises(FusionError, match="answers like one convolution, but not at the border: of an image"):
        response_of(nn.Sequential(conv(bias=False), conv(bias=False)).double().eval(), image())


@torch.no_grad()
def test_a_block_by_its_answers_pads_as_the_module_does() -> None:
    module = made("rolled around").double()
    found = block_of(module, image())
    assert found.pads_same
    torch.testing.assert_close(found.block(image()), module(image()), rtol=0, atol=1e-10)


@pytest.mark.parametrize("last", [nn.Dropout(), nn.BatchNorm2d(6)])
def test_train_mode_is_refused(last: nn.Module) -> None:
    with pytest.raises(FusionError, match="in train mode: 1"):
        response_of(nn.Sequential(conv(), last).double(), image())


def matrix(self: Any, x: Tensor) -> Tensor:
    """A 1x1 convolution as a product of matrices, which the graph's steps do not have."""
    y = torch.einsum("oi,bihw->bohw", self.matrix, x)
    return y + self.dense(x)  # type: ignore[no-any-return]


@torch.no_grad()
def test_fuse_asks_where_it_does_not_understand() -> None:
    torch.manual_seed(3)
    module = Written(matrix, matrix=nn.Parameter(torch.randn(6, 6)), dense=conv()).double().eval()
    found = block_of(module, image())
    assert [branch.name for branch in found.block.branches] == ["response"]
    expected = module(image())
    torch.testing.assert_close(fuse(module, image())(image()), expected, rtol=0, atol=1e-10)


def test_fuse_refuses_what_it_neither_understands_nor_finds_linear() -> None:
    def sorted_by(self: Any, x: Tensor) -> Tensor:
        return torch.sort(self.dense(x), dim=3).values

    with pytest.raises(FusionError, match=r"sort, which is none of the linear steps.*; and it reaches"):
        fuse(Written(sorted_by, dense=conv()).double().eval(), image())


def test_no_empty_image_is_asked_about_twice() -> None:
    """Of many channels each of them costs as much as the weights that are read."""
    asked: list[tuple[int, ...]] = []
    layer = nn.Conv2d(6, 12, 3, stride=2, padding=1).double()
    layer.register_forward_pre_hook(
        lambda _, args: None if bool(args[0].any()) else asked.append(tuple(args[0].shape))
    )
    response_of(layer, image())
    assert asked
    assert len(set(asked)) == len(asked)


class Focus(nn.Module):
    """YOLOv5's: four images of half the size behind each other."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(24, 6, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        parts = (x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2])
        return self.conv(torch.cat(parts, 1))  # type: ignore[no-any-return]


class ToDepth(nn.Module):
    """Squares of pixels behind each other, by their places in memory."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.point, self.side = nn.Conv2d(6 * side**2, 6, 1), side

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        rows, columns = height // self.side, width // self.side
        x = x.view(batch, channels, rows, self.side, columns, self.side).permute(0, 3, 5, 1, 2, 4)
        return self.point(x.reshape(batch, -1, rows, columns))  # type: ignore[no-any-return]


OF_MULTIPLES: dict[str, tuple[Callable[[], nn.Module], int, tuple[int, int]]] = {
    "focus": (Focus, 2, (6, 6)),
    "unshuffled": (lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(24, 6, 3, padding=1)), 2, (6, 6)),
    "3x3 behind each other": (lambda: ToDepth(3), 3, (3, 3)),
    "8x8 behind each other": (lambda: ToDepth(8), 8, (8, 8)),
}
"""Those that take only sides that are multiples of a number, that number, and the kernel's size."""


@pytest.mark.parametrize("name", OF_MULTIPLES)
@torch.no_grad()
def test_one_that_takes_only_multiples_of_a_size(name: str) -> None:
    make, unit, kernel_size = OF_MULTIPLES[name]
    torch.manual_seed(4)
    module = make().double().eval()
    fused = fuse(module, image((1, 6, 2 * unit, 6 * unit)))
    assert (fused.kernel_size, fused.stride) == (kernel_size, (unit, unit))
    x = image((2, 6, 5 * unit, 3 * unit), seed=5)
    torch.testing.assert_close(fused(x), module(x), rtol=0, atol=1e-10)
