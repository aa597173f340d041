"""write_program(): a program that takes other images than the example where torch can, and says where not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.modules.styles import Written, conv
from tui.command_line.module_options import FusedAs
from tui.commands.module.programs import Axis, write_program

EVERY = tuple(Axis)
OF_THE_SIZE = (Axis.HEIGHT, Axis.WIDTH)


def by_batch(self: Any, x: Tensor) -> Tensor:
    return self.dense(x) if len(x) > 1 else self.point(x)  # type: ignore[no-any-return]


def unrolled(self: Any, x: Tensor) -> Tensor:
    for _ in range(x.shape[3] // 4):
        x = self.dense(x)
    return x


MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[Axis, ...]]] = {
    "a view by the size": (
        lambda: Written(lambda self, x: self.dense(x).relu().view(x.size(0), 2, 3, -1), dense=conv()),
        EVERY,
    ),
    "pooling to a size": (
        lambda: Written(lambda self, x: nn.functional.adaptive_avg_pool2d(self.dense(x), 1), dense=conv()),
        EVERY,
    ),
    "a number a pixel": (
        lambda: Written(
            lambda self, x: self.dense(x) + self.place, dense=conv(), place=nn.Parameter(torch.ones(6, 8, 9))
        ),
        (Axis.BATCH,),
    ),
    "a loop by the width": (lambda: Written(unrolled, dense=conv()), (Axis.BATCH, Axis.HEIGHT)),
    "another way with one image": (lambda: Written(by_batch, dense=conv(), point=conv(1)), OF_THE_SIZE),
}


@pytest.mark.parametrize("form", [FusedAs.EXPORTED_PROGRAM, FusedAs.TORCHSCRIPT])
@pytest.mark.parametrize("name", MODULES)
@torch.no_grad()
def test_what_may_be_another_than_the_examples(name: str, form: FusedAs, tmp_path: Path) -> None:
    made, free = MODULES[name]
    module, x, target = made().eval(), torch.randn(1, 6, 8, 9), tmp_path / "program"
    assert write_program(module, x, form, target, replace=False) == free
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its older format deprecated
        if form is FusedAs.TORCHSCRIPT:
            program: Any = torch.jit.load(target)  # type: ignore[no-untyped-call]
        else:
            program = torch.export.load(target).module()
    for axis, shape in zip(Axis, ((3, 6, 8, 9), (1, 6, 12, 9), (1, 6, 8, 20)), strict=True):
        if axis in free:
            other = torch.randn(shape)
            torch.testing.assert_close(program(other), module(other))
