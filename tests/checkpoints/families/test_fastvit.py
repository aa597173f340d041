"""FastViT's RepMixer and positional encoding, in the names of Apple's code and of timm's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import assert_fuses, image, ready, reason, recognised, state_of
from tests.checkpoints.families.parts import Parallel
from tests.checkpoints.families.repvgg_modules import mobileone


class LayerScale(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, 1, 1))


class RepMixer(nn.Module):
    """x + gamma (mixer(x) - norm(x)), in the names of either code."""

    def __init__(self, family: str, channels: int, k: int) -> None:
        super().__init__()
        code = "MobileOne (timm)" if "timm" in family else "MobileOne"
        self.norm = Parallel(**{"identity" if "timm" in family else "rbr_skip": nn.BatchNorm2d(channels)})
        self.mixer = mobileone(code, channels, channels, k, branches=1, groups=channels)
        scale = LayerScale(channels)
        self.layer_scale = scale if "timm" in family else scale.gamma

    def forward(self, x: Tensor) -> Tensor:
        scale = self.layer_scale
        gamma = scale.gamma if isinstance(scale, LayerScale) else scale
        y: Tensor = x + gamma * (self.mixer(x) - self.norm(x))
        return y


@pytest.mark.parametrize("family", ["RepMixer", "RepMixer (timm)"])
@pytest.mark.parametrize("k", [3, 7])
def test_repmixer(family: str, k: int) -> None:
    found = assert_fuses(ready(RepMixer(family, 6, k)), image(6), family, "reparam_conv", groups=6)
    assert [branch.text.split("+")[0] for branch in found.branches] == [
        f"{k}x{k}-bias",
        "1x1-bias",
        "identity",
        "identity",
        "identity",
    ]


def test_a_repmixer_that_lacks_a_name_is_not_taken_for_the_block_inside_of_it() -> None:
    state = state_of(ready(RepMixer("RepMixer (timm)", 6, 3)), "token_mixer")
    del state["token_mixer.layer_scale.gamma"]
    left = reason(state)
    assert (left.prefix, left.reason) == ("token_mixer", "layer_scale.gamma is missing")


class Position(nn.Module):
    def __init__(self, name: str, channels: int) -> None:
        super().__init__()
        self.add_module(name, nn.Conv2d(channels, channels, 7, padding=3, groups=channels))

    def forward(self, x: Tensor) -> Tensor:
        (conv,) = self.children()
        y: Tensor = conv(x) + x
        return y


@pytest.mark.parametrize(
    ("family", "name"), [("FastViT position", "pe"), ("FastViT position (timm)", "pos_enc")]
)
def test_position(family: str, name: str) -> None:
    assert_fuses(ready(Position(name, 5)), image(5), family, "reparam_conv", groups=5)


def test_another_module_called_pe_is_ordinary() -> None:
    state = state_of(nn.ModuleDict({"pe": nn.Linear(4, 6)}))
    found = recognised(state)
    assert (found.blocks, found.left_alone) == ((), ())
