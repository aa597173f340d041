from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tui.fusion.block import build_block
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.unfilled_conv import unfilled_conv2d


def test_no_values_are_drawn_for_what_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    block = build_block(BlockSpec())

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("values were drawn")

    for name in ("kaiming_uniform_", "uniform_"):
        monkeypatch.setattr(nn.init, name, refuse)
    conv = block.fuse()
    x = torch.ones(1, 2, 5, 5)
    with torch.no_grad():
        torch.testing.assert_close(conv(x), block(x))


def test_it_is_an_ordinary_convolution() -> None:
    arguments: dict[str, Any] = {
        "stride": (2, 1),
        "padding": (1, 2),
        "groups": 2,
        "bias": False,
        "padding_mode": "reflect",
    }
    conv, usual = unfilled_conv2d(4, 6, (3, 5), **arguments), nn.Conv2d(4, 6, (3, 5), **arguments)
    assert type(conv) is nn.Conv2d
    assert repr(conv) == repr(usual)
    assert conv.weight.is_meta
    assert conv.weight.shape == usual.weight.shape
    conv.weight = usual.weight
    x = torch.randn(1, 4, 9, 8)
    assert torch.equal(conv(x), usual(x))
