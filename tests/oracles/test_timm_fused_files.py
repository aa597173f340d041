"""timm as an oracle of whole files: ours loads strictly into its re-parameterized model, with its weights."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.checkpoints.samples import library_save
from tests.fusion.strategies import with_wild_norms
from tests.oracles.test_timm import timm
from tui.checkpoints.comparison.compared import ComparedCheckpoint
from tui.checkpoints.comparison.comparing import compare
from tui.checkpoints.conversion.fused import FusedCheckpoint
from tui.checkpoints.conversion.fused_writing import write_fused
from tui.checkpoints.conversion.fusing import Wishes, fuse
from tui.checkpoints.opening import open_checkpoint
from tui.checkpoints.recognising import recognise

__all__ = ["timm"]

MODELS = (
    "repvgg_a0",
    "repvgg_b1g4",
    "mobileone_s0",
    "fastvit_t8",
    "repvit_m1_0",
    "repghostnet_100",
    "ghostnetv3_100",
)
CLOSE = 1e-12
"""Of the largest number of a tensor: both fold in float64."""
ROUNDED = {"repvit_m1_0": 2.0**-23}
"""Where timm puts what it folded in float64 into convolutions of float32."""


def trained(name: str) -> nn.Module:
    """The model as training leaves it, in float64: every batch norm random, and every other number."""
    import timm as library  # type: ignore[import-not-found]

    torch.manual_seed(0)
    model: nn.Module = library.create_model(name).double().eval()
    with torch.no_grad():
        with_wild_norms(model)
        for parameter in model.parameters():
            if parameter.dim() == 0 or bool((parameter == parameter.flatten()[0]).all()):
                parameter.copy_(torch.rand_like(parameter) + 0.5)  # layer scales, biases of zero
    return model


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.usefixtures("timm")
def test_the_fused_file_is_what_timm_makes(tmp_path: Path, name: str) -> None:
    from timm.utils import reparameterize_model  # type: ignore[import-not-found]

    model = trained(name)
    path, target = tmp_path / "in.safetensors", tmp_path / "out.safetensors"
    library_save(path, {key: each.detach().contiguous() for key, each in model.state_dict().items()})
    with open_checkpoint(path) as source:
        found = recognise(source.entries)
        *_, fused = fuse(source, found, Wishes(on_image=False, jobs=2))
        assert isinstance(fused, FusedCheckpoint)
        assert fused.wrong == ()
        write_fused(source, fused, target)
    theirs: Any = reparameterize_model(copy.deepcopy(model))
    expected = {key: each.detach().clone() for key, each in theirs.state_dict().items()}
    given = tmp_path / "theirs.safetensors"
    library_save(given, {key: each.contiguous() for key, each in expected.items()})
    with open_checkpoint(path) as source, open_checkpoint(given) as other:
        *_, compared = compare(source, found, other)
        assert isinstance(compared, ComparedCheckpoint)
        assert compared.agrees, [block.sentence for block in compared.wrong][:3]
    with open_checkpoint(target) as output:
        made = {key: output.tensor(key) for key in output.entries}
    assert set(made) == set(expected), [(each.prefix, each.reason) for each in found.left_alone][:5]
    theirs.load_state_dict(made, strict=True)
    for key, tensor in expected.items():
        size = float(tensor.double().abs().max()) if tensor.numel() else 0.0
        assert float((made[key].double() - tensor.double()).abs().max()) <= ROUNDED.get(name, CLOSE) * size, (
            key
        )
