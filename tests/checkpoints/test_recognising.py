"""What is found, what is left alone and why, in whole state_dicts of several kinds."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import (
    as_conv2d,
    entries_of,
    image,
    only_block,
    ready,
    reason,
    recognised,
    state_of,
)
from tests.checkpoints.families.parts import ConvNorm, Parallel
from tests.checkpoints.families.repvgg_modules import mobileone, repvgg
from tui.checkpoints.building import block_of, fused_tensors
from tui.checkpoints.contents import Entry
from tui.checkpoints.families import FAMILIES
from tui.checkpoints.recognising import UnknownFamilyError, family_named, recognise

State = dict[str, Tensor]
B = "backbone.stage1.0"


def repvgg_state(prefix: str = B, channels: int = 8, groups: int = 1) -> State:
    return state_of(ready(repvgg("RepVGG", channels, channels, groups=groups)), prefix)


def fused_state(state: State) -> State:
    """The file after its blocks have been fused."""
    found = recognised(state)
    fused: State = {name: state[name] for name in found.rest}
    for block in found.blocks:
        fused |= fused_tensors(block, block_of(block, state.__getitem__))
    return fused


def test_every_family_has_a_name_of_its_own_and_a_source() -> None:
    assert len({family.name.lower() for family in FAMILIES}) == len(FAMILIES)
    assert all(family.source and family.branches and family.triggers for family in FAMILIES)


def test_every_family_can_be_asked_for_by_the_option_that_is_told() -> None:
    for family in FAMILIES:
        option, name = shlex.split(family.option)
        assert (option, family_named(name)) == ("--family", family)


def test_several_families_in_one_file_each_in_the_files_order() -> None:
    state = (
        {"stem.weight": torch.zeros(3, 3)}
        | state_of(ready(mobileone("MobileOne (timm)", 6, 6, 3, groups=6)), "module.b.0")
        | repvgg_state("module.a.0")
        | {"module.a.1.running_mean": torch.zeros(8)}
        | state_of(ready(repvgg("RepVGG (mmpretrain)", 4, 8)), "module.a.2")
    )
    found = recognised(state)
    assert [(block.prefix, block.family) for block in found.blocks] == [
        ("module.b.0", "MobileOne (timm)"),
        ("module.a.0", "RepVGG"),
        ("module.a.2", "RepVGG (mmpretrain)"),
    ]
    assert found.left_alone == ()
    assert found.rest == ("stem.weight", "module.a.1.running_mean")


@pytest.mark.parametrize(
    "wrapper", ["state_dict.", "model.", "ema.module.", "image_encoder.model.", "model_ema.backbone."]
)
def test_any_wrapper(wrapper: str) -> None:
    state = repvgg_state(wrapper + "stage0")
    found = only_block(state)
    assert found.prefix == wrapper + "stage0"
    assert [entry.name for entry in found.fused] == [
        f"{wrapper}stage0.rbr_reparam.weight",
        f"{wrapper}stage0.rbr_reparam.bias",
    ]


def test_the_wrapper_of_an_entry_goes_to_the_fused_entries() -> None:
    entries = {
        f"state_dict.{name}": Entry(f"state_dict.{name}", entry.shape, entry.dtype, "state_dict.")
        for name, entry in entries_of(repvgg_state()).items()
    }
    weight, bias = recognise(entries).blocks[0].fused
    assert (weight.own_name, bias.own_name) == (f"{B}.rbr_reparam.weight", f"{B}.rbr_reparam.bias")


def test_fusing_twice_finds_it_already_fused() -> None:
    fused = fused_state(repvgg_state())
    assert list(fused) == [f"{B}.rbr_reparam.weight", f"{B}.rbr_reparam.bias"]
    left = reason(fused)
    assert (left.prefix, left.family, left.reason) == (B, None, "already fused")
    assert reason(fused, family="RepVGG").family == "RepVGG"
    assert fused_state(fused) == fused


@pytest.mark.parametrize(
    ("family", "name", "fused"),
    [("ACNet", "", "fused_conv"), ("DBB", "dbb.", "dbb_reparam"), ("MobileOne", "", "branch_reparam")],
)
def test_other_fused_names_are_known(family: str, name: str, fused: str) -> None:
    state = {f"{name}{fused}.weight": torch.zeros(4, 4, 3, 3), f"{name}{fused}.bias": torch.zeros(4)}
    assert reason(state).reason == "already fused"


def test_placeholders_beside_living_branches_are_written_over_and_told() -> None:
    state = repvgg_state()
    stale = {
        f"{B}.rbr_reparam.weight": torch.full((8, 8, 3, 3), 7.0),
        f"{B}.rbr_reparam.bias": torch.full((8,), 7.0),
    }
    found = only_block(state | stale)
    assert found.placeholders == tuple(stale)
    assert recognised(state | stale).rest == ()
    fused = fused_state(state | stale)
    torch.testing.assert_close(fused, fused_state(state), rtol=0, atol=0)


def test_half_fused_is_told_from_fused() -> None:
    state = repvgg_state() | {f"{B}.rbr_reparam.weight": torch.zeros(8, 8, 3, 3)}
    state = {name: tensor for name, tensor in state.items() if "rbr_dense" not in name}
    left = reason(state)
    assert left.family == "RepVGG"
    assert left.reason == (
        "half fused: rbr_reparam.weight stand beside branches of which rbr_dense.conv.weight is missing"
    )


@pytest.mark.parametrize("name", ["rbr_dense.conv.weight", "rbr_1x1.bn.running_var", "rbr_identity.bias"])
def test_a_missing_name(name: str) -> None:
    state = repvgg_state()
    del state[f"{B}.{name}"]
    left = reason(state)
    assert (left.prefix, left.family, left.reason) == (B, "RepVGG", f"{name} is missing")


def test_the_counter_of_a_norm_may_be_missing() -> None:
    state = {name: tensor for name, tensor in repvgg_state().items() if "num_batches" not in name}
    assert only_block(state).reads == tuple(state)


@pytest.mark.parametrize("name", ["rbr_dense.conv.weight_mask", "rbr_1x3.conv.weight", "rbr_scale"])
def test_a_name_that_may_be_another_branch(name: str) -> None:
    left = reason(repvgg_state() | {f"{B}.{name}": torch.zeros(8, 8, 1, 3)})
    assert left.reason == f"{name} is there, which this family does not know"


def test_what_comes_after_the_sum_is_no_branch() -> None:
    state = repvgg_state() | {f"{B}.se.down.weight": torch.zeros(2, 8, 1, 1)}
    assert only_block(state).family == "RepVGG"
    assert recognised(state).rest == (f"{B}.se.down.weight",)


Change = Callable[[Tensor], Tensor]


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("rbr_1x1.conv.weight", lambda w: w[:4], "rbr_1x1.bn.weight is 8, which does not fit 4 channels"),
        ("rbr_1x1.conv.weight", lambda w: w[:, :4], "the branches read 4 and 8 channels in a group"),
        ("rbr_1x1.conv.weight", lambda w: w.expand(8, 8, 3, 3), "is 3x3, where this family has 1x1"),
        ("rbr_1x1.bn.bias", lambda b: b[:4], "rbr_1x1.bn.bias is 4, which does not fit 8 channels"),
        ("rbr_identity.running_mean", lambda m: m.view(8, 1), "is 8x1, which does not fit 8 channels"),
        ("rbr_dense.conv.weight", lambda w: w[:0], "rbr_dense.conv.weight is 0x8x3x3 and holds nothing"),
        ("rbr_dense.conv.weight", lambda w: w.reshape(-1), "not the weight of a convolution of one or two"),
        ("rbr_dense.conv.weight", lambda w: w.reshape(8, 8, 9), "its weights have 3 and 4 dimensions"),
        ("rbr_dense.conv.weight", lambda w: w.to(torch.int8), "rbr_dense.conv.weight is int8: only float64"),
        ("rbr_1x1.bn.weight", lambda w: w.to(torch.complex64), "rbr_1x1.bn.weight is complex64"),
        ("rbr_dense.conv.weight", lambda w: w.to(torch.float8_e4m3fn), "is float8_e4m3fn"),
        ("rbr_dense.conv.weight", lambda w: w.half(), "its convolutions are float16 and float64"),
    ],
)
def test_shapes_and_dtypes_that_do_not_go_together(name: str, change: Change, words: str) -> None:
    state = repvgg_state()
    state[f"{B}.{name}"] = change(state[f"{B}.{name}"])
    left = reason(state)
    assert left.prefix == B
    assert words in left.reason


def test_a_repeated_branch_that_is_left_out() -> None:
    state = state_of(ready(mobileone("MobileOne", 6, 6, 3, groups=6)), "b")
    state = {name: tensor for name, tensor in state.items() if "rbr_conv.1." not in name}
    assert reason(state).reason == "rbr_conv.1.conv.weight is missing"


def test_a_number_with_thousands_of_digits_is_no_branch() -> None:
    state = state_of(ready(mobileone("MobileOne", 6, 6, 3)), "b") | {
        f"b.rbr_conv.{'9' * 5000}.conv.weight": torch.zeros(1)
    }
    assert "which this family does not know" in reason(state).reason


def test_names_that_no_terminal_should_get_are_only_names() -> None:
    prefix = "\x1b[31m.[bold]..\u202e/../é"
    found = only_block(repvgg_state(prefix))
    assert found.prefix == prefix


@pytest.mark.parametrize("groups", [2, 4])
def test_a_block_without_an_identity_takes_the_groups_of_its_like(groups: int) -> None:
    """As repvgg_b1g4 begins its stages."""
    before = repvgg_state("stage1.0", groups=groups)
    start = ready(repvgg("RepVGG", 8, 16, stride=2, groups=groups))
    state = before | state_of(start, "stage2.0")
    second = recognised(state).blocks[1]
    assert (second.in_channels, second.out_channels, second.groups) == (8, 16, groups)
    assumed = [each.words for each in second.assumed if each.what == "groups"]
    assert assumed == [f"groups {groups}: the output channels of the block before it"]
    alone = only_block(state_of(start, "stage2.0"))
    assert (alone.in_channels, alone.groups) == (8 // groups, 1)
    for block in (second, alone):
        weight, bias = fused_tensors(block, block_of(block, state.__getitem__)).values()
        x = image(8)
        expected = start(x)
        y = as_conv2d(x, weight, bias, groups, stride=2)
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-10 * float(expected.detach().abs().max()))


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_row_i_of_the_identity_stands_at_column_i_mod_channels_in_a_group(groups: int) -> None:
    state = repvgg_state(groups=groups)
    for name, tensor in state.items():
        if name.endswith("conv.weight"):
            tensor.zero_()
    found = only_block(state)
    assert found.groups == groups
    weight = fused_tensors(found, block_of(found, state.__getitem__))[found.fused[0].name]
    columns = 8 // groups
    assert weight[:, :, 1, 1].nonzero().tolist() == [[row, row % columns] for row in range(8)]


def test_a_conv_bias_beside_its_norm_is_not_dropped() -> None:
    module = ready(repvgg("RepVGG", 6, 6, bias=True))
    state = state_of(module)
    found = only_block(state)
    assert [branch.text for branch in found.branches] == ["3x3+norm", "1x1+norm", "identity+norm"]
    weight, bias = fused_tensors(found, block_of(found, state.__getitem__)).values()
    expected = module(image(6))
    torch.testing.assert_close(as_conv2d(image(6), weight, bias, 1), expected, rtol=1e-10, atol=1e-9)


def test_a_dilation_that_all_branches_share_does_not_matter() -> None:
    module = ready(repvgg("RepVGG", 6, 6, dilation=2))
    state = state_of(module)
    found = only_block(state)
    weight, bias = fused_tensors(found, block_of(found, state.__getitem__)).values()
    y = nn.functional.conv2d(image(6), weight, bias, padding=2, dilation=2)
    torch.testing.assert_close(y, module(image(6)), rtol=1e-10, atol=1e-9)


def test_plain_pairs_are_ordinary_unless_asked_for() -> None:
    module = Parallel(stem=ConvNorm(3, 6, 3), down=ConvNorm(6, 6, 3, names=("0", "1")))
    found = recognised(state_of(ready(module)))
    assert (found.blocks, found.left_alone) == ((), ())
    assert [block.prefix for block in recognised(state_of(ready(module)), conv_bn=True).blocks] == ["stem"]


def test_an_unknown_family_is_refused_by_name() -> None:
    with pytest.raises(UnknownFamilyError, match="'RepVG' is not a known family; did you mean RepVGG"):
        recognise({}, family="RepVG")
    assert recognise({}).blocks == ()


def test_recognising_needs_no_torch() -> None:
    code = (
        "import sys, tui.checkpoints.recognising as r; from tui.checkpoints.contents import Entry;"
        "r.recognise({'a.rbr_dense.conv.weight': Entry('a.rbr_dense.conv.weight', (1, 1, 3, 3), 'float32')});"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_work_grows_with_the_number_of_names_and_not_faster() -> None:
    """Counted in calls, so that no clock decides."""

    def calls(blocks: int) -> int:
        entries = entries_of(repvgg_state("b"))
        many = {
            name.replace("b.", f"stage.{place}.", 1): Entry(name, entry.shape, entry.dtype)
            for place in range(blocks)
            for name, entry in entries.items()
        }
        many = {name: Entry(name, entry.shape, entry.dtype) for name, entry in many.items()}
        count = 0

        def note(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(note)
        try:
            found = recognise(many)
        finally:
            sys.setprofile(None)
        assert len(found.blocks) == blocks
        return count

    calls(5)
    small, large = calls(20), calls(200)
    assert large < 12 * small
