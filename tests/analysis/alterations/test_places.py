"""Each tap on the screen leads to the number that makes it, or to a reason why there is none."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from tui.analysis.alterations.alterations import Alterations, Edit, shapes_of
from tui.analysis.alterations.applying import alter_block, parameters_of
from tui.analysis.alterations.editable import NORM_PARTS
from tui.analysis.alterations.places import (
    MOST_EDITS,
    NotEditableError,
    bias_place,
    in_frame,
    kernel_edits,
    weight_place,
)
from tui.analysis.study import study_of
from tui.fusion.block import ReparamBlock, build_block
from tui.fusion.fill import fill_block
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.layers import Branch, Convolution, Factor, Norm
from tui.fusion.named_kernels import NAMED_KERNELS
from tui.fusion.specs.block_spec import BlockSpec, Dtype, WeightFill
from tui.fusion.specs.branch_spec import names_of

SPECS = {
    "default": BlockSpec(),
    "batch norms": BlockSpec(
        branches=parse_branches("kxk+norm,1x1+norm+gamma,identity+norm"), post_norm=True
    ),
    "dilated apart": BlockSpec(
        kernel_size=(5, 5), dilation=(1, 1), branches=parse_branches("kxk,3x3d2,2x2d3,1xk,kx1,2x4")
    ),
    "grouped apart": BlockSpec(
        in_channels=4, out_channels=8, branches=parse_branches("kxk,3x3+g4,1x1+g2"), groups=1
    ),
    "grouped": BlockSpec(
        in_channels=4, out_channels=4, groups=2, branches=parse_branches("kxk,1x1+g4,identity")
    ),
    "even": BlockSpec(kernel_size=(4, 2), branches=parse_branches("kxk,1x1,1xk,kx1")),
}

Tap = tuple[int, int, int, int]


def kernels_of(spec: BlockSpec, *edits: Edit) -> dict[str, Kernel]:
    block = alter_block(fill_block(build_block(spec).double(), spec), Alterations(edits))
    return {name: pad_to(kernel, spec.fused_kernel_size) for name, kernel in block.kernels()}


@pytest.mark.parametrize("name", SPECS)
def test_a_weight_moves_its_own_tap_and_no_other(name: str) -> None:
    spec = replace(SPECS[name], weights=WeightFill.ONES)
    before = kernels_of(spec)
    for summand, kernel in before.items():
        for tap in product(*map(range, kernel.weight.shape)):
            try:
                place = weight_place(spec, summand, cast(Tap, tap))
            except NotEditableError:
                pads = summand != "identity" and summand != "post norm"
                assert not pads or kernel.weight[tap] == 0, (summand, tap)
                continue
            assert summand not in ("identity", "post norm")
            after = kernels_of(spec, Edit(place.name, place.index, 7.0))
            changed = (after[summand].weight != kernel.weight).nonzero().tolist()
            assert changed == [list(tap)], (summand, tap)
            standing = in_frame(spec, summand)
            assert standing is not None
            assert standing.tap(place.index) == tap
            assert (standing.own_row(tap[2]), standing.own_column(tap[3])) == place.index[2:]


@pytest.mark.parametrize("name", SPECS)
def test_the_shapes_are_those_of_the_block(name: str) -> None:
    spec = SPECS[name]
    sequences = replace(spec, branches=(*spec.branches, *parse_branches("1x1-kxk+inner+x2,1x1-avg")))
    for each in (spec, sequences if spec.in_channels == spec.out_channels else spec):
        tensors = parameters_of(build_block(each))
        shapes = shapes_of(each)
        assert {place: tuple(tensor.shape) for place, tensor in tensors.items()} == {
            place: shape
            for place, shape in shapes.items()
            if place != "input" and not place.startswith("fused.")
        }
        done = study_of(each)
        assert shapes["input"] == tuple(done.x.shape)
        assert shapes["fused.weight"] == tuple(done.fused_kernel.kernel.weight.shape)


@pytest.mark.parametrize(
    ("branches", "summand", "tap", "words"),
    [
        ("kxk,identity", "identity", (0, 0, 1, 1), "returns its input"),
        ("kxk,avg", "avg", (0, 0, 1, 1), "Average pooling has no weights"),
        ("kxk,1x1-kxk", "1x1-kxk", (0, 0, 1, 1), "two layers"),
        ("kxk,1x1", "1x1", (0, 0, 0, 1), "pads the branch's 1×1 kernel"),
        ("kxk,2x2d2", "2x2d2", (0, 0, 2, 3), "between two taps"),
        ("kxk,1x1+g2", "1x1", (0, 1, 1, 1), "between two of the branch's 2 groups"),
        ("kxk", "post norm", (0, 0, 0, 0), "batch norm after the sum"),
    ],
)
def test_why_a_number_can_not_be_edited(branches: str, summand: str, tap: Tap, words: str) -> None:
    spec = BlockSpec(kernel_size=(5, 5) if "d2" in branches else (3, 3), branches=parse_branches(branches))
    with pytest.raises(NotEditableError, match=words):
        weight_place(spec, summand, tap)


def test_biases() -> None:
    spec = BlockSpec(branches=parse_branches("kxk,1x1-bias+norm,1x1-kxk"))
    assert bias_place(spec, "kxk", 1).words == "kxk.bias[1]"
    assert bias_place(spec, "1x1-kxk", 0).words == "1x1-kxk.bias[0]"
    assert bias_place(spec, "fused", 1).words == "fused.bias[1]"
    for summand in ("1x1", "post norm"):
        with pytest.raises(NotEditableError):
            bias_place(spec, summand, 0)


def test_what_happens_to_the_number_before_it_is_seen_is_said() -> None:
    spec = BlockSpec(branches=parse_branches("kxk,1x1+norm+alpha"), post_norm=True)
    assert weight_place(spec, "kxk", (0, 0, 0, 0)).remark == "before its post norm"
    assert weight_place(spec, "1x1", (0, 0, 1, 1)).remark == "before its batch norm and alpha and post norm"
    assert weight_place(spec, "fused", (0, 0, 1, 1)).remark == ""


# Kernels by name


@pytest.mark.parametrize("kernel", NAMED_KERNELS)
def test_a_named_kernel_for_each_channel_is_depthwise(kernel: str) -> None:
    spec = BlockSpec(branches=parse_branches("kxk-bias"))
    taps = torch.tensor(NAMED_KERNELS[kernel].of_size((3, 3)), dtype=torch.float64)
    weight = kernels_of(spec, *kernel_edits("kxk.weight", (2, 2, 3, 3), kernel))["kxk"].weight
    assert weight.equal(torch.eye(2, dtype=torch.float64).view(2, 2, 1, 1) * taps)


def test_a_named_kernel_for_one_pair_leaves_the_others() -> None:
    spec = BlockSpec()
    before = kernels_of(spec)["kxk"].weight
    after = kernels_of(spec, *kernel_edits("kxk.weight", (2, 2, 3, 3), "Dirac", (1, 0)))["kxk"].weight
    assert after[1, 0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    after[1, 0] = before[1, 0]
    assert after.equal(before)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(NotEditableError, match="does not fit into 1×1"):
        kernel_edits("1x1.weight", (2, 2, 1, 1), "Sobel x")
    wide = (MOST_EDITS, 2, 3, 3)
    with pytest.raises(NotEditableError, match="one pair"):
        kernel_edits("kxk.weight", wide, "Dirac")
    assert len(kernel_edits("kxk.weight", wide, "Dirac", (0, 0))) == 9


# What the study makes of it


def test_an_edit_is_seen_by_both_sides() -> None:
    edits = (
        Edit("kxk.weight", (0, 1, 1, 1), 3.0),
        Edit("1x1.bias", (1,), -2.0),
        Edit("input", (0, 0, 4, 4), 5.0),
    )
    plain, edited = study_of(BlockSpec()), study_of(BlockSpec(), Alterations(edits))
    assert edited.verdict.ruling.agrees
    assert [edited.number_at(edit.place, edit.index) for edit in edits] == [3.0, -2.0, 5.0]
    moved = edited.fused_kernel.kernel.weight.double() - plain.fused_kernel.kernel.weight.double()
    assert moved.nonzero().tolist() == [[0, 1, 1, 1]]
    assert not edited.outputs.unfused.equal(plain.outputs.unfused)


@pytest.mark.parametrize("edit", [Edit("fused.weight", (0, 0, 1, 1), 0.5), Edit("fused.bias", (0,), 0.5)])
def test_an_edited_fusion_is_wrong(edit: Edit) -> None:
    done = study_of(BlockSpec(branches=parse_branches("kxk-bias,identity")), Alterations((edit,)))
    assert not done.verdict.ruling.agrees
    assert done.number_at(edit.place, edit.index) == 0.5
    assert done.float64.max_abs_diff > 0.01


def test_edits_that_another_block_has_no_place_for_are_dropped() -> None:
    kept, dropped = Edit("kxk.weight", (1, 1, 2, 2), 1.0), Edit("1x1.weight", (0, 0, 0, 0), 1.0)
    alterations = Alterations((kept, dropped))
    assert alterations.fitting(BlockSpec()) is alterations
    assert alterations.fitting(BlockSpec(branches=parse_branches("kxk"))).edits == (kept,)
    assert alterations.fitting(BlockSpec(kernel_size=(1, 1))).edits == (dropped,)
    assert alterations.fitting(BlockSpec(in_channels=1, out_channels=1)).edits == (dropped,)


def test_a_number_is_edited_once() -> None:
    first, second = Edit("kxk.bias", (0,), 1.0), Edit("kxk.bias", (0,), 2.0)
    other = Edit("kxk.bias", (1,), 3.0)
    alterations = Alterations().edited(first, other).edited(second)
    assert alterations.edits == (other, second)
    assert alterations.without("kxk.bias", (0,)).edits == (other,)
    assert alterations.count_of("kxk") == 2
    assert not alterations.alters_fusion
    assert alterations.edited(Edit("fused.bias", (0,), 1.0)).alters_fusion


def test_the_block_of_the_study_is_the_edited_one() -> None:
    done = study_of(BlockSpec(), Alterations((Edit("kxk.weight", (0, 0, 0, 0), 9.0),)))
    assert isinstance(done.block, ReparamBlock)
    assert parameters_of(done.block)["kxk.weight"][0, 0, 0, 0] == 9.0


@pytest.mark.parametrize("index", [(0, 0, 4, 4), (0, 0, 2, 2)])
def test_a_tap_is_that_of_the_frame_where_a_mistake_makes_a_smaller_kernel(index: Tap) -> None:
    spec = BlockSpec(kernel_size=(3, 3), dilation=(2, 2), branches=parse_branches("kxk,3x3,1x1"))
    edit = Edit("fused.weight", index, 9.0)
    done = study_of(spec, Alterations((edit,), "dilation-dropped"))
    assert float(done.number_at(edit.place, edit.index)) == 9.0
    plain = study_of(spec, Alterations((), "dilation-dropped"))
    before = pad_to(plain.fused_kernel.kernel, spec.fused_kernel_size).weight
    changed = (pad_to(done.fused_kernel.kernel, spec.fused_kernel_size).weight != before).nonzero().tolist()
    assert changed == [list(index)]


@pytest.mark.parametrize("dtype", Dtype)
def test_a_number_too_large_for_the_dtype_is_infinite(dtype: Dtype) -> None:
    edit = Edit("kxk.weight", (0, 0, 1, 1), 1e300)
    edits = (edit, Edit("input", (0, 0, 0, 0), 1e300))
    done = study_of(replace(BlockSpec(), dtype=dtype), Alterations(edits))
    finite = dtype is Dtype.FLOAT64
    assert float(done.number_at(edit.place, edit.index)) == (1e300 if finite else float("inf"))


NORMED = BlockSpec(
    branches=parse_branches("kxk+norm+alpha,identity+norm+gamma,1x1-kxk+inner+norm,avg+norm"), post_norm=True
)


def test_the_numbers_of_norms_and_scales_reach_both_sides() -> None:
    """Against torch's own modules, set by hand; every such number of the block is asked."""
    for place, shape in shapes_of(NORMED).items():
        part = place.rpartition(".")[2]
        if part not in (*NORM_PARTS, "alpha"):
            continue
        index, value = tuple(size - 1 for size in shape), 3.0
        done = study_of(replace(NORMED, dtype=Dtype.FLOAT64), Alterations((Edit(place, index, value),)))
        other = fill_block(build_block(NORMED).double(), replace(NORMED, dtype=Dtype.FLOAT64))
        owner = by_hand(other, place)
        with torch.no_grad():
            if part == "eps":
                assert isinstance(owner, torch.nn.BatchNorm2d)
                owner.eps = value
            else:
                tensor = owner if isinstance(owner, torch.Tensor) else getattr(owner, TORCH_NAMES[part])
                tensor.view(-1)[index] = value
        assert torch.equal(done.outputs.unfused, other(done.x)), place
        assert done.verdict.ruling.agrees, place
        assert float(done.number_at(place, index)) == value
        assert done.in_effect.edits == (Edit(place, index, value),)
        plain = study_of(replace(NORMED, dtype=Dtype.FLOAT64))
        assert not torch.equal(done.outputs.fused, plain.outputs.fused), place


