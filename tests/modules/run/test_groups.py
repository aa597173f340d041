"""convolved(): the same as torch's own convolution, whose groups in float64 run one by one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tui.modules.run.groups import convolved


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(
    "settings",
    [
        {"padding": 1},
        {"padding": "same", "dilation": (1, 2), "bias": False},
        {"stride": (2, 3), "padding": (2, 0), "dilation": 2},
        {"padding": 1, "padding_mode": "reflect"},
        {"padding": "same", "padding_mode": "circular"},
    ],
    ids=["usual", "same", "strided", "reflect", "circular"],
)
@pytest.mark.parametrize("most", [1 << 20, 0], ids=["in windows", "too large"])
def test_it_is_what_torch_gives(
    settings: dict[str, Any], groups: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.modules.run.groups._MOST_NUMBERS", most)
    generator = torch.Generator().manual_seed(4)
    conv = nn.Conv2d(4, 8, (3, 2), groups=groups, **settings).double()
    x = torch.randn(2, 4, 7, 8, dtype=torch.float64, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(convolved(conv, x), conv(x), rtol=0, atol=1e-13)
