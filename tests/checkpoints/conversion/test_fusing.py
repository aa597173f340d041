"""Whole checkpoints, fused: what is loaded strictly into the deployed net does what the trained one does."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.checkpoints.families.held_against import image, ready, state_of
from tests.checkpoints.families.repvgg_modules import repvgg
from tests.checkpoints.samples import same_bits
from tests.checkpoints.small_nets import BLOCKS, deployed, loaded, saved, trained, wrapped
from tui.analysis.verdict.reason import Ruling
from tui.checkpoints.contents import Checkpoint
from tui.checkpoints.conversion.fused import FusedBlock, FusedCheckpoint, FusingBlock
from tui.checkpoints.conversion.fused_writing import WrongBlockError, write_fused
from tui.checkpoints.conversion.fusing import Wishes, fuse
from tui.checkpoints.folding import plain
from tui.checkpoints.found import FoundBlock
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.plan import Made
from tui.checkpoints.recognising import recognise
from tui.checkpoints.writing import format_for

FORMATS = (".safetensors", ".pt")
DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def fused_of(source: Checkpoint, wishes: Wishes | None = None, *, conv_bn: bool = False) -> FusedCheckpoint:
    *_, last = fuse(source, recognise(source.entries, conv_bn=conv_bn), wishes)
    assert isinstance(last, FusedCheckpoint)
    return last


def fused_file(path: Path, wishes: Wishes | None = None, *, conv_bn: bool = False) -> Path:
    target = path.with_name("out" + path.suffix)
    with open_checkpoint(path) as source:
        asked = replace(wishes or Wishes(), format=format_for(target))
        write_fused(source, fused_of(source, asked, conv_bn=conv_bn), target)
    return target


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_deployed_net_loads_it_strictly_and_does_the_same(
    tmp_path: Path, dtype: torch.dtype, suffix: str
) -> None:
    net = trained(dtype)
    state = net.state_dict()
    made = loaded(fused_file(saved(tmp_path, state, suffix)))
    other = deployed(net)
    other.load_state_dict(made, strict=True)
    assert all(tensor.dtype in (dtype, torch.int64) for tensor in made.values())
    x = image(3)
    with torch.no_grad():
        expected = net.double()(x)
        y = other.double()(x)
    size = float(expected.abs().max())
    tolerance = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 0.02, torch.bfloat16: 0.15}[dtype]
    torch.testing.assert_close(y, expected, rtol=0, atol=tolerance * size)


@pytest.mark.parametrize("suffix", FORMATS)
def test_everything_else_is_carried_over_bit_for_bit_in_order(tmp_path: Path, suffix: str) -> None:
    state = trained().state_dict()
    made = loaded(fused_file(saved(tmp_path, state, suffix)))
    rest = [name for name in state if not name.startswith(tuple(f"{block}." for block in BLOCKS))]
    assert rest[0] == "seen"
    assert all(same_bits(made[name], state[name]) for name in rest)
    fused = {
        "stem": "rbr_reparam",
        "body.0": "rbr_reparam",
        "body.1": "reparam_conv",
        "body.2": "dbb_reparam",
    }
    expected = [
        "seen",
        *(f"{block}.{fused[block]}.{part}" for block in BLOCKS for part in ("weight", "bias")),
        *rest[1:],
    ]
    if suffix == ".safetensors":  # its header is sorted by dtype and name, as its library does it
        assert set(made) == set(expected)
        with open_checkpoint(tmp_path / "out.safetensors") as out:
            assert out.metadata == {"format": "pt", "by": "us"}
    else:
        assert list(made) == expected


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "ema"])
def test_a_wrapper_stays_with_all_that_is_beside_it(tmp_path: Path, wrapper: str) -> None:
    net = trained()
    state = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
    path = tmp_path / "in.pth"
    torch.save(wrapped(state, wrapper), path)
    made = torch.load(fused_file(path), weights_only=True)
    assert list(made) == ["epoch", wrapper, "optimizer"]
    assert (made["epoch"], made["optimizer"]) == (3, {"lr": 0.1})
    own = {name.removeprefix("module."): tensor for name, tensor in made[wrapper].items()}
    assert all(name.startswith("module.") for name in made[wrapper])
    deployed(net).load_state_dict(own, strict=True)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("rng", torch.get_rng_state()),
        ("rng_state", torch.get_rng_state()),
        ("cuda_rng_states", [torch.get_rng_state()]),
        ("random_states", {"torch": torch.get_rng_state()}),
        ("random_rng_state", {"torch": torch.get_rng_state()}),
    ],
)
def test_states_of_random_numbers_are_left_out_as_an_optimizers_is(
    tmp_path: Path, name: str, state: object
) -> None:
    net = trained()
    path = tmp_path / "in.pth"
    torch.save(wrapped(net.state_dict(), "model") | {name: state, "anchors": torch.ones(3)}, path)
    with open_checkpoint(path) as source:
        fused = fused_of(source)
    left_out = [each for each in fused.beside if not each.carried]
    assert [(each.name, each.tensors) for each in left_out if each.tensors] == [(name, 1)]
    assert any(each.entry.name == "anchors" for each in fused.plan)
    assert not any(name in each.entry.name for each in fused.plan)


def test_a_buffer_of_that_name_is_carried_over(tmp_path: Path) -> None:
    path = saved(tmp_path, trained().state_dict() | {"rng_state": torch.get_rng_state()}, ".pt")
    with open_checkpoint(path) as source:
        assert any(each.entry.name == "rng_state" for each in fused_of(source).plan)


def test_what_it_yields(tmp_path: Path) -> None:
    path = saved(tmp_path, trained().state_dict(), ".pt")
    with open_checkpoint(path) as source:
        steps = list(fuse(source, recognise(source.entries), Wishes(jobs=3)))
    *pairs, last = steps
    assert isinstance(last, FusedCheckpoint)
    doing = [step for step in pairs if isinstance(step, FusingBlock)]
    done = [step for step in pairs if isinstance(step, FusedBlock)]
    assert [type(step) for step in pairs] == [FusingBlock, FusedBlock] * 4
    assert [(step.number, step.count, step.found.prefix) for step in doing] == [
        (place, 4, block) for place, block in enumerate(BLOCKS, 1)
    ]
    assert [step.found.prefix for step in done] == list(BLOCKS)
    assert tuple(done) == last.blocks
    assert doing[0].done_bytes == 0
    told = [step.done_bytes for step in doing]
    assert told == sorted(set(told))
    assert told[-1] < doing[0].all_bytes
    assert last.wrong == ()
    assert not last.already_fused
    for block in done:
        assert block.ruling is Ruling.EXACT
        assert block.weight_share is not None
        assert 0 < block.weight_share <= 1
        assert block.max_abs_diff_float64 is not None
        assert block.max_abs_diff_float64 < 1e-9
        assert block.on_image is not None
        assert block.eps == 1e-5


def test_sizes_before_and_after(tmp_path: Path) -> None:
    state = trained(torch.float16).state_dict()
    with open_checkpoint(saved(tmp_path, state, ".safetensors")) as source:
        fused = fused_of(source)
    floating = [tensor for tensor in state.values() if tensor.is_floating_point()]
    assert fused.before.tensors == len(state)
    assert fused.before.params == sum(tensor.numel() for tensor in floating)
    assert fused.before.bytes == sum(tensor.nbytes for tensor in state.values())
    other = deployed(trained(torch.float16)).state_dict()
    assert fused.after.tensors == len(other)
    assert fused.after.bytes == sum(tensor.nbytes for tensor in other.values())


def test_stopping_between_blocks_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    right = plain.fold_plain

    def noted(found: FoundBlock, *rest: object) -> object:
        begun.append(found.prefix)
        return right(found, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("tui.checkpoints.conversion.fusing.fold_plain", noted)
    threads = torch.get_num_threads()
    with open_checkpoint(saved(tmp_path, trained().state_dict(), ".pt")) as source:
        steps = fuse(source, recognise(source.entries))
        next(steps), next(steps)
        steps.close()  # type: ignore[attr-defined]
    assert begun in (["stem"], ["stem", "body.0"])
    with ThreadPoolExecutor(1) as pool:  # a thread to come
        assert pool.submit(torch.get_num_threads).result() == threads


@pytest.mark.parametrize("jobs", [1, 4])
def test_jobs_change_nothing(tmp_path: Path, jobs: int) -> None:
    path = saved(tmp_path, trained().state_dict(), ".safetensors")
    one = fused_file(path, Wishes(jobs=jobs, on_image=False)).read_bytes()
    (tmp_path / "out.safetensors").unlink()
    assert one == fused_file(path, Wishes(jobs=2)).read_bytes()


@pytest.mark.parametrize("suffix", FORMATS)
def test_eps_of_all_and_of_one(tmp_path: Path, suffix: str) -> None:
    net = trained(torch.float64)
    for name, module in net.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d) and not name.startswith("neck"):
            module.eps = 0.01 if name.startswith("body.1.") else 1e-3
    path = saved(tmp_path, net.state_dict(), suffix)
    made = loaded(fused_file(path, Wishes(eps=1e-3, eps_of={"body.1": 0.01})))
    other = deployed(net)
    other.load_state_dict(made, strict=True)
    x = image(3)
    torch.testing.assert_close(other(x), net(x), rtol=1e-10, atol=0)


def test_fusing_twice_changes_nothing(tmp_path: Path) -> None:
    path = fused_file(saved(tmp_path, trained().state_dict(), ".safetensors"))
    with open_checkpoint(path) as source:
        fused = fused_of(source)
    assert fused.blocks == ()
    assert fused.already_fused
    assert not any(isinstance(each, Made) for each in fused.plan)
    assert [each.prefix for each in fused.left_alone] == sorted(BLOCKS)


def test_a_placeholder_is_written_over(tmp_path: Path) -> None:
    net = trained()
    state = dict(net.state_dict()) | {
        "body.0.rbr_reparam.weight": torch.ones(8, 4, 3, 3),
        "body.0.rbr_reparam.bias": torch.ones(8),
    }
    made = loaded(fused_file(saved(tmp_path, state, ".pt")))
    expected = loaded(fused_file(saved(tmp_path, net.state_dict(), ".safetensors")))
    assert list(made).count("body.0.rbr_reparam.weight") == 1
    assert all(same_bits(tensor, expected[name]) for name, tensor in made.items())


def test_pairs_of_convolution_and_norm_on_wish(tmp_path: Path) -> None:
    net = trained()
    path = saved(tmp_path, net.state_dict(), ".safetensors")
    made = loaded(fused_file(path, conv_bn=True))
    fresh = [name for name in made if name.startswith("neck")]
    assert len(fresh) in (2, 6)  # as names of that kind are known or not; then they are left as they are


def spoilt(name: str, value: float, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    state = {key: tensor.clone() for key, tensor in trained(dtype).state_dict().items()}
    state[name].view(-1)[1] = value
    return state


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("body.0.rbr_dense.conv.weight", math.nan, "NaN"),
        ("body.0.rbr_1x1.conv.weight", math.inf, "infinite"),
        ("body.0.rbr_identity.running_var", -1.0, "negative"),
        ("body.2.dbb_1x1.conv.weight", math.nan, "NaN"),
    ],
)
def test_numbers_that_cannot_be_fused_are_named(tmp_path: Path, name: str, value: float, what: str) -> None:
    path = saved(tmp_path, spoilt(name, value), ".safetensors")
    with open_checkpoint(path) as source:
        fused = fused_of(source)
        (wrong,) = fused.wrong
        assert name.startswith(wrong.found.prefix)
        assert wrong.ruling is Ruling.SUSPICIOUS
        assert [(problem.name, problem.what) for problem in wrong.problems] == [(name, what)]
        assert f"{name}: a number is {what}" in wrong.sentence
        with pytest.raises(WrongBlockError, match=r"body\."):
            write_fused(source, fused, tmp_path / "out.safetensors")
        assert [each.name for each in tmp_path.iterdir()] == ["in.safetensors"]
        write_fused(source, fused, tmp_path / "out.safetensors", wrong_too=True)
    assert not loaded(tmp_path / "out.safetensors")[wrong.found.fused[0].name].isfinite().all()


def test_a_variance_of_zero_is_named_and_fused(tmp_path: Path) -> None:
    path = saved(tmp_path, spoilt("body.0.rbr_identity.running_var", 0.0), ".safetensors")
    with open_checkpoint(path) as source:
        fused = fused_of(source)
    assert fused.wrong == ()
    assert [problem.what for block in fused.blocks for problem in block.problems] == ["zero"]


def test_what_float16_cannot_hold_is_no_fused_block(tmp_path: Path) -> None:
    state = spoilt("body.0.rbr_dense.conv.weight", 6e4, torch.float16)
    state["body.0.rbr_dense.bn.running_var"].fill_(1e-4)
    state["body.0.rbr_dense.bn.weight"].fill_(2)
    with open_checkpoint(saved(tmp_path, state, ".safetensors")) as source:
        (wrong,) = fused_of(source).wrong
    assert wrong.ruling is Ruling.SUSPICIOUS
    assert "float16 overflowed" in wrong.sentence


@pytest.mark.parametrize("place", [(0, 0, 0, 0), (7, 3, 1, 1), (5, 2, 2, 1)])
def test_a_fault_in_the_fold_of_one_weight_is_seen(
    tmp_path: Path, place: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One weight off by a hundred-millionth, in float64, before it is rounded."""
    right = torch.mul

    def off(one: Tensor, other: Tensor, *, out: Tensor) -> Tensor:
        made = right(one, other, out=out)
        if made.shape == (8, 4 * 3 * 3):
            made.view(8, 4, 3, 3)[place] *= 1 + 1e-8
        return made

    monkeypatch.setattr("tui.checkpoints.folding.plain.torch.mul", off)
    with open_checkpoint(saved(tmp_path, trained().state_dict(), ".safetensors")) as source:
        (wrong,) = fused_of(source, Wishes(on_image=False)).wrong
    assert wrong.found.prefix == "body.0"
    assert wrong.ruling is Ruling.WRONG
    assert "a random patch is answered by" in wrong.sentence


