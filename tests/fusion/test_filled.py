"""Modules that are copied from others of the same settings are torch's own, and share nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tui.fusion.filled import batch_norm2d_of, conv2d_of


@pytest.mark.parametrize("bias", [True, False])
def test_a_convolution(bias: bool) -> None:
    arguments: dict[str, Any] = {
        "stride": (2, 1),
        "padding": (1, 2),
        "dilation": (1, 2),
        "groups": 2,
        "padding_mode": "reflect",
    }
    usual = nn.Conv2d(4, 6, (3, 5), **arguments, bias=bias).eval()
    weight, shift = usual._parameters["weight"], usual._parameters["bias"]
    assert weight is not None
    conv = conv2d_of(weight, shift, **arguments)
    other = conv2d_of(nn.Parameter(torch.ones(8, 1, 3, 5)), None, **arguments)
    assert repr(conv) == repr(usual)
    assert {name: value for name, value in vars(conv).items() if name != "_parameters"} == {
        name: value for name, value in vars(usual).items() if name != "_parameters"
    }
    x = torch.randn(1, 4, 9, 12)
    assert torch.equal(conv(x), usual(x))
    conv.register_forward_hook(lambda *_: None)
    assert not other._forward_hooks
    assert other.weight is not conv.weight


@pytest.mark.parametrize("affine", [True, False])
def test_a_batch_norm(affine: bool) -> None:
    usual = nn.BatchNorm2d(4, eps=1e-3, affine=affine).eval()
    mean, var = torch.randn(4), torch.rand(4) + 0.5
    usual.running_mean, usual.running_var, usual.num_batches_tracked = mean, var, None
    norm = batch_norm2d_of(usual._parameters["weight"], usual._parameters["bias"], mean, var, 1e-3)
    assert repr(norm) == repr(usual)
    assert set(vars(norm)) == set(vars(usual))
    x = torch.randn(2, 4, 3, 3)
    assert torch.equal(norm(x), usual(x))
    norm.register_buffer("another", mean)
    assert "another" not in dict(batch_norm2d_of(None, None, mean, var, 1e-3).named_buffers())
