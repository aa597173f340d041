"""Batch norms by other names fold as what they are, and their numbers are shared."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.fusion.strategies import with_wild_norms
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError
from tui.fusion.layers import Branch, Convolution, Norm


class Frozen(nn.Module):
    """As torchvision and DETR have it: buffers, and all in its own forward."""

    def __init__(self, channels: int, eps: float, *, tells: bool = True) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        for name in ("weight", "bias", "running_mean", "running_var"):
            values = torch.rand(channels, generator=generator, dtype=torch.float64) + 0.1
            self.register_buffer(name, values)
        self._own = eps
        if tells:
            self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        tensors = (self.get_buffer(name) for name in ("weight", "bias", "running_mean", "running_var"))
        weight, bias, mean, var = (each.view(1, -1, 1, 1) for each in tensors)
        scale = weight * (var + self._own).rsqrt()
        return x * scale + (bias - mean * scale)


def block_with(norm: nn.Module) -> ReparamBlock:
    conv = nn.Conv2d(3, 4, 3, padding=1, bias=False).double()
    return ReparamBlock([Branch("conv", [("conv", Convolution(conv)), ("bn", Norm(norm, 4))])]).eval()


def assert_fuses(norm: nn.Module) -> None:
    block = block_with(norm)
    x = torch.randn(2, 3, 6, 7, dtype=torch.float64)
    conv = next(each for each in block.modules() if isinstance(each, nn.Conv2d))
    torch.testing.assert_close(block.fuse()(x), norm(conv(x)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("eps", "tells"), [(1e-3, True), (1e-5, True), (1e-5, False)])
def test_a_frozen_batch_norm(eps: float, tells: bool) -> None:
    frozen = Frozen(4, eps, tells=tells)
    assert_fuses(frozen)
    block = block_with(frozen)
    before = block.kernel().bias
    frozen.get_buffer("running_mean").add_(1)
    after = block.kernel().bias
    assert before is not None
    assert after is not None
    assert bool((after < before).all()), "its tensors are shared"


def test_one_that_hides_another_eps_is_refused() -> None:
    with pytest.raises(FusionError, match="gives something else than one with eps 1e-05"):
        block_with(Frozen(4, 1e-2, tells=False))


@pytest.mark.parametrize("affine", [True, False])
def test_a_sync_batch_norm(affine: bool) -> None:
    norm = nn.SyncBatchNorm(4, eps=1e-3, affine=affine).double().eval()
    plain = with_wild_norms(nn.Sequential(nn.BatchNorm2d(4, eps=1e-3, affine=affine)).double(), 7).eval()
    norm.load_state_dict(plain[0].state_dict())
    block = block_with(norm)
    conv = next(each for each in block.modules() if isinstance(each, nn.Conv2d))
    x = torch.randn(2, 3, 6, 7, dtype=torch.float64)
    torch.testing.assert_close(block.fuse()(x), plain(conv(x)), rtol=1e-12, atol=1e-12)


def test_a_sync_batch_norm_in_train_mode_is_refused() -> None:
    block = block_with(nn.SyncBatchNorm(4).double())
    block.train()
    with pytest.raises(FusionError, match="train mode"):
        block.fuse()


def test_another_norm_is_refused_by_its_name() -> None:
    with pytest.raises(FusionError, match="GroupNorm cannot be folded"):
        block_with(nn.GroupNorm(2, 4).double()).fuse()