def test_a_file_that_is_cut_short_on_the_way_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path, trained().state_dict(), ".safetensors")
    with open_checkpoint(path) as source:
        steps = fuse(source, recognise(source.entries))
        next(steps)
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(ValueError, match=r"in\.safetensors"):
            list(steps)


def test_exact_zeros_are_no_fault(tmp_path: Path) -> None:
    net = trained()
    with torch.no_grad():
        net.get_parameter("body.0.rbr_dense.conv.weight")[:, :, 0] = 0.0
    with open_checkpoint(saved(tmp_path, net.state_dict(), ".safetensors")) as source:
        fused = fused_of(source)
    assert fused.wrong == ()
    assert all(0 < (block.weight_share or 0) <= 1 for block in fused.blocks)


def test_a_block_of_many_strips(tmp_path: Path) -> None:
    """The last strip is shorter than the others."""
    wide = ready(repvgg("RepVGG", 95, 95))
    with open_checkpoint(saved(tmp_path, state_of(wide, "a"), ".safetensors")) as source:
        fused = fused_of(source)
        made = {each.entry.name: each.make() for each in fused.plan if isinstance(each, Made)}
    x = image(95)
    y = torch.nn.functional.conv2d(x, made["a.rbr_reparam.weight"], made["a.rbr_reparam.bias"], padding=1)
    expected = wide(x).detach()
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-11 * float(expected.abs().max()))
    assert round(95 * 95 * 9 / plain.STRIP) == 2


