"""A kernel that was read becomes edits: the same numbers stand there after, and only what differs is set."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from tests.export.code.test_snippet import EVERY_KIND
from tests.fusion.layer_parts import conv_in, is_conv, norm_in
from tests.specs import exact_preset
from tui.analysis.alterations.alterations import FUSED, Alterations, Edit, shapes_of
from tui.analysis.alterations.places import NotEditableError
from tui.analysis.study import Study, study_of
from tui.analysis.verdict.reason import Ruling
from tui.export.grid import csv_of, grid_of, npz_of
from tui.fusion.block import ReparamBlock
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.layers import Branch, Convolution, Norm
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, Dtype
from tui.fusion.tap import Tap
from tui.importing import kernel_edits
from tui.importing.errors import ImportingError
from tui.importing.given_numbers import GivenKernel, GivenNumbers
from tui.importing.kernel_edits import imported
from tui.importing.npy import npz_from
from tui.importing.number_table import kernel_in
from tui.importing.target import Target, target_of
from tui.views.kernels.stars import stars_of

ORIGIN = Tap(0, 0, 0, 0)


def given(weight: Tensor, bias: Tensor | None = None, dtype: Dtype | None = None) -> GivenKernel:
    def numbers(tensor: Tensor) -> GivenNumbers:
        return GivenNumbers(tuple(tensor.shape), tensor.double().flatten().tolist(), dtype)

    return GivenKernel(numbers(weight), None if bias is None else numbers(bias))


def after(study: Study, summand: str, kernel: GivenKernel, cursor: Tap = ORIGIN) -> Study:
    """The study with the kernel in that summand's place."""
    found = imported(study, target_of(study.spec, summand, cursor), kernel)
    return study_of(study.spec, found.alterations)


def numbers_at(study: Study, name: str) -> Tensor:
    if name == f"{FUSED}.weight":
        return grid_of(study, FUSED).weight
    places = torch.cartesian_prod(*(torch.arange(size) for size in shapes_of(study.spec)[name]))
    rows = places.view(len(places), -1).tolist()
    return torch.stack([study.number_at(name, tuple(row)) for row in rows]).view(shapes_of(study.spec)[name])


def problem_of(study: Study, summand: str, kernel: GivenKernel, cursor: Tap = ORIGIN) -> str:
    with pytest.raises(ImportingError) as caught:
        after(study, summand, kernel, cursor)
    return str(caught.value)


@pytest.mark.parametrize("dtype", Dtype)
@pytest.mark.parametrize("name", ["residual", "repvgg", "repvgg-grouped", "unireplknet", "dbb"])
def test_the_fused_kernel_of_one_block_in_another(name: str, dtype: Dtype) -> None:
    spec = replace(PRESETS[name].spec, input_shape=(9, 9), dtype=dtype)
    spec = spec if spec.in_channels < 8 else spec.with_in_channels(8)
    one, other = study_of(spec), study_of(replace(spec, seed=1))
    kernel = grid_of(one, FUSED)
    for read in (npz_from(npz_of(kernel)), kernel_in(csv_of(kernel))):
        again = grid_of(after(other, FUSED, read), FUSED)
        assert torch.equal(again.weight, kernel.weight)
        assert (again.bias is None) == (kernel.bias is None)
        assert kernel.bias is None or torch.equal(again.bias, kernel.bias)  # type: ignore[arg-type]
        found = imported(one, target_of(spec, FUSED, ORIGIN), read)
        assert found.alterations == one.alterations, "its own kernel changes nothing"
        assert "are those that are here" in found.words


@pytest.mark.parametrize("summand", ["kxk", "1x1", "3x3d2"])
@pytest.mark.parametrize("in_frame", [False, True], ids=["its own shape", "as the grid shows it"])
def test_a_branch_in_every_shape(summand: str, in_frame: bool) -> None:
    spec = BlockSpec(
        in_channels=8,
        out_channels=4,
        groups=2,
        branches=parse_branches("kxk,1x1+g4,3x3d2"),
        kernel_size=(3, 4),
    )
    one, other = study_of(spec), study_of(replace(spec, seed=1))
    weight = numbers_at(one, f"{summand}.weight")
    kernel = grid_of(one, summand)
    read = npz_from(npz_of(kernel)) if in_frame else given(weight, numbers_at(one, f"{summand}.bias"))
    changed = after(other, summand, read)
    assert torch.equal(numbers_at(changed, f"{summand}.weight"), weight)
    assert torch.equal(numbers_at(changed, f"{summand}.bias"), numbers_at(one, f"{summand}.bias"))
    assert torch.equal(grid_of(changed, summand).weight, kernel.weight)


