"""What another tool made of a checkpoint: right, or wrong in each way of the gallery, and all else in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.conversion.test_fusing import fused_file, fused_of
from tests.checkpoints.families.held_against import only_block, ready, state_of
from tests.checkpoints.families.repvgg_modules import repvgg
from tests.checkpoints.families.test_diverse_branch import DBB
from tests.checkpoints.families.test_large_kernel import Dilated
from tests.checkpoints.families.test_repvgg import QARepVGG
from tests.checkpoints.small_nets import BLOCKS, deployed, loaded, saved, trained, wrapped
from tui.analysis.alterations.gallery import MISTAKES, obstacle
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.likeness.found import Likeness, Likenesses
from tui.analysis.numerics.precision import PRECISIONS
from tui.analysis.side import WrongSide
from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.building import block_of
from tui.checkpoints.comparison.compared import (
    CarriedAs,
    ComparedBlock,
    ComparedCheckpoint,
    Comparing,
)
from tui.checkpoints.comparison.comparing import compare
from tui.checkpoints.comparison.counterparts import Counterpart, counterpart_of, names_of
from tui.checkpoints.comparison.renaming import Renaming, renamings_of
from tui.checkpoints.contents import Format
from tui.checkpoints.conversion.fused_writing import write_fused
from tui.checkpoints.conversion.fusing import Wishes
from tui.checkpoints.found import FoundBlock
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise
from tui.fusion.block import ReparamBlock
from tui.fusion.structure import structure_of
from tui.fusion.torch_dtypes import dtype_of

Change = Callable[[dict[str, Tensor]], object]
NARROW = (torch.float16, torch.bfloat16)


def compared(
    source: Path, given: Path, wishes: Wishes | None = None, *, family: str | None = None
) -> ComparedCheckpoint:
    with open_checkpoint(source) as one, open_checkpoint(given) as other:
        *_, last = compare(one, recognise(one.entries, family=family), other, wishes)
    assert isinstance(last, ComparedCheckpoint)
    return last


def right_file(folder: Path, dtype: torch.dtype = torch.float32, suffix: str = ".safetensors") -> Path:
    """What our own fusion makes of the net in `folder`/in."""
    return fused_file(saved(folder, trained(dtype).state_dict(), suffix))


def changed_file(folder: Path, change: Change, dtype: torch.dtype = torch.float32) -> Path:
    state = {name: tensor.clone() for name, tensor in loaded(right_file(folder, dtype)).items()}
    change(state)
    return saved(folder, state, ".safetensors", "changed")


def result_of(folder: Path, change: Change, dtype: torch.dtype = torch.float32) -> ComparedCheckpoint:
    given = changed_file(folder, change, dtype)
    return compared(folder / "in.safetensors", given)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, *NARROW], ids=str)
def test_what_is_right_is_right(tmp_path: Path, dtype: torch.dtype, suffix: str) -> None:
    given = right_file(tmp_path, dtype, suffix)
    result = compared(tmp_path / f"in{suffix}", given)
    assert result.agrees
    rulings = {block.ruling for block in result.blocks}
    # in float64 the file's fold and the judge's add in other orders
    assert rulings <= ({Ruling.EXACT, Ruling.ROUNDING} if dtype is torch.float64 else {Ruling.EXACT})
    assert len(result.blocks) == 4
    assert {each.what for each in result.carried} == {CarriedAs.SAME}
    assert result.left_over == ()
    assert result.renamed == ("", "")


def test_what_it_yields(tmp_path: Path) -> None:
    given = right_file(tmp_path)
    with open_checkpoint(tmp_path / "in.safetensors") as one, open_checkpoint(given) as other:
        steps = list(compare(one, recognise(one.entries), other))
    assert [type(step) for step in steps[:8]] == [Comparing, ComparedBlock] * 4
    assert {type(step) for step in steps[8:-1]} == {Comparing}
    told = [step for step in steps if isinstance(step, Comparing)]
    assert [(step.what, step.number, step.count) for step in told[:4]] == [
        ("block", n, 4) for n in (1, 2, 3, 4)
    ]
    assert {step.what for step in told[4:]} == {"tensor"}


MODULES: Mapping[str, tuple[Callable[[], nn.Module], str | None]] = {
    "repvgg": (lambda: repvgg("RepVGG", 8, 8, groups=2), None),
    "dense": (lambda: repvgg("RepVGG", 8, 8), None),
    "biased": (lambda: repvgg("RepVGG", 8, 8, bias=True), None),
    "dbb": (lambda: DBB((8, 8), 3, 1, None), None),
    "qarepvgg": (lambda: QARepVGG(8, 8, identity=False, bias=True, alpha=True), "QARepVGG"),
    "unireplknet": (lambda: Dilated(8, 9), None),
}


def found_in(name: str, dtype: torch.dtype) -> tuple[dict[str, Tensor], FoundBlock, ReparamBlock]:
    make, family = MODULES[name]
    state = state_of(ready(make()).to(dtype), "net.block")
    found = only_block(state, family=family)
    return state, found, block_of(found, state.__getitem__)


def image_for(block: ReparamBlock) -> Tensor:
    return torch.zeros(2, block.in_channels, 16, 16)


def first_possible(mistake: str) -> str | None:
    """The module of those above on which it can be made."""
    for name in MODULES:
        block = found_in(name, torch.float32)[2]
        if obstacle(mistake, structure_of(block, image_for(block))) is None:
            return name
    return None


PLANTED = {
    mistake: first_possible(mistake)
    for mistake in MISTAKES
    if MISTAKES[mistake].side is not WrongSide.UNFUSED
}


def test_every_mistake_can_be_planted_in_a_file() -> None:
    assert None not in PLANTED.values(), PLANTED


@pytest.mark.parametrize("dtype", [torch.float32, *NARROW], ids=str)
@pytest.mark.parametrize("mistake", PLANTED)
def test_a_mistake_in_a_file_is_found_or_is_beyond_its_dtype(
    tmp_path: Path, mistake: str, dtype: torch.dtype
) -> None:
    name = PLANTED[mistake]
    assert name is not None
    state, found, block = found_in(name, dtype)
    wrong, right = wrongly_fused(mistake, block, image_for(block)).kernel, block.kernel()
    bias = wrong.weight.new_zeros(8) if wrong.bias is None else wrong.bias
    fused = dict(
        zip([entry.name for entry in found.fused], (wrong.weight.to(dtype), bias.to(dtype)), strict=True)
    )
    source, given = saved(tmp_path, state, ".pt"), saved(tmp_path, fused, ".pt", "fused")
    (judged,) = compared(source, given, family=MODULES[name][1]).blocks
    if judged.agrees:
        unit = PRECISIONS[dtype_of(dtype)].unit
        assert dtype in NARROW
        off = (wrong.weight - right.weight).abs() / right.weight.abs().clamp(min=1e-6)
        assert float(off.max()) < 32 * unit, "that much can be seen in this dtype"
        return
    assert judged.ruling is Ruling.WRONG
    if dtype is torch.float32 and wrong.weight.shape == right.weight.shape:
        assert judged.likenesses is not None
        likely = judged.likenesses.found
        assert mistake in [each.name for each in likely] or any(each.same for each in likely), likely


def test_wrong_channels_and_taps_are_named(tmp_path: Path) -> None:
    def change(state: dict[str, Tensor]) -> None:
        state["body.0.rbr_reparam.weight"][5, 1, 0, 2] *= 1.1
        state["body.0.rbr_reparam.weight"][2, 3, 0, 2] += 1

    (wrong,) = result_of(tmp_path, change).wrong
    assert wrong.found.prefix == "body.0"
    assert wrong.verdict is not None
    assert wrong.verdict.channels == (2, 5)
    assert wrong.verdict.taps == ((0, 2),)
    assert wrong.verdict.beyond == 2


@pytest.mark.parametrize("dtype", NARROW, ids=str)
def test_a_whole_file_in_half_precision_is_said_as_one_cast(tmp_path: Path, dtype: torch.dtype) -> None:
    def change(state: dict[str, Tensor]) -> None:
        for name, tensor in state.items():
            if tensor.is_floating_point():
                state[name] = tensor.to(dtype)

    result = result_of(tmp_path, change)
    name = str(dtype).removeprefix("torch.")
    assert result.agrees
    casts = [each for each in result.carried if each.what is CarriedAs.CAST]
    assert {each.words for each in casts} == {f"rounded once to {name}"}
    assert {each.name.partition(".")[0] for each in casts} == {"neck", "head"}
    assert all(block.verdict is not None and block.verdict.dtype == name for block in result.blocks)


def test_a_whole_file_in_float64_is_a_cast_too(tmp_path: Path) -> None:
    result = result_of(tmp_path, lambda state: state.update({"head.weight": state["head.weight"].double()}))
    assert result.agrees
    assert [each.words for each in result.carried if each.name == "head.weight"] == ["cast to float64"]


@pytest.mark.parametrize(
    ("change", "what", "words"),
    [
        (
            lambda state: state["head.weight"].view(-1)[3:5].add_(0.5),
            CarriedAs.CHANGED,
            "2 of 24 numbers differ",
        ),
        (lambda state: state.pop("head.weight"), CarriedAs.MISSING, "is not there"),
        (
            lambda state: state.update({"head.weight": state["head.weight"].T.contiguous()}),
            CarriedAs.CHANGED,
            "is 6×4, and was 4×6",
        ),
        (
            lambda state: state.update({"head.weight": (state["head.weight"] * 1.001).half()}),
            CarriedAs.CHANGED,
            "in float16, but not rounded once: ",
        ),
        (
            lambda state: state.update({"head.weight": state["head.weight"].half().float()}),
            CarriedAs.CAST,
            "rounded to float16 on the way",
        ),
    ],
)
def test_what_was_not_carried_over_is_told(
    tmp_path: Path, change: Change, what: CarriedAs, words: str
) -> None:
    result = result_of(tmp_path, change)
    (head,) = [each for each in result.carried if each.name == "head.weight"]
    assert head.what is what
    assert words in head.words.replace("\N{NO-BREAK SPACE}", " ")
    assert result.agrees == (what is CarriedAs.CAST)
    assert result.wrong == ()


def test_a_counter_of_batches_is_not_missed(tmp_path: Path) -> None:
    result = result_of(tmp_path, lambda state: state.pop("neck.plain_norm.num_batches_tracked"))
    assert result.agrees
    assert [each.what for each in result.carried if "num_batches" in each.name] == [CarriedAs.NOT_NEEDED]


def test_an_optimizer_that_our_own_fusion_leaves_out_is_not_missed(tmp_path: Path) -> None:
    optimizer = {"state": {0: {"exp_avg": torch.ones(16, 3)}}, "param_groups": [{"params": [0]}]}
    states = {"model": trained().state_dict(), "ema": trained(seed=1).state_dict()}
    source = saved_as(tmp_path / "in.pt", {**states, "optimizer": optimizer})
    target = tmp_path / "out.safetensors"
    with open_checkpoint(source) as file:
        write_fused(file, fused_of(file, Wishes(format=Format.SAFETENSORS)), target)
    result = compared(source, target)
    assert result.agrees
    left_out = [each for each in result.carried if each.what is CarriedAs.NOT_NEEDED]
    assert [each.name for each in left_out] == ["optimizer.state.0.exp_avg"]


def test_names_too_many_are_told(tmp_path: Path) -> None:
    result = result_of(tmp_path, lambda state: state.update({"body.0.rbr_1x1.conv.weight": torch.zeros(1)}))
    assert result.left_over == ("body.0.rbr_1x1.conv.weight",)
    assert not result.agrees
    assert result.wrong == ()
    assert result.not_carried == ()


def test_a_block_that_was_not_fused_is_told(tmp_path: Path) -> None:
    source = trained().state_dict()

    def change(state: dict[str, Tensor]) -> None:
        for part in ("weight", "bias"):
            del state[f"stem.rbr_reparam.{part}"]
        state.update({name: tensor for name, tensor in source.items() if name.startswith("stem.")})

    result = result_of(tmp_path, change)
    (wrong,) = result.wrong
    assert (wrong.found.prefix, wrong.weight_name) == ("stem", None)
    assert "its branches are still there" in wrong.sentence
    assert result.left_over == ()


def test_a_block_of_which_nothing_is_there_is_told(tmp_path: Path) -> None:
    def change(state: dict[str, Tensor]) -> None:
        for part in ("weight", "bias"):
            del state[f"stem.rbr_reparam.{part}"]

    (wrong,) = result_of(tmp_path, change).wrong
    assert "nothing of it is there" in wrong.sentence


@pytest.mark.parametrize("fused", ["reparam_conv", "branch_reparam", "conv"])
def test_another_known_name_of_a_fused_convolution_is_found(tmp_path: Path, fused: str) -> None:
    def change(state: dict[str, Tensor]) -> None:
        for part in ("weight", "bias"):
            state[f"body.0.{fused}.{part}"] = state.pop(f"body.0.rbr_reparam.{part}")

    result = result_of(tmp_path, change)
    assert result.agrees
    assert f"body.0.{fused}.weight" in [block.weight_name for block in result.blocks]


@pytest.mark.parametrize("fused", ["", "fused.", "theirs.deep."])
@pytest.mark.parametrize("before", ["", "state_dict.model."])
def test_a_fused_convolution_is_found_whatever_it_is_called(tmp_path: Path, before: str, fused: str) -> None:
    """Nothing but the blocks' places tells what the names begin with."""

    def change(state: dict[str, Tensor]) -> None:
        for name in list(state):
            place, _, word = name.rpartition(".")
            tensor = state.pop(name)
            if place.startswith(BLOCKS):
                state[f"{place.rpartition('.')[0]}.{fused}{word}"] = tensor

    given = changed_file(tmp_path, change)
    blocks = {
        before + name: tensor for name, tensor in trained().state_dict().items() if name.startswith(BLOCKS)
    }
    result = compared(saved(tmp_path, blocks, ".pt", "blocks"), given)
    assert result.agrees
    assert result.renamed == (before, "")
    assert [block.weight_name for block in result.blocks] == [f"{block}.{fused}weight" for block in BLOCKS]


