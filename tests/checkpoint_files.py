"""Checkpoints of small whole numbers, written by the formats' own libraries, for tests of the screens."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from tests.checkpoints.samples import library_save

CHANNELS = 4
EXACT_EPS = 0.75
"""With it each variance is a power of four."""


def conv(out_channels: int, in_channels: int, size: int, start: int) -> Tensor:
    """A weight of small whole numbers, no two kernels alike."""
    numbers = torch.arange(out_channels * in_channels * size * size)
    weight = (numbers * 5 + start) % 13 - 6
    return weight.float().view(out_channels, in_channels, size, size)


def norm(channels: int, start: int) -> dict[str, Tensor]:
    """A batch norm that with EXACT_EPS is folded without any rounding."""
    place = torch.arange(channels) + start
    return {
        "weight": (place % 3 + 1).float(),
        "bias": (place % 5 - 2).float(),
        "running_mean": (place % 4 - 1).float(),
        "running_var": 4.0 ** (place % 3) - EXACT_EPS,
        "num_batches_tracked": torch.tensor(100),
    }


def repvgg(
    prefix: str, channels: int = CHANNELS, *, identity: bool = True, start: int = 0
) -> dict[str, Tensor]:
    """RepVGG's block in its authors' names."""
    norms = {"rbr_dense.bn": 0, "rbr_1x1.bn": 1} | ({"rbr_identity": 2} if identity else {})
    state = {
        "rbr_dense.conv.weight": conv(channels, channels, 3, start),
        "rbr_1x1.conv.weight": conv(channels, channels, 1, start + 3),
    }
    for name, place in norms.items():
        state |= {f"{name}.{key}": value for key, value in norm(channels, start + place).items()}
    return {f"{prefix}.{name}": value for name, value in state.items()}


def mobileone(prefix: str, channels: int = CHANNELS, *, start: int = 0) -> dict[str, Tensor]:
    """A depthwise block of MobileOne in timm's names, of two convolutions and the identity."""
    state: dict[str, Tensor] = {}
    for place in range(2):
        state[f"conv_kxk.{place}.conv.weight"] = conv(channels, 1, 3, start + place)
        state |= {f"conv_kxk.{place}.bn.{key}": value for key, value in norm(channels, start + place).items()}
    state |= {f"identity.{key}": value for key, value in norm(channels, start).items()}
    return {f"{prefix}.{name}": value for name, value in state.items()}


def model() -> dict[str, Tensor]:
    """Three blocks of two families, one that is left alone, a head with a NaN, names that are not tame."""
    return {
        "stem.conv.weight": conv(CHANNELS, 3, 3, 0),
        **repvgg("stages.0.0", identity=False),
        **repvgg("stages.0.1", start=2),
        **mobileone("stages.1.0", start=4),
        "stages.1.1.rbr_dense.conv.weight": conv(CHANNELS, CHANNELS, 3, 7),
        "head.[bold]fc[/].weight": conv(3, CHANNELS, 1, 1).view(3, CHANNELS),
        "head.\x1b[31mfc\n.bias": torch.tensor([1.0, float("nan"), -2.0]),
        "step": torch.tensor(1200),
    }


def write(path: Path, state: dict[str, Tensor] | None = None) -> Path:
    """The model, or this state_dict, as a safetensors file or one of torch, as its name says."""
    tensors = model() if state is None else state
    if path.suffix == ".safetensors":
        library_save(path, tensors, {"format": "pt"})
    else:
        torch.save({"state_dict": tensors, "epoch": 3}, path)
    return path