def test_a_slice_goes_where_the_cursor_is() -> None:
    study = study_of(BlockSpec())
    changed = after(study, "kxk", kernel_in("1 2 3\n4 5 6\n7 8 9"), Tap(1, 0, 2, 2))
    weight = numbers_at(changed, "kxk.weight")
    assert weight[1, 0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    before = numbers_at(study, "kxk.weight")
    assert torch.equal(weight[0], before[0])
    assert torch.equal(weight[1, 1], before[1, 1])
    assert len(changed.alterations.edits) == 9
    one = after(study, "1x1", kernel_in("0.5"), Tap(0, 1, 0, 0))  # the cursor is where the grid pads it
    assert one.alterations.edits == (Edit("1x1.weight", (0, 1, 0, 0), 0.5),)


def test_only_what_differs_is_set_and_older_edits_stay() -> None:
    older = Alterations((Edit("kxk.weight", (0, 0, 0, 0), 9.0), Edit("1x1.bias", (0,), 2.0)))
    study = study_of(BlockSpec(), older)
    weight = numbers_at(study, "kxk.weight").clone()
    weight[1, 1, 2, 2] = 7.0
    changed = after(study, "kxk", given(weight))
    assert changed.alterations.edits == (*older.edits, Edit("kxk.weight", (1, 1, 2, 2), 7.0))


def test_another_tools_right_kernel_is_right_in_its_own_rounding() -> None:
    """Folded in float32 and in another order, it is not ours to the last bit, and no mistake either."""
    spec = PRESETS["repvgg"].spec.with_in_channels(8)
    study = study_of(replace(spec, input_shape=(9, 9)))
    weight, bias = torch.zeros(8, 8, 3, 3), torch.zeros(8)
    for branch in reversed(list(study.block.branches)):
        norm = norm_in(branch)
        assert norm.running_var is not None
        assert norm.running_mean is not None
        own = torch.eye(8).view(8, 8, 1, 1)
        if is_conv(branch):
            own = conv_in(branch).weight.detach()
        factor = norm.weight.detach() * torch.rsqrt(norm.running_var + norm.eps)
        scaled = own * factor.view(-1, 1, 1, 1)
        weight += scaled if scaled.shape[2] == 3 else torch.nn.functional.pad(scaled, [1, 1, 1, 1])
        bias += norm.bias.detach() - norm.running_mean * factor
    assert not torch.equal(weight, grid_of(study, FUSED).weight)
    found = imported(study, target_of(study.spec, FUSED, ORIGIN), given(weight, bias, Dtype.FLOAT32))
    assert found.alterations.finished
    assert "fused: " in found.words
    assert "The finished kernel is right: " in found.words
    right = study_of(study.spec, found.alterations)
    assert torch.equal(grid_of(right, FUSED).weight, weight)
    assert right.verdict.ruling is Ruling.ROUNDING
    assert right.verdict.stored is not None
    assert right.verdict.stored.ruling is Ruling.ROUNDING
    weight[3, 2, 1, 1] += 1e-4
    found = imported(study, target_of(study.spec, FUSED, ORIGIN), given(weight, bias, Dtype.FLOAT32))
    assert Edit("fused.weight", (3, 2, 1, 1), float(weight[3, 2, 1, 1])) in found.alterations.edits
    assert "numbers set. The finished kernel is wrong: 1 of its 584 numbers, in out 3, at tap [1,1]" in (
        found.words.replace("\N{NO-BREAK SPACE}", " ")
    )
    assert found.words.endswith("6 tells which mistake it looks like.")
    wrong = study_of(study.spec, found.alterations)
    assert torch.equal(grid_of(wrong, FUSED).weight, weight)
    assert wrong.verdict.ruling is Ruling.WRONG
    assert wrong.verdict.stored is not None
    assert wrong.verdict.stored.first[0].place == "weight[3,2,1,1]"


def test_in_place_of_a_mistake() -> None:
    spec = exact_preset("repvgg")
    right, wrong = study_of(spec), study_of(spec, Alterations(mistake="flipped"))
    found = imported(wrong, target_of(spec, FUSED, ORIGIN), npz_from(npz_of(grid_of(right, FUSED))))
    assert not found.alterations
    assert "The mistake (flipped) is gone" in found.words
    as_numbers = after(right, FUSED, npz_from(npz_of(grid_of(wrong, FUSED))))
    assert torch.equal(grid_of(as_numbers, FUSED).weight, grid_of(wrong, FUSED).weight)
    assert as_numbers.alterations.mistake == ""


def test_an_edit_of_the_fused_kernel_goes_where_the_file_is_right() -> None:
    study = study_of(
        BlockSpec(), Alterations((Edit("fused.weight", (0, 0, 1, 1), 3.0), Edit("input", (0, 0, 0, 0), 1.0)))
    )
    right = study_of(BlockSpec())
    found = imported(study, target_of(study.spec, FUSED, ORIGIN), given(grid_of(right, FUSED).weight))
    assert found.alterations.edits == (Edit("input", (0, 0, 0, 0), 1.0),)


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (
            torch.zeros(3, 3, 2, 2),
            "3×3×2×2 numbers were given, and kxk.weight expects 2×2×3×3, or 3×3 for",
        ),
        (torch.zeros(2, 3), "2×3 numbers were given"),
        (torch.zeros(()), "1 numbers were given"),
        (torch.zeros(3, 3, 0), "3×3×0 numbers were given"),
    ],
)
def test_a_shape_that_does_not_fit(weight: Tensor, words: str) -> None:
    problem = problem_of(study_of(BlockSpec()), "kxk", given(weight), Tap(1, 0, 0, 0))
    assert words in problem
    assert "or 3×3 for [1,0] under the cursor" in problem


