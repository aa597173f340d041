"""What is timed gives what the block gives: a side that leaves something out would be fast for nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from tests.analysis.test_own_layer import flipped_block
from tests.fusion.strategies import EVERYTHING, filled_block, filled_input, specs, with_wild_norms
from tui.analysis.speed.report import Side
from tui.analysis.speed.sides import Framed, Padded, sides_of
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.grammar.fields import spec_from
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Average, Branch, Convolution, Layer, Norm
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, PaddingMode, WeightFill
from tui.fusion.specs.padding import Border

ODD = (9, 8)


@torch.no_grad()
def assert_all_give_what_the_block_gives(block: ReparamBlock, x: Tensor) -> None:
    y = block(x)
    largest = float(y.abs().max()) if y.numel() else 0.0
    for side, module in sides_of(block, block.fuse()).items():
        torch.testing.assert_close(module(x), y, rtol=0, atol=1e-11 * max(1.0, largest), msg=side)


def randomly_filled(spec: BlockSpec) -> ReparamBlock:
    return with_wild_norms(filled_block(replace(spec, weights=WeightFill.RANDOM)))


@pytest.mark.parametrize("name", PRESETS)
def test_of_every_preset(name: str) -> None:
    spec = PRESETS[name].spec
    spec = replace(spec if spec.in_channels < 8 else spec.with_in_channels(8), input_shape=ODD)
    assert_all_give_what_the_block_gives(randomly_filled(spec), filled_input(spec))


@pytest.mark.parametrize("mode", [mode.value for mode in PaddingMode])
def test_of_everything_that_a_branch_can_be(mode: str) -> None:
    branches = EVERYTHING if mode == "zeros" else EVERYTHING.removesuffix(",1x1-kxk+zeros-bias")
    spec = spec_from({"branches": branches, "padding_mode": mode, "post_norm": "yes"}, BlockSpec(4, 4))
    assert_all_give_what_the_block_gives(randomly_filled(spec), filled_input(spec))


@settings(max_examples=30, deadline=None)
@given(spec=specs())
def test_of_any_block(spec: BlockSpec) -> None:
    assert_all_give_what_the_block_gives(with_wild_norms(filled_block(spec), spec.seed), filled_input(spec))


def test_of_a_kind_of_layer_that_is_not_known_here() -> None:
    x = torch.rand(2, 4, 8, 9, generator=torch.Generator().manual_seed(3)).double()
    assert_all_give_what_the_block_gives(flipped_block().double(), x)


def names_of(module: nn.Module) -> list[str]:
    return [type(each).__name__ for each in module.modules() if not list(each.children())]


def test_it_runs_what_the_authors_modules_run() -> None:
    sides = sides_of(*pair(PRESETS["repvgg"].spec))
    assert names_of(sides[Side.UNFUSED]) == ["Conv2d", "BatchNorm2d"] * 2 + ["BatchNorm2d"]
    assert names_of(sides[Side.FOLDED]) == ["Conv2d", "Conv2d", "BatchNorm2d"]
    assert names_of(sides[Side.FUSED]) == ["Conv2d"]


def pair(spec: BlockSpec) -> tuple[ReparamBlock, nn.Conv2d]:
    block = randomly_filled(spec)
    return block, block.fuse()


def test_a_pad_stands_only_where_no_convolution_can_pad() -> None:
    for name, pads in {"residual": 0, "acnet": 0, "repnext": 0, "dbb": 2}.items():
        modules = list(sides_of(*pair(PRESETS[name].spec))[Side.UNFUSED].modules())
        assert sum(isinstance(each, Padded | Framed) for each in modules) == pads, name


def test_a_norm_behind_the_sum_of_a_single_branch_is_folded() -> None:
    block, fused = pair(BlockSpec(4, 4, branches=PRESETS["pointwise"].spec.branches[:1], post_norm=True))
    assert names_of(sides_of(block, fused)[Side.FOLDED]) == ["Conv2d"]


def test_the_block_stays_as_it_is() -> None:
    block, fused = pair(PRESETS["dbb"].spec)
    before = {name: value.clone() for name, value in block.state_dict().items()}
    paddings = [each.padding for each in block.modules() if isinstance(each, nn.Conv2d)]
    sides_of(block, fused)
    assert all(torch.equal(value, before[name]) for name, value in block.state_dict().items())
    assert [each.padding for each in block.modules() if isinstance(each, nn.Conv2d)] == paddings


def test_a_norm_that_follows_its_input_is_refused() -> None:
    block = build_block(PRESETS["repvgg"].spec).train()
    with pytest.raises(FusionError, match="train mode"):
        sides_of(block, nn.Conv2d(1, 1, 1))


def test_a_convolution_with_a_forward_of_its_own_runs_it() -> None:
    class Doubled(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * super().forward(x)

    layers = [("conv", Convolution(Doubled(2, 2, 3))), ("norm", Norm(nn.BatchNorm2d(2), 2))]
    block = ReparamBlock([Branch("own", layers)]).double().eval()
    x = torch.rand(1, 2, 5, 6, dtype=torch.float64)
    side = sides_of(block, nn.Conv2d(2, 2, 3))[Side.UNFUSED]
    torch.testing.assert_close(side(x), block(x))


def as_it_is(*layers: Layer, border: Border | None = None) -> None:
    """Its unfused side gives what a block of this one branch gives."""
    named = [(str(place), layer) for place, layer in enumerate(layers)]
    block = ReparamBlock([Branch("own", named, own_border=border)]).double().eval()
    x = torch.rand(1, layers[0].in_channels, 9, 8, dtype=torch.float64)
    torch.testing.assert_close(sides_of(block, nn.Conv2d(1, 1, 1))[Side.UNFUSED](x), block(x))


def conv(size: tuple[int, int], stride: tuple[int, int] = (1, 1)) -> Convolution:
    return Convolution(nn.Conv2d(2, 2, size, stride, bias=False))


def test_rows_are_not_padded_behind_what_leaves_rows_out() -> None:
    as_it_is(conv((1, 3)), conv((3, 1)))
    as_it_is(conv((1, 3), stride=(2, 1)), conv((3, 1)))


def test_an_average_is_padded_by_itself_only_as_far_as_it_can() -> None:
    as_it_is(Average(2, (3, 3)), border=(1, 1, 1, 1))
    as_it_is(Average(2, (3, 3)), border=(2, 2, 2, 2))
