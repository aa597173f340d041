"""A block that exists already, with numbers of its own, as a file or a module would bring it."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from tui.analysis.origin import Origin
from tui.fusion.block import ReparamBlock
from tui.fusion.layers import Branch, Convolution, Identity, Norm
from tui.fusion.specs.block_spec import BlockSpec, Dtype, InputFill
from tui.fusion.specs.geometry import Geometry
from tui.fusion.structure import structure_of
from tui.fusion.torch_dtypes import torch_dtype


class GivenBlock(Origin):
    """RepVGG's block of two channels: whole weights, and statistics that a batch norm folds exactly."""

    def __init__(self) -> None:
        self.title = "stage1.0"
        self.container = "model.safetensors"
        self.remarks = ("RepVGG", "eps 1e-5 assumed")
        dense = nn.Conv2d(2, 2, 3, padding=1, bias=False)
        dense.weight = nn.Parameter(torch.arange(36.0).view(2, 2, 3, 3) - 18)
        branches = [
            Branch("rbr_dense", [("conv", Convolution(dense)), ("bn", Norm(_norm(1.0), 2))]),
            Branch("rbr_identity", [("identity", Identity(2)), ("bn", Norm(_norm(2.0), 2))]),
        ]
        self.module = ReparamBlock(branches, Geometry()).eval()
        structure = structure_of(self.module, torch.zeros(1, 2, 5, 5))
        self.spec = replace(structure, input=InputFill.INTEGERS, dtype=Dtype.FLOAT32)
        self.reached: Tensor | None = None

    def block(self, spec: BlockSpec) -> ReparamBlock:
        """A copy of it."""
        return copy.deepcopy(self.module).to(torch_dtype(spec.dtype))

    def input(self, spec: BlockSpec) -> Tensor | None:
        """What the test says."""
        return None if self.reached is None else self.reached.to(torch_dtype(spec.dtype))


def _norm(beta: float) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(2, eps=0.25)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        norm.running_mean.copy_(torch.tensor([2.0, -4.0]))
        norm.running_var.copy_(torch.tensor([0.75, 3.75]))
        norm.weight.copy_(torch.tensor([2.0, 4.0]))
        norm.bias.fill_(beta)
    return norm
