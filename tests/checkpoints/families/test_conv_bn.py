"""Plain pairs, which are taken on wish, and only where it is certain that the norm stands behind."""

from __future__ import annotations

import pytest
from torch import Tensor

from tests.checkpoints.families.held_against import assert_fuses, image, ready, recognised, state_of
from tests.checkpoints.families.parts import ConvNorm

PAIRS = {
    "conv_bn": ("conv", "bn"),
    "conv_bn (norm)": ("conv", "norm"),
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
