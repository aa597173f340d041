"""A copy of a block is the one that copy.deepcopy makes by itself, and has nothing of the block's."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.analysis.mistake_blocks import BLOCKS
from tests.fusion.layer_parts import conv_branch
from tests.fusion.strategies import filled_block
from tui.fusion.block import ReparamBlock


class Counted(nn.Conv2d):
    """Somebody's own convolution, which says how it is copied."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Counted:
        made = Counted(self.in_channels, self.out_channels, self.kernel_size[0])
        made.load_state_dict(self.state_dict())
        made.copies = getattr(self, "copies", 0) + 1  # type: ignore[assignment]
        return made


def attributes(block: nn.Module) -> list[tuple[str, str, str]]:
    """Each attribute of each module, with its class; numbers as they are written out."""
    return [
        (name, attribute, f"{type(value).__name__} {value}")
        for name, module in block.named_modules()
        for attribute, value in sorted(vars(module).items())
        if attribute != "_modules"
    ]


@pytest.mark.parametrize("title", BLOCKS)
def test_it_is_what_torch_makes(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    block = filled_block(BLOCKS[title])
    next(block.parameters()).requires_grad_(False)
    next(iter(block.branches)).train()
    ours = copy.deepcopy(block)
    monkeypatch.delattr(ReparamBlock, "__deepcopy__")
    theirs = copy.deepcopy(block)
    assert attributes(ours) == attributes(theirs) == attributes(block)
    assert [type(module) for module in ours.modules()] == [type(module) for module in theirs.modules()]
    numbers = [*block.parameters(), *block.buffers()]
    for one, other in zip([*ours.parameters(), *ours.buffers()], numbers, strict=True):
        assert one.stride() == other.stride()
        assert not one.numel() or one.data_ptr() != other.data_ptr()
    assert not {id(module) for module in ours.modules()} & {id(module) for module in block.modules()}


def test_what_is_shared_within_stays_shared() -> None:
    one, other = (conv_branch(name, 4, 4, (3, 3)) for name in ("one", "other"))
    conv_in(other).weight = conv_in(one).weight
    numbers = torch.arange(6.0)
    for branch, name, part in ((one, "all", numbers), (other, "all", numbers), (other, "last", numbers[2:])):
        branch.register_buffer(name, part)
    first, second = copy.deepcopy(ReparamBlock([one, other])).branches
    assert conv_in(first).weight is conv_in(second).weight
    assert conv_in(first).bias is not conv_in(second).bias
    assert first.get_buffer("all") is second.get_buffer("all") is not numbers
    assert second.get_buffer("last").tolist() == [2.0, 3.0, 4.0, 5.0]
    second.get_buffer("last").zero_()
    assert numbers.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def conv_in(branch: nn.Module) -> nn.Conv2d:
    """The only convolution in it."""
    (conv,) = (module for module in branch.modules() if isinstance(module, nn.Conv2d))
    return conv


def test_a_convolution_that_copies_itself_does_so() -> None:
    block = ReparamBlock([conv_branch("one", 4, 4, (3, 3))])
    (layer,) = (module for module in block.modules() if isinstance(getattr(module, "conv", None), nn.Conv2d))
    layer.conv = Counted(4, 4, 3)
    again = copy.deepcopy(copy.deepcopy(block))
    assert [module.copies for module in again.modules() if isinstance(module, Counted)] == [2]


def test_what_is_copied_already_is_taken() -> None:
    block = filled_block(BLOCKS["normed"])
    instead: dict[int, Any] = {id(each): Tensor() for each in block.parameters()}
    made = copy.deepcopy(block, dict(instead))
    parameters = [
        each for module in made.modules() for each in module._parameters.values() if each is not None
    ]
    assert {id(each) for each in parameters} == {id(each) for each in instead.values()}


def test_hooks_go_along() -> None:
    block = filled_block(BLOCKS["default"])
    seen: list[nn.Module] = []
    block.register_forward_hook(lambda module, *_: seen.append(module))
    made = copy.deepcopy(block)
    made(torch.zeros(1, block.in_channels, 8, 8, dtype=torch.float64))
    assert seen == [made]
