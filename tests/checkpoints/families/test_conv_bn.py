"""Plain pairs, which are taken on wish, and only where it is certain that the norm stands behind."""

from __future__ import annotations

import pytest
from torch import Tensor

from tests.checkpoints.families.held_against import assert_fuses, image, ready, recognised, state_of
from tests.checkpoints.families.parts import ConvNorm
from tests.checkpoints.families.repvgg_modules import repvgg
from tui.checkpoints.found import Assumption

PAIRS = {
    "conv_bn": ("conv", "bn"),
    "conv_bn (norm)": ("conv", "norm"),
    "conv_bn (transformers)": ("convolution", "normalization"),
    "conv_bn (1)": ("conv1", "bn1"),
    "conv_bn (2)": ("conv2", "bn2"),
    "conv_bn (3)": ("conv3", "bn3"),
}


@pytest.mark.parametrize("family", PAIRS)
@pytest.mark.parametrize("channels", [(4, 6), (6, 6)])
def test_a_pair_on_wish(family: str, channels: tuple[int, int]) -> None:
    module = ready(ConvNorm(*channels, 3, names=PAIRS[family]))
    assert recognised(state_of(module, "stem")).blocks == ()
    assert_fuses(module, image(channels[0]), family, PAIRS[family][0], conv_bn=True)


def sorted_by_name(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As safetensors' own save_file orders tensors of one dtype."""
    return dict(sorted(state.items()))


def test_a_norm_that_may_stand_in_front_is_left_alone() -> None:
    state = sorted_by_name(state_of(ready(ConvNorm(6, 6, 3)), "stem"))
    found = recognised(state, conv_bn=True)
    assert found.blocks == ()
    assert [each.reason for each in found.left_alone] == [
        "which of the convolution and the norm stands first is not certain"
    ]
    other = sorted_by_name(state_of(ready(ConvNorm(4, 6, 3)), "stem"))
    assert [block.family for block in recognised(other, conv_bn=True).blocks] == ["conv_bn"]


def test_the_pairs_of_a_residual_block() -> None:
    state = {
        f"layer1.0.{name}": tensor
        for number in ("1", "2")
        for name, tensor in state_of(ready(ConvNorm(6, 6, 3, names=(f"conv{number}", f"bn{number}")))).items()
    } | {
        f"layer1.0.{name}": tensor
        for name, tensor in state_of(ready(ConvNorm(4, 6, 1, names=("0", "1"))), "downsample").items()
    }
    found = recognised(state, conv_bn=True)
    assert (found.left_alone, found.rest) == ((), ())
    assert [block.fused[0].name for block in found.blocks] == [
        "layer1.0.conv1.weight",
        "layer1.0.conv2.weight",
        "layer1.0.downsample.0.weight",
    ]


def taken_for(state: dict[str, Tensor]) -> list[tuple[str, str]]:
    """What a pair is told to be taken for, where its shapes leave that open."""
    blocks = recognised(state, conv_bn=True).blocks
    return [(each.value, each.why) for block in blocks for each in block.assumed if each.doubtful]


@pytest.mark.parametrize(("channels", "groups"), [((6, 6), 1), ((6, 6), 6)])
def test_a_transposed_convolution_of_the_same_shape_is_told_of(
    channels: tuple[int, int], groups: int
) -> None:
    state = state_of(ready(ConvNorm(*channels, 3, groups=groups)))
    assert taken_for(state) == [("Conv2d", "a ConvTranspose2d has a weight of the same shape")]
    assert taken_for(state_of(ready(ConvNorm(4, 6, 3)))) == []


def test_a_norm_of_the_channels_that_a_transposed_convolution_gives_is_left() -> None:
    state = state_of(ready(ConvNorm(4, 6, 3)), "stem")
    state["stem.conv.weight"] = state["stem.conv.weight"].transpose(0, 1)
    assert recognised(state, conv_bn=True).blocks == ()


def eps_of_the_pair(*families: str) -> tuple[float, Assumption, set[float | None]]:
    """Of a plain pair beside blocks of these: its eps, what is told of it, those of its norms."""
    state = state_of(ready(ConvNorm(4, 6, 3)), "stem")
    for family in families:
        block = state_of(ready(repvgg("RepVGG", 6, 6)), f"body.{family}")
        if family == "YOLOv7":
            block = {
                name.replace(".conv.", ".0.").replace(".bn.", ".1."): each for name, each in block.items()
            }
        state |= block
    found = recognised(state, conv_bn=True)
    assert [block.family for block in found.blocks] == ["conv_bn", *families]
    pair = found.blocks[0]
    told = next(each for each in pair.assumed if each.what == "eps")
    return pair.eps, told, {layer.spec.eps for layer in pair.branches[0].layers if "norm" in layer.spec.name}


def test_a_pair_has_the_eps_of_the_families_beside_it() -> None:
    eps, told, folded = eps_of_the_pair("YOLOv7")
    assert (eps, folded) == (1e-3, {1e-3})
    assert told == Assumption("eps", "0.001", "as YOLOv7 beside it has; it is in no file", doubtful=True)


def test_a_pair_beside_families_of_two_eps_has_the_usual_one() -> None:
    eps, told, folded = eps_of_the_pair("YOLOv7", "RepVGG")
    assert (eps, folded) == (1e-5, {1e-5})
    why = "the usual one, as the blocks beside it have 1e-05 (RepVGG) and 0.001 (YOLOv7); it is in no file"
    assert told == Assumption("eps", "1e-05", why, doubtful=True)


def test_a_pair_of_its_own_has_the_usual_eps() -> None:
    for families in ((), ("RepVGG",)):
        eps, told, folded = eps_of_the_pair(*families)
        assert (eps, folded, told.doubtful) == (1e-5, {1e-5}, False)
