"""Nets of a few blocks each, as they are trained and as they are deployed, and files of their state_dicts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import ready
from tests.checkpoints.families.parts import ConvNorm, Parallel
from tests.checkpoints.families.repvgg_modules import MOBILEONE_NAMES, REPVGG_NAMES, mobileone, repvgg
from tests.checkpoints.families.test_diverse_branch import DBB
from tests.checkpoints.samples import library_save

FUSED_NAMES = {names[0]: names[-1] for names in (*REPVGG_NAMES.values(), *MOBILEONE_NAMES.values())} | {
    "dbb_origin": "dbb_reparam"
}
"""By the first branch's name, what the fused convolution is called."""
BLOCKS = ("stem", "body.0", "body.1", "body.2")


class Net(nn.Module):
    """Four blocks of three families, a convolution that is none, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = repvgg("RepVGG", 3, 8, stride=2)
        self.body = nn.Sequential(
            repvgg("RepVGG", 8, 8, groups=2),
            mobileone("MobileOne (timm)", 8, 8, 3, groups=8),
            DBB((8, 8), 3, 1, None),
        )
        self.neck = ConvNorm(8, 6, 1, names=("plain", "plain_norm"))
        self.head = nn.Linear(6, 4)
        self.register_buffer("seen", torch.tensor(7))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        for block in self.body:
            x = torch.relu(block(x))
        y: Tensor = self.head(self.neck(x).mean(dim=(2, 3)))
        return y


def trained(dtype: torch.dtype = torch.float32, seed: int = 0) -> Net:
    """In eval mode, with random statistics."""
    net = ready(Net(), seed).to(dtype)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.num_batches_tracked is not None
            module.num_batches_tracked += 100
    return net


def deployed(net: Net) -> Net:
    """The same net with one convolution for each block, of other numbers."""
    made = Net()
    made.stem = _fused(net.stem, 3, stride=2, groups=1)
    made.body = nn.Sequential(
        *(_fused(block, 8, 1, groups) for block, groups in zip(net.body, (2, 8, 1), strict=True))
    )
    return made.to(net.head.weight.dtype).eval()


def _fused(block: nn.Module, in_channels: int, stride: int, groups: int) -> Parallel:
    name = FUSED_NAMES[next(iter(block._modules))]
    return Parallel(**{name: nn.Conv2d(in_channels, 8, 3, stride, 1, groups=groups)})


def wrapped(state: Mapping[str, Tensor], wrapper: str) -> dict[str, Any]:
    """The state_dict under that key, and what training programs keep beside it."""
    return {"epoch": 3, wrapper: OrderedDict(state), "optimizer": {"lr": 0.1}}


def saved(folder: Path, state: Mapping[str, Tensor], suffix: str, name: str = "in") -> Path:
    """The file, written by the format's own library."""
    path = folder / f"{name}{suffix}"
    if suffix == ".safetensors":
        library_save(
            path, {key: tensor.contiguous() for key, tensor in state.items()}, {"format": "pt", "by": "us"}
        )
    else:
        torch.save(dict(state), path)
    return path


def loaded(path: Path) -> dict[str, Tensor]:
    """What the format's own library reads, in the file's order."""
    if path.suffix != ".safetensors":
        made: dict[str, Tensor] = torch.load(path, weights_only=True)
        return made
    from safetensors.torch import load

    return load(path.read_bytes())