def test_a_large_block_is_not_run_on_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.checkpoints.conversion.fusing.MOST_ON_IMAGE", 8 * 3 * 9)
    with open_checkpoint(saved(tmp_path, trained().state_dict(), ".pt")) as source:
        fused = fused_of(source)
    assert [block.on_image is None for block in fused.blocks] == [False, True, False, True]
    assert all(block.max_abs_diff_float64 is not None for block in fused.blocks)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_weight_that_is_read_strip_by_strip_is_fused_alike(
    tmp_path: Path, dtype: torch.dtype, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, trained(dtype).state_dict(), suffix)
    whole = loaded(fused_file(path, Wishes(on_image=False)))
    path.with_name("out" + suffix).unlink()
    monkeypatch.setattr(plain, "STRIP", 80)
    read: list[str] = []

    def noted(source: Checkpoint, name: str) -> Tensor:
        read.append(name)
        return source.tensor(name)

    monkeypatch.setattr("tui.checkpoints.conversion.fusing.dense_tensor", noted)
    by_strips = loaded(fused_file(path, Wishes(on_image=False)))
    assert "body.0.rbr_1x1.conv.weight" in read
    assert "body.0.rbr_dense.conv.weight" not in read
    for name, tensor in whole.items():  # the sums of a strip of another length may be rounded otherwise
        torch.testing.assert_close(by_strips[name], tensor, msg=name)


def test_numbers_in_a_weight_that_is_read_strip_by_strip_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "STRIP", 80)
    name = "body.0.rbr_dense.conv.weight"
    with open_checkpoint(saved(tmp_path, spoilt(name, math.nan), ".safetensors")) as source:
        (wrong,) = fused_of(source, Wishes(on_image=False)).wrong
    assert wrong.ruling is Ruling.SUSPICIOUS
    assert [(problem.name, problem.what) for problem in wrong.problems] == [(name, "NaN")]
