"""timm's own models: our fused state_dict loads strictly into the model that timm re-parameterizes itself.

Skipped without timm. PYTHONPATH may hold a folder with it (`pip install --target`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.checkpoints.families.held_against import recognised
from tests.oracles.test_timm import declare_missing_operators
from tui.checkpoints.building import block_of, fused_tensors

MODELS = {
    "repvgg_a0": {"RepVGG (timm)": 22},
    "repvgg_b1g4": {"RepVGG (timm)": 28},
    "mobileone_s0": {"MobileOne (timm)": 43},
    "fastvit_t8": {"RepMixer (timm)": 10, "MobileOne (timm)": 7, "FastViT large kernel (timm)": 3},
    "repvit_m1": {"RepViT (m1 to m3)": 23, "Conv2d_BN": 60, "RepViT two heads (timm)": 1},
    "repvit_m1_0": {"RepViT": 23, "Conv2d_BN": 60, "RepViT two heads (timm)": 1},
    "repghostnet_100": {"RepGhost": 32},
    "ghostnetv3_100": {
        "GhostNetV3 primary (timm)": 32,
        "GhostNetV3 cheap (timm)": 32,
        "GhostNetV3 dw (timm)": 4,
    },
    "shvit_s1": {"Conv2d_BN": 58, "Residual of a depthwise conv": 15, "BN_Linear": 1},
    "lcnetv2_base": {"PP-LCNetV2": 8},
}


@pytest.fixture(scope="module")
def timm() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        declare_missing_operators()
        yield pytest.importorskip("timm", exc_type=ImportError)


@torch.no_grad()
def with_usual_norms(model: nn.Module) -> nn.Module:
    """Statistics that differ in each channel, and not so wildly that fifty layers in a row overflow."""
    generator = torch.Generator().manual_seed(0)
    for norm in model.modules():
        if isinstance(norm, (nn.BatchNorm2d, nn.BatchNorm1d)):
            for tensor, low, high in (
                (norm.running_mean, -0.2, 0.2),
                (norm.running_var, 0.5, 1.5),
                (norm.weight, 0.5, 1.5),
                (norm.bias, -0.2, 0.2),
            ):
                assert tensor is not None
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return model.double().eval()


def fused_state(state: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, int]]:
    """The state_dict with its blocks fused, and how many there were of each family."""
    found = recognised(state)
    assert found.left_alone == ()
    fused = {name: state[name] for name in found.rest}
    counts: dict[str, int] = {}
    for block in found.blocks:
        counts[block.family] = counts.get(block.family, 0) + 1
        fused |= fused_tensors(block, block_of(block, state.__getitem__))
    return fused, counts


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_a_model_of_timm(timm: Any, name: str) -> None:
    if name not in timm.list_models():
        pytest.skip(f"timm {timm.__version__} has no {name}")
    torch.manual_seed(0)
    model = with_usual_norms(timm.create_model(name, num_classes=10))
    reparameterize: Callable[..., nn.Module] = timm.utils.reparameterize_model
    theirs = reparameterize(model).double()
    fused, counts = fused_state(dict(model.state_dict()))
    assert counts == MODELS[name]
    own = theirs.state_dict()
    assert set(fused) == set(own)
    for key, tensor in own.items():
        # timm makes the fused convolutions of RepViT and SHViT in float32, whatever the model is in.
        tolerance = 1e-6 if name.startswith(("repvit", "shvit")) else 1e-12
        size = max(1.0, float(tensor.abs().max()))
        torch.testing.assert_close(fused[key], tensor, rtol=0, atol=tolerance * size, msg=key)
    theirs.load_state_dict(fused, strict=True)
    x = torch.randn(1, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    if name == "fastvit_t8":
        x = nn.functional.interpolate(x, scale_factor=2)
    expected = model(x)
    torch.testing.assert_close(theirs(x), expected, rtol=0, atol=1e-11 * float(expected.abs().max()))
