"""Every preset to the last bit as it was recorded: its kernels, its outputs, what it costs.

Weights and input are small whole numbers, so that no machine rounds in another way; averages, whose weights
1/9 are none, are left to their kernels alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tui.analysis.cost import cost_of
from tui.fusion.block import build_block
from tui.fusion.fill import fill_block, make_input
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec, InputFill, WeightFill

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text())


def digest(tensor: Tensor | None) -> str:
    """Of its shape and its numbers in float64; +0 and -0 are one number."""
    if tensor is None:
        return ""
    numbers = (tensor.detach().double() + 0.0).contiguous().flatten()
    raw = bytes(numbers.view(torch.uint8).tolist())
    return hashlib.sha256(str(tuple(tensor.shape)).encode() + raw).hexdigest()[:16]


@torch.no_grad()
def record_of(spec: BlockSpec) -> dict[str, object]:
    spec = replace(spec, weights=WeightFill.INTEGERS, input=InputFill.INTEGERS, input_shape=(10, 9))
    block = fill_block(build_block(spec).double(), spec)
    folded = block.folded()
    cost = cost_of(spec)
    record: dict[str, object] = {
        "kernel": [digest(folded.kernel.weight), digest(folded.kernel.bias)],
        "summands": {
            name: [digest(folds[-1].kernel.weight), digest(folds[-1].kernel.bias)]
            for name, folds in folded.summands
        },
        "cost": [cost.params.unfused, cost.params.fused, cost.macs.unfused, cost.macs.fused],
    }
    if not any("avg" in branch.title for branch in spec.branches):
        x = make_input(spec).double()
        record["outputs"] = [digest(block(x)), digest(block.fuse()(x))]
    return record


@pytest.mark.parametrize("name", RECORDED)
def test_a_preset_is_what_it_was(name: str) -> None:
    assert record_of(PRESETS[name].spec) == RECORDED[name]


def test_what_is_recorded_can_tell_one_weight_from_another() -> None:
    spec = PRESETS["repvgg"].spec
    assert record_of(replace(spec, seed=1)) != RECORDED["repvgg"]
