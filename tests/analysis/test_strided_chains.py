"""Layers behind one that skips pixels: their taps lie further apart in the image that the chain is given."""

from __future__ import annotations

import contextlib
import io
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from tests.fusion.oracles import convolve
from tests.fusion.strategies import with_wild_norms
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.probe.probe import probe
from tui.analysis.steps.numbers import numbers_behind
from tui.analysis.steps.walkthrough import Walkthrough, walkthrough
from tui.analysis.study import Study, study_of
from tui.export.code.snippet import snippet_of
from tui.fusion.block import ReparamBlock
from tui.fusion.layers import Average, Branch, Chain, Convolution, Identity, Layer, Norm, Sum
from tui.fusion.pair_text import Pair
from tui.fusion.tap import Tap


def conv(kernel_size: int, stride: int = 1, dilation: int = 1, *, bias: bool = True) -> Convolution:
    return Convolution(nn.Conv2d(4, 4, kernel_size, stride, dilation=dilation, bias=bias))


def summed() -> Sum:
    return Sum([Chain([("conv", conv(3, dilation=2))]), Chain([("identity", Identity(4))])])


CHAINS: dict[str, tuple[list[Layer], Pair, Pair]] = {
    "two": ([conv(3, 2, bias=False), conv(3, 2)], (7, 7), (1, 1)),
    "pixel first": ([conv(1, 2), Norm(nn.BatchNorm2d(4), 4), conv(3)], (3, 3), (2, 2)),
    "pooled first": ([Average(4, (2, 3), (2, 2)), conv(2)], (4, 5), (1, 1)),
    "dilated": ([conv(1, 3), conv(2, 1, 2), conv(2, 2)], (4, 4), (3, 3)),
    "three": ([conv(2, 2), conv(2, 2), conv(2, 2)], (8, 8), (1, 1)),
    "a sum": ([conv(3, 2), summed(), conv(1)], (11, 11), (1, 1)),
}
"""Layers, and the size and the spacing of the kernel that they come to."""


@cache
def studied(name: str) -> Study:
    layers, _, _ = CHAINS[name]
    torch.manual_seed(7)
    chain = Branch("chain", [(f"layer{place}", layer) for place, layer in enumerate(layers)])
    block = with_wild_norms(ReparamBlock([chain], chain.geometry).double().eval())
    return study_of(block, torch.rand(2, 4, 23, 26, dtype=torch.float64) - 0.5)


@pytest.mark.parametrize("name", CHAINS)
def test_it_is_one_convolution(name: str) -> None:
    study, (_, kernel_size, dilation) = studied(name), CHAINS[name]
    assert study.verdict.ruling.agrees, study.verdict.sentence
    kernel, geometry = study.fusion64.kernel, study.block.geometry
    assert (kernel.kernel_size, geometry.dilation) == (kernel_size, dilation)
    y = convolve(study.x, kernel.weight, kernel.bias, stride=geometry.stride, dilation=dilation)
    torch.testing.assert_close(y, study.outputs.unfused, rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", CHAINS)
def test_every_step_of_it_holds(name: str) -> None:
    *_, found = walkthrough(studied(name))
    assert isinstance(found, Walkthrough)
    assert [step.title for step in found.steps if not step.check.passed] == []


@pytest.mark.parametrize("name", CHAINS)
def test_an_element_of_it_is_written_out(name: str) -> None:
    study = studied(name)
    _, _, height, width = study.outputs.unfused.shape
    for row, column in ((0, 0), (height // 2, width // 2), (height - 1, width - 1)):
        pixel = Pixel(1, 3, row, column)
        found = probe(study, pixel).by_hand
        assert found is not None
        assert found.unfused == pytest.approx(float(study.outputs64.unfused[pixel]), abs=1e-11)
        assert found.fused == pytest.approx(found.unfused, abs=1e-11)


@pytest.mark.parametrize("name", CHAINS)
def test_its_snippet_runs_and_comes_to_the_same(name: str) -> None:
    study = studied(name)
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(snippet_of(study), "snippet", "exec"), names)
    torch.testing.assert_close(names["unfused_output"], study.outputs.unfused, rtol=0, atol=1e-12)
    torch.testing.assert_close(names["fused_output"], study.outputs.unfused, rtol=0, atol=1e-11)


def test_a_layer_before_another_that_skips_pixels_is_run_on_more_of_them() -> None:
    study = studied("three")
    pixels = study.outputs.unfused[:, 0].numel()
    assert study.cost.macs.unfused == pixels * (16 + 4 + 1) * 4 * 4 * 4


def test_the_taps_of_its_last_layer_that_fall_outside_the_image_are_told() -> None:
    """Of a 3x3 whose taps lie two pixels apart: at a corner its first row and its first column do."""
    found = probe(studied("pixel first"), Pixel(0, 1, 0, 0)).unfused
    assert found is not None
    (branch,) = found.branches
    assert branch.stage.sum.padding.tolist() == [[True] * 3, [True, False, False], [True, False, False]]


def test_the_numbers_behind_a_tap_are_those_that_meet_there() -> None:
    study = studied("two")
    *_, found = walkthrough(study)
    assert isinstance(found, Walkthrough)
    (step,) = (each for each in found.steps if each.title == "composed")
    behind = numbers_behind(step, study.spec, Tap(1, 2, 4, 3))
    first, second = (
        {place.index[2:] for place in behind if place.name == f"chain.layer{layer}.weight"}
        for layer in (0, 1)
    )
    assert second == {(row, column) for row in (1, 2) for column in (1,)}
    assert first == {(4 - 2 * row, 3 - 2 * column) for row, column in second}