TORCH_NAMES = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}


def by_hand(block: ReparamBlock, place: str) -> object:
    """The module or the parameter that the place names, found without the function under test."""
    name, _, part = place.rpartition(".")
    if name == "post norm":
        return block.post_norm
    branch = next(each for each in block.branches if name.split(".")[0] == each.name)
    if name == branch.name:
        return branch.get_parameter(f"{part}.factor")
    layer = {"norm": "norm", "first.norm": "inner_norm"}[name.removeprefix(f"{branch.name}.")]
    return branch.get_submodule(f"{layer}.norm")


def tensors(kernel: Kernel) -> tuple[Tensor, Tensor]:
    assert kernel.bias is not None
    return kernel.weight, kernel.bias


def test_layers_inside_of_sums_have_places_of_their_own() -> None:
    spec = BlockSpec(
        branches=parse_branches("1x1+x2 > (3x3+norm + 1x1-bias + (norm + alpha)) > 1x1,identity")
    )
    inside = {
        "sum.1.conv.weight": (4, 4, 3, 3),
        "sum.1.conv.bias": (4,),
        **{f"sum.1.norm.{part}": (1,) if part == "eps" else (4,) for part in NORM_PARTS},
        "sum.2.conv.weight": (4, 4, 1, 1),
        **{f"sum.3.sum.1.norm.{part}": (1,) if part == "eps" else (4,) for part in NORM_PARTS},
        "sum.3.sum.2.alpha": (1,),
    }
    name = names_of(spec.branches)[0]
    shapes = shapes_of(spec)
    assert {place: shapes[f"{name}.{place}"] for place in inside} == inside
    block = fill_block(build_block(spec).double(), spec)
    found = {place: tuple(tensor.shape) for place, tensor in parameters_of(block).items()}
    assert found == {place: shape for place, shape in shapes.items() if place.startswith(name)}
    for place, shape in inside.items():
        edit = Edit(f"{name}.{place}", tuple(size - 1 for size in shape), 0.375)
        study = study_of(spec, Alterations((edit,)))
        assert study.verdict.ruling.agrees
        assert float(study.number_at(edit.place, edit.index)) == 0.375
        altered = alter_block(fill_block(build_block(spec).double(), spec), Alterations((edit,))).kernel()
        moved = [
            not torch.equal(one, other)
            for one, other in zip(tensors(altered), tensors(block.kernel()), strict=True)
        ]
        assert any(moved), place


def test_no_two_layers_of_a_chain_share_a_place() -> None:
    layers = [
        ("conv", Convolution(nn.Conv2d(2, 2, 1))),
        ("inner_norm", Norm(nn.BatchNorm2d(2), 2)),
        ("second", Convolution(nn.Conv2d(2, 2, 3))),
        ("weight", Factor(2, by_channel=True)),
    ]
    block = ReparamBlock([Branch("own", layers)]).eval()
    spec = study_of(block, torch.ones(1, 2, 5, 5)).spec
    places = [place for place in shapes_of(spec) if place.startswith("own.")]
    norm = [f"own.first.norm.{part}" for part in NORM_PARTS]
    assert places == [
        *("own.conv.weight", "own.conv.bias"),
        *norm,
        *("own.second.weight", "own.second.bias", "own.weight"),
    ]
    assert list(parameters_of(block)) == places
    lonely = ReparamBlock([Branch("own", layers[2:])]).eval()
    assert list(parameters_of(lonely)) == ["own.second.weight", "own.second.bias", "own.weight"]