@pytest.mark.parametrize(
    ("before", "after", "renamed"),
    [
        ("", "model.", ("", "model.")),
        ("model.", "", ("model.", "")),
        ("module.model.", "backbone.", ("module.model.", "backbone.")),
        ("model.", "image_encoder.model.", ("", "image_encoder.")),
    ],
)
def test_other_prefixes_are_seen_through(
    tmp_path: Path, before: str, after: str, renamed: tuple[str, str]
) -> None:
    given = {f"{after}{name}": tensor for name, tensor in loaded(right_file(tmp_path)).items()}
    source = {f"{before}{name}": tensor for name, tensor in trained().state_dict().items()}
    result = compared(saved(tmp_path, source, ".pt", "a"), saved(tmp_path, given, ".safetensors", "b"))
    assert result.agrees
    assert result.renamed == renamed


def test_a_training_file_beside_a_bare_fused_one(tmp_path: Path) -> None:
    """The other wrapper's tensors are none that are missed."""
    given = right_file(tmp_path)
    net = trained()
    whole = wrapped(net.state_dict(), "model") | {"optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}}}
    source = tmp_path / "training.pth"
    torch.save(whole, source)
    result = compared(source, given)
    assert result.agrees
    assert [each.what for each in result.carried if "exp_avg" in each.name] == [CarriedAs.NOT_NEEDED]


def saved_as(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize("seed", [0, 1])
def test_of_a_model_and_its_average_the_one_with_the_nearest_numbers_is_compared(
    tmp_path: Path, seed: int
) -> None:
    states = {"model": trained().state_dict(), "ema": trained(seed=1).state_dict()}
    source = saved_as(tmp_path / "both.pth", states)
    given = fused_file(saved(tmp_path, trained(seed=seed).state_dict(), ".safetensors"))
    result = compared(source, given)
    assert result.agrees
    chosen, other = ("model.", "ema.") if seed == 0 else ("ema.", "model.")
    assert (result.renamed, result.others, result.nearest) == ((chosen, ""), ((other, ""),), True)
    assert f"{chosen} was compared: by the names {other} fits as well" in result.choice


def test_of_two_in_the_other_file_too(tmp_path: Path) -> None:
    source = saved(tmp_path, trained().state_dict(), ".safetensors")
    right = loaded(fused_file(source))
    wrong = {name: tensor * 2 for name, tensor in right.items()}
    given = saved_as(tmp_path / "both.pth", {"model": wrong, "ema": right})
    result = compared(source, given)
    assert result.wrong == ()
    assert result.choice.startswith("the other file's ema. was compared")


def test_the_weight_and_bias_of_another_layer_are_no_other_model() -> None:
    """Where fused convolutions have a name of nobody, hardly more than a weight and a bias is found."""
    blocks = [f"{block}.{word}" for block in "abc" for word in ("rbr_reparam.weight", "rbr_reparam.bias")]
    head = ["head.weight", "head.bias"]
    given = [*(name.replace("rbr_reparam", "own") for name in blocks), *head]
    expected = [f"model.{name}" for name in (*blocks, *head)]
    assert renamings_of(expected, given) == [Renaming("model.", "")]


def test_where_no_number_tells_which_of_two_it_is_the_first(tmp_path: Path) -> None:
    states = {"model": trained().state_dict(), "ema": trained(seed=1).state_dict()}
    source = saved_as(tmp_path / "both.pth", states)
    given = fused_file(saved(tmp_path, trained(seed=2).state_dict(), ".safetensors"))
    result = compared(source, given)
    assert (result.renamed, result.nearest) == (("model.", ""), False)
    assert "it is the first, and no number tells which" in result.choice


def test_a_missing_bias_counts_as_zeros(tmp_path: Path) -> None:
    result = result_of(tmp_path, lambda state: state.pop("stem.rbr_reparam.bias"))
    (wrong,) = result.wrong
    assert wrong.bias_name is None
    assert wrong.verdict is not None
    assert wrong.verdict.biases == tuple(range(8))
    assert wrong.likenesses is not None
    assert "bias-lost" in [each.name for each in wrong.likenesses.found]


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (torch.zeros(8, 4, 5, 5), "8×4×5×5"),
        (torch.zeros(8, 36), "is 8x36, and a weight of 4 dimensions"),
        (torch.zeros(36), "is 36, and a weight of 4 dimensions"),
        (torch.zeros(8, 4, 3, 3, dtype=torch.int8), "is int8"),
        (torch.zeros(4, 4, 3, 3), "4×4×3×3"),
    ],
)
def test_what_cannot_be_the_block_is_wrong(tmp_path: Path, weight: Tensor, words: str) -> None:
    (wrong,) = result_of(tmp_path, lambda state: state.update({"body.0.rbr_reparam.weight": weight})).wrong
    assert words in wrong.sentence
    assert wrong.verdict is None


