"""timm's models as an oracle: fuse_model fuses all that reparameterize_model fuses. Skipped without timm."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.fusion.strategies import with_wild_norms
from tests.oracles.test_timm import declare_missing_operators
from tui.modules.whole.model import fuse_model

MODELS = (
    "repvgg_a0",
    "mobileone_s0",
    "fastvit_t8",
    "repvit_m1_0",
    "repghostnet_100",
    "ghostnetv3_100",
)


@pytest.fixture(scope="module")
def timm() -> Any:
    """timm, and what fuses its own models."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        declare_missing_operators()
        return pytest.importorskip("timm", exc_type=ImportError)


def count(model: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in model.modules())


def image(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_all_that_timm_fuses_is_fused(timm: Any, name: str) -> None:
    torch.manual_seed(0)
    model = timm.create_model(name)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):  # mild: of 226 wild ones in a row no number is left
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 1.5)
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.normal_(0, 0.3)
    model = model.double().eval()
    theirs = timm.utils.reparameterize_model(model)
    fused, report = fuse_model(model, image(1, 3, 64, 64))
    assert count(fused, nn.Conv2d) <= count(theirs, nn.Conv2d)
    assert count(fused, nn.BatchNorm2d) <= count(theirs, nn.BatchNorm2d)
    assert report.apart <= 1e-9 * report.largest
    x = image(2, 3, 96, 80)
    expected = model(x)
    torch.testing.assert_close(fused(x), expected, rtol=0, atol=1e-9 * float(expected.abs().max()))


@torch.no_grad()
def test_where_timm_s_own_fuser_fails(timm: Any) -> None:
    """checkpoints.md: GhostNetV3's primary 1x1 with an identity comes out of timm in another shape."""
    ghostnet = importlib.import_module("timm.models.ghostnet")

    torch.manual_seed(0)
    model = with_wild_norms(ghostnet.GhostModuleV3(8, 16, kernel_size=1)).double().eval()
    fused, report = fuse_model(model, image(1, 8, 12, 12))
    assert len(report.fused) >= 2
    expected = model(image(2, 8, 9, 9))
    torch.testing.assert_close(
        fused(image(2, 8, 9, 9)), expected, rtol=0, atol=1e-9 * float(expected.abs().max())
    )
