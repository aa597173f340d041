"""Two mistakes at once are named together, only where they make the very difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.analysis.mistake_blocks import BLOCKS, NORMED
from tests.fusion.strategies import filled_block, filled_input
from tui.analysis.alterations.wrong_fusion import wrongly_fused
from tui.analysis.likeness import pairs
from tui.analysis.likeness.found import Likeness
from tui.analysis.likeness.likeness import likest, looks_like
from tui.analysis.likeness.pairs import Pair, Sample, pairs_near
from tui.analysis.numerics.outputs import Outputs
from tui.fusion.block import ReparamBlock, conv_of
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel, add, scale
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec

BOTH = "1×1 missing and identity missing"
REPVGG = [name for name in PRESETS if name in ("repvgg", "repvgg-grouped", "mobileone", "qarepvgg", "repvit")]


def likenesses(block: ReparamBlock, x: Tensor, kernel: Kernel) -> tuple[Likeness, ...]:
    with torch.no_grad():
        return likest(looks_like(block, x, Outputs(block(x), conv_of(kernel, block.geometry)(x))))


def titles(block: ReparamBlock, x: Tensor, kernel: Kernel) -> list[str]:
    found = likenesses(block, x, kernel)
    assert all(likeness.same for likeness in found)
    return [likeness.title for likeness in found]


def times(block: ReparamBlock, **counts: float) -> Kernel:
    """The sum of the branches' kernels, each so often; once where nothing is said."""
    names = {"one": "1x1", "identity": "identity", "kxk": "kxk"}
    often = {names[name]: count for name, count in counts.items()}
    kernels = dict(block.kernels())
    return add([scale(each, torch.tensor(often.get(name, 1.0))) for name, each in kernels.items()])


def blocks() -> Iterator[tuple[str, BlockSpec]]:
    yield "residual", BlockSpec()
    for name in ("normed", "grouped", "depthwise", "circular"):
        yield name, BLOCKS[name]
    for name in REPVGG:
        groups = 8 if PRESETS[name].spec.groups == 64 else PRESETS[name].spec.groups
        yield (
            name,
            replace(PRESETS[name].spec, in_channels=8, out_channels=8, groups=groups, input_shape=(9, 9)),
        )


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("spec", dict(blocks()).values(), ids=list(dict(blocks())))
def test_only_the_first_branch_deployed(spec: BlockSpec, seed: int) -> None:
    spec = replace(spec, seed=seed)
    block, x = filled_block(spec), filled_input(spec)
    first = [kernel for each, kernel in block.kernels() if each.startswith(("kxk", "post"))]
    assert titles(block, x, add(first)) == [BOTH]


@pytest.mark.parametrize(
    ("counts", "title"),
    [
        ({"identity": 3}, "identity added three times"),
        ({"identity": 4}, "identity added four times"),
        ({"identity": -1}, "identity missing × 2"),
        ({"one": -1}, "1×1 missing × 2"),
        ({"one": 0, "identity": 2}, "1×1 missing and identity added twice"),
        ({"one": 0, "identity": 3}, "1×1 missing and identity added three times"),
        ({"one": -1, "identity": 0}, "1×1 missing × 2 and identity missing"),
    ],
)
def test_so_often(counts: dict[str, float], title: str) -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    assert titles(block, x, times(block, **counts)) == [title]


def test_a_wrong_kernel_and_a_wrong_run() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    wrong = wrongly_fused("train-mode", block, x)
    kernel = wrongly_fused("bias-lost", block, x).kernel
    with torch.no_grad():
        found = likest(looks_like(block, x, Outputs(wrong.block(x), conv_of(kernel, block.geometry)(x))))
    assert [likeness.title for likeness in found] == ["the whole bias lost and unfused side in train mode"]
    assert found[0].names == ("bias-lost", "train-mode")


@pytest.mark.parametrize(
    "counts", [{"one": 0.5}, {"identity": 2.5}, {"one": 0.3, "identity": 0.4}, {"kxk": 0}]
)
def test_what_is_no_whole_number_of_times_is_no_exact_mistake(counts: dict[str, float]) -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    assert not any(likeness.same for likeness in likenesses(block, x, times(block, **counts)))


def test_nearly_the_two_is_not_the_two() -> None:
    block, x = filled_block(NORMED), filled_input(NORMED)
    kernel = times(block, one=0, identity=0)
    kernel.weight[0, 0, 1, 1] += 1e-4
    assert not any(likeness.beside for likeness in likenesses(block, x, kernel))


@pytest.mark.parametrize(("channels", "named"), [(1, False), (7, False), (8, True)])
def test_a_few_numbers_tell_no_sign(channels: int, named: bool) -> None:
    """Of a few small whole numbers each is so and so many times another."""
    spec = BlockSpec(channels, channels, branches=parse_branches("kxk,1x1-bias"))
    block, x = filled_block(spec), filled_input(spec)
    kernel = block.kernel()
    assert kernel.bias is not None
    found = likenesses(block, x, Kernel(kernel.weight, -kernel.bias))
    assert [likeness.title for likeness in found] == [
        "conv biases dropped × 2",
        "the whole bias lost × 2",
    ] * named


@pytest.mark.parametrize(("channels", "named"), [(2, False), (8, True)])
def test_a_few_numbers_tell_no_sign_beside_another_mistake(channels: int, named: bool) -> None:
    spec = BlockSpec(channels, channels, branches=parse_branches("kxk,1x1-bias,identity"))
    block, x = filled_block(spec), filled_input(spec)
    right, kernel = block.kernel(), times(block, identity=0)
    assert right.bias is not None
    found = likenesses(block, x, Kernel(kernel.weight, -right.bias))
    told = [likeness.title for likeness in found if likeness.same]
    assert (
        told
        == [
            "identity missing and conv biases dropped × 2",
            "identity missing and the whole bias lost × 2",
        ]
        * named
    )


def test_a_large_output_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST_ELEMENTS", 64)
    block, x = filled_block(NORMED), filled_input(NORMED)
    assert titles(block, x, times(block, one=0, identity=0)) == [BOTH]


def test_a_sample_is_the_same_elements_of_each_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "MOST_ELEMENTS", 5)
    output = torch.arange(24.0).view(1, 2, 3, 4)
    sample = Sample(24)
    assert sample.of(output).shape == (5,)
    assert sample.of(output * 2).equal(sample.of(output) * 2)
    assert Sample(5).of(output[:, :, 0, 0]).tolist() == [0, 12]


def test_the_fewest_times_come_first() -> None:
    u, v, w = torch.eye(3, dtype=torch.float64)
    made = [u, v, w, u + v]
    assert pairs_near(u + w, made, [False] * 4) == [Pair(0, 2)]
    assert pairs_near(2 * u + v, made, [False] * 4) == [Pair(0, 3)]
    assert pairs_near(2 * u + v, made, [True] * 4) == [Pair(0, 3), Pair(0, 1, 2, 1)]
    assert pairs_near(u - v, made, [True] * 4) == []
    assert pairs_near(u, [], []) == []
