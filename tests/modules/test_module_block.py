"""A block of a module in a study: its own numbers, and the image that really reached it."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from tests.fusion.strategies import with_wild_norms
from tests.modules.styles import CHANNELS, conv, conv_bn
from tests.modules.test_fusing import image
from tui.analysis.study import study_of
from tui.analysis.subject import Subject
from tui.fusion.specs.block_spec import Dtype, InputFill
from tui.modules.finding import blocks_of
from tui.modules.fusing import block_of
from tui.modules.origin import ModuleBlock


def model() -> nn.Module:
    torch.manual_seed(0)
    return with_wild_norms(nn.Sequential(conv(), nn.ReLU(), conv_bn(padding=0), nn.ReLU())).eval()


@torch.no_grad()
def test_it_is_studied_on_what_reached_it() -> None:
    module = model()
    x = image().float()
    (found,) = blocks_of(module, x).blocks
    origin = ModuleBlock(found, "Sequential")
    assert (origin.title, origin.container) == ("2", "Sequential")
    assert origin.spec.padding == (0, 0)
    study = study_of(Subject(origin.spec, origin=origin))
    assert study.verdict.ruling.agrees
    assert torch.equal(study.x, module[1](module[0](x))[:1])  # type: ignore[index]
    torch.testing.assert_close(study.outputs.unfused, module[2](study.x), rtol=1e-4, atol=1e-4)  # type: ignore[index]


def test_the_module_keeps_its_own() -> None:
    module = model()
    (found,) = blocks_of(module, image().float()).blocks
    origin = ModuleBlock(found, "Sequential")
    own = {id(parameter) for parameter in module.parameters()}
    wide = origin.block(replace(origin.spec, dtype=Dtype.FLOAT64))
    assert wide.dtype is torch.float64
    assert not own & {
        id(parameter) for parameter in (*wide.parameters(), *origin.block(origin.spec).parameters())
    }
    assert {id(each) for each in found.block.parameters()} <= own


def test_other_numbers_where_they_are_asked_for() -> None:
    (found,) = blocks_of(model(), image().float()).blocks
    origin = ModuleBlock(found, "Sequential")
    assert origin.input(replace(origin.spec, input=InputFill.ONES)) is None
    assert origin.input(replace(origin.spec, input_shape=(99, 3))) is None
    assert origin.input(replace(origin.spec, input_shape=(4, 3), batch_size=2)).shape == (2, CHANNELS, 4, 3)  # type: ignore[union-attr]


def test_a_whole_module_stands_alone() -> None:
    origin = ModuleBlock(block_of(conv_bn().eval()), "Block")
    assert (origin.title, origin.container) == ("Block", "")