def test_numbers_where_the_grid_pads() -> None:
    study = study_of(BlockSpec())
    problem = problem_of(study, "1x1", given(torch.ones(2, 2, 3, 3)))
    assert problem == "it has numbers other than 0 where the grid pads 1x1.weight: give 2×2×1×1"


def test_biases() -> None:
    study = study_of(BlockSpec(branches=parse_branches("kxk-bias,1x1")))
    weight = torch.zeros(2, 2, 3, 3)
    assert "kxk has none of its own: switch it on" in problem_of(study, "kxk", given(weight, torch.ones(2)))
    assert after(study, "kxk", given(weight, torch.zeros(2))).alterations.count_of("kxk") == 36
    assert "the bias has 3 numbers, and 2 are" in problem_of(study, FUSED, given(weight, torch.ones(3)))
    unbiased = study_of(BlockSpec(branches=parse_branches("kxk-bias")))
    changed = after(unbiased, FUSED, given(weight, torch.tensor([0.0, 2.0])))
    assert changed.fused_kernel.kernel.bias is not None
    assert changed.fused_kernel.kernel.bias.tolist() == [0.0, 2.0]


def test_too_many_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_edits, "MOST_EDITS", 35)
    study = study_of(BlockSpec())
    assert problem_of(study, "kxk", given(torch.full((2, 2, 3, 3), 7.0))).startswith(
        "36 numbers differ, and 35"
    )


@pytest.mark.parametrize(("summand", "words"), [("identity", "no weights"), ("1x1-kxk", "two layers")])
def test_what_has_no_weight_of_its_own(summand: str, words: str) -> None:
    with pytest.raises(NotEditableError, match=words):
        target_of(BlockSpec(branches=parse_branches("kxk,identity,1x1-kxk")), summand, ORIGIN)


def test_every_branch_of_every_kind_has_a_target_or_says_why() -> None:
    reasons = []
    for name in (branch.name for branch in study_of(EVERY_KIND).summands):
        try:
            target = target_of(EVERY_KIND, name, ORIGIN)
        except NotEditableError as refusal:
            reasons.append(str(refusal))
        else:
            assert isinstance(target, Target)
            assert target.shape == shapes_of(EVERY_KIND)[target.name]
    assert reasons
    assert all(reasons)


def test_a_weight_whose_layer_has_a_name_of_its_own() -> None:
    """As of a block that was read off a module, by the names of its attributes."""
    convolution, norm = Convolution(nn.Conv2d(2, 2, 3, groups=2)), Norm(nn.BatchNorm2d(2), 2)
    block = ReparamBlock([Branch("dense", [("c", convolution), ("bn", norm)])]).eval()
    study = study_of(block, torch.ones(1, 2, 5, 5))
    target = target_of(study.spec, "dense", ORIGIN)
    assert (target.name, target.shape) == ("dense.c.weight", (2, 1, 3, 3))
    found = imported(study, target, given(torch.full((2, 1, 3, 3), 7.0), torch.ones(2)))
    assert {(edit.place, edit.value) for edit in found.alterations.edits} == {
        ("dense.c.weight", 7.0),
        ("dense.c.bias", 1.0),
    }
    changed = study_of(block, torch.ones(1, 2, 5, 5), found.alterations)
    starred, _ = stars_of(changed)
    assert starred is not None
    assert all(map(all, starred.row(0, 1, 0, 1)))
    assert starred.bias(1)