def test_the_eps_that_the_other_tool_took(tmp_path: Path) -> None:
    source = saved(tmp_path, trained().state_dict(), ".safetensors")
    given = fused_file(source, Wishes(eps=1e-3))
    result = compared(source, given)
    assert len(result.wrong) == 4
    for block in result.blocks:
        assert block.likenesses is not None
        assert "eps-1e-3" in [each.name for each in block.likenesses.found]
    assert compared(source, given, Wishes(eps=1e-3)).agrees
    assert {block.eps for block in result.blocks} == {1e-5}


def test_the_deployed_net_of_other_numbers_is_wrong_everywhere(tmp_path: Path) -> None:
    net = trained()
    source = saved(tmp_path, net.state_dict(), ".safetensors")
    given = saved(tmp_path, deployed(net).state_dict(), ".safetensors", "other")
    result = compared(source, given)
    assert [block.found.prefix for block in result.wrong] == sorted(BLOCKS)
    assert {each.what for each in result.not_carried} == {CarriedAs.CHANGED}


def test_what_stands_for_something_else_is_no_fused_convolution() -> None:
    found = found_in("repvgg", torch.float32)[1]
    given = ["net.block.conv.weight", "net.block.conv.bias"]
    assert counterpart_of(found, names_of(found), Renaming(), given, taken=()) == Counterpart(*given)
    assert counterpart_of(found, names_of(found), Renaming(), given, taken=given) is None
    assert counterpart_of(found, names_of(found), Renaming(), given[:1], taken=()) == Counterpart(
        given[0], None
    )
    assert counterpart_of(found, names_of(found), Renaming("other.", ""), given, taken=()) is None


def test_mistakes_of_running_a_block_are_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(*_: object, **__: object) -> Iterator[Likenesses]:
        yield Likenesses(tuple(Likeness(name, 1.0) for name in MISTAKES))

    monkeypatch.setattr("tui.checkpoints.comparison.comparing.looks_like", all_of_them)
    (wrong,) = result_of(tmp_path, lambda state: state["stem.rbr_reparam.bias"].add_(1)).wrong
    assert wrong.likenesses is not None
    assert [each.name for each in wrong.likenesses.found] == list(PLANTED)
