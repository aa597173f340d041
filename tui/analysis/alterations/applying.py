"""Alterations made true: numbers set in parameters, input and fused kernel, and a mistake in the fusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tui.analysis.alterations.alterations import FUSED, INPUT, Alterations
from tui.fusion.block import ReparamBlock
from tui.fusion.branches import Branch, ConvBranch, SequenceBranch
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.spec import Pair

if TYPE_CHECKING:
    from tui.analysis.study import Study


@dataclass(frozen=True, eq=False)
class Fusion:
    """A block and what it was fused to, rightly or not.

    Attributes:
        block: what runs as the unfused side.
        kernel: of the fused convolution, float64.
        geometry: of the fused convolution.
    """

    block: ReparamBlock
    kernel: Kernel
    geometry: Geometry


def fusion_of(block: ReparamBlock, x: Tensor, alterations: Alterations) -> Fusion:
    """The fusion of the block, with what was altered about it; x is the input that the mistake may look at.

    Raises:
        FusionError: a branch is no convolution, or the mistake can not be made on this block.
    """
    if alterations.mistake:
        from tui.analysis.alterations.wrong_fusion import wrongly_fused

        wrong = wrongly_fused(alterations.mistake, block, x)
        frame = block.kernel().kernel_size
        return Fusion(wrong.block, alter_kernel(wrong.kernel, alterations, frame), wrong.geometry)
    kernel = block.kernel()
    return Fusion(block, alter_kernel(kernel, alterations, kernel.kernel_size), block.geometry)


@torch.no_grad()
def alter_block(block: ReparamBlock, alterations: Alterations) -> ReparamBlock:
    """Set the edited weights and biases of the branches, rounded to the block's dtype; returns the block."""
    tensors = parameters_of(block)
    for edit in alterations.edits:
        if edit.place in tensors:
            tensors[edit.place][edit.index] = _rounded(edit.value, tensors[edit.place])
    return block


def alter_input(x: Tensor, alterations: Alterations) -> Tensor:
    """The input (batch, in_channels, H, W) with the edited elements set, in place; returns it."""
    for edit in alterations.edits:
        if edit.place == INPUT:
            x[edit.index] = _rounded(edit.value, x)
    return x


def _rounded(value: float, like: Tensor) -> Tensor:
    """The number in the dtype of that tensor: infinite where it is too large for it."""
    return torch.tensor(value, dtype=torch.float64).to(like.dtype)


def alter_kernel(kernel: Kernel, alterations: Alterations, frame: Pair) -> Kernel:
    """A fused kernel with the edited weights and biases set: the same one where none was, else a copy.

    The edited taps are those of `frame`, the right kernel's size; a wrong kernel may be smaller.
    """
    edits = [edit for edit in alterations.edits if edit.place.startswith(f"{FUSED}.")]
    if not edits:
        return kernel
    if any(edit.place == f"{FUSED}.weight" for edit in edits):
        kernel = pad_to(kernel, frame)
    weight = kernel.weight.clone()
    bias = weight.new_zeros(len(weight)) if kernel.bias is None else kernel.bias.clone()
    for edit in edits:
        (weight if edit.place == f"{FUSED}.weight" else bias)[edit.index] = edit.value
    unbiased = kernel.bias is None and not bias.any()
    return Kernel(weight, None if unbiased else bias)


def parameters_of(block: ReparamBlock) -> dict[str, Tensor]:
    """The weights and biases of the branches' convolutions by their place, as `shapes_of` names them."""
    found: dict[str, Tensor] = {}
    for branch in block.branches:
        if isinstance(branch, Branch):
            found |= {f"{branch.name}.{part}": tensor for part, tensor in _parameters_of(branch).items()}
    return found


def number_at(study: Study, name: str, index: tuple[int, ...]) -> Tensor:
    """The number, in its dtype, that a study has at a place: of the input, of a branch, of the fused side."""
    fused = pad_to(study.fused.kernel, study.frame)
    tensors = parameters_of(study.block) | {INPUT: study.x, f"{FUSED}.weight": fused.weight}
    if name == f"{FUSED}.bias":
        return fused.weight.new_zeros(()) if fused.bias is None else fused.bias[index]
    return tensors[name].detach()[index]


def _parameters_of(branch: Branch) -> dict[str, Tensor]:
    convs: dict[str, torch.nn.Conv2d] = {}
    if isinstance(branch, ConvBranch):
        convs[""] = branch.conv
    if isinstance(branch, SequenceBranch):
        convs["first."] = branch.first.conv
        if isinstance(branch.second, torch.nn.Conv2d):
            convs[""] = branch.second
    parts = {f"{prefix}weight": conv.weight for prefix, conv in convs.items()}
    return parts | {f"{prefix}bias": conv.bias for prefix, conv in convs.items() if conv.bias is not None}
