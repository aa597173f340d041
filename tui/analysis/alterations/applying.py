"""Alterations made true: numbers set in parameters, input and fused kernel, and a mistake in the fusion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from tui.analysis.alterations.alterations import (
    FUSED,
    INPUT,
    Alterations,
    Edit,
    same_number,
)
from tui.analysis.alterations.editable import place_of
from tui.analysis.alterations.fusion import Fusion
from tui.fusion.block import Folded, ReparamBlock
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.layers import Branch, Layer
from tui.fusion.layers.rescaling import norm_numbers
from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.branch_spec import POST_NORM


def fusion_of(block: ReparamBlock, folded: Folded, x: Tensor, alterations: Alterations) -> Fusion:
    """The fusion of the block, which comes to `folded`, with what was altered about it.

    x: the input, (batch, in_channels, H, W), that the mistake may look at.

    Raises:
        FusionError: a branch is not a convolution, or the mistake cannot be made on this block.
    """
    if alterations.mistake:
        from tui.analysis.alterations.wrong_fusion import wrongly_fused

        fusion = wrongly_fused(alterations.mistake, block, x, folded)
    else:
        fusion = Fusion(block, folded.kernel, block.geometry)
    edits = [edit for edit in alterations.edits if edit.is_of(FUSED)]
    if not edits:
        return fusion
    frame = folded.kernel.kernel_size
    there = _tensors_of(pad_to(fusion.kernel.to(block.dtype), frame))
    taken = taking_effect(Alterations(tuple(edits)), there).edits
    return replace(fusion, kernel=alter_kernel(fusion.kernel, taken, frame), edits=taken)


def taking_effect(alterations: Alterations, tensors: Mapping[str, Tensor]) -> Alterations:
    """Without the edits that set the number that is there already, the others with the value as it is set.

    A value is rounded to the dtype before it is compared; NaN is the same number as NaN. Edits of places that
    are not among `tensors` stay as they are.
    """
    edits = (
        _taking_effect(edit, tensors[edit.place]) if edit.place in tensors else edit
        for edit in alterations.edits
    )
    return replace(alterations, edits=tuple(edit for edit in edits if edit is not None))


def _taking_effect(edit: Edit, tensor: Tensor) -> Edit | None:
    there, value = float(tensor.detach()[edit.index]), float(_rounded(edit.value, tensor))
    return None if same_number(value, there) else replace(edit, value=value)


def sets_another(value: float, number: Tensor) -> bool:
    """Whether that value, rounded to the number's dtype, is another number."""
    return _taking_effect(Edit("", (), value), number) is not None


@torch.no_grad()
def alter_block(block: ReparamBlock, alterations: Alterations) -> ReparamBlock:
    """Set the edited numbers of the branches, rounded to the block's dtype; returns the block."""
    tensors, norms = parameters_of(block), _norms_of(block)
    for edit in alterations.edits:
        if edit.place in tensors:
            tensors[edit.place][edit.index] = _rounded(edit.value, tensors[edit.place])
        if edit.place in norms:
            norms[edit.place].eps = edit.value
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


def alter_kernel(kernel: Kernel, edits: Sequence[Edit], frame: Pair) -> Kernel:
    """A fused kernel with the edited weights and biases set: the same one where none was, else a copy.

    The edited taps are those of `frame`, the right kernel's size; a wrong kernel may be smaller.
    """
    if not edits:
        return kernel
    if any(edit.place == f"{FUSED}.weight" for edit in edits):
        kernel = pad_to(kernel, frame)
    altered = {place: tensor.clone() for place, tensor in _tensors_of(kernel).items()}
    for edit in edits:
        altered[edit.place][edit.index] = edit.value
    weight, bias = altered[f"{FUSED}.weight"], altered[f"{FUSED}.bias"]
    unbiased = kernel.bias is None and not bias.any()
    return Kernel(weight, None if unbiased else bias)


def _tensors_of(fused: Kernel) -> dict[str, Tensor]:
    """Its weight and its bias, zeros where it has none, by their place."""
    weight, bias = fused.weight, fused.bias
    zeros = weight.new_zeros(len(weight)) if bias is None else bias
    return {f"{FUSED}.weight": weight, f"{FUSED}.bias": zeros}


def parameters_of(block: ReparamBlock) -> dict[str, Tensor]:
    """The numbers of the branches and of the post norm by their place, as `shapes_of` names them.

    All but eps are the block's own tensors; an eps is no tensor in torch, and stands here as a copy (1,).
    """
    found = {
        place: tensor
        for branch in block.branches
        for layer, places in _places_in(branch)
        for place, tensor in zip(places, layer.numbers().values(), strict=True)
    }
    post = norm_numbers(block.post_norm)
    return found | {f"{POST_NORM}.{part}": tensor for part, tensor in post.items()}


def _places_in(branch: Branch) -> Iterator[tuple[Layer, list[str]]]:
    """Each layer of a branch, those inside of sums too, and the places of its numbers in their order."""
    among = [name for name, _ in branch.all_layers()]
    for name, layer in branch.all_layers():
        yield layer, [place_of(branch.name, name, tensor, among) for tensor in layer.numbers()]


def _norms_of(block: ReparamBlock) -> dict[str, nn.BatchNorm2d]:
    """The batch norms by the places of their eps."""
    found = {
        place: layer.batch_norm
        for branch in block.branches
        for layer, places in _places_in(branch)
        for place in places
        if layer.batch_norm is not None and place.endswith(".eps")
    }
    post = block.post_norm
    return found | ({f"{POST_NORM}.eps": post} if isinstance(post, nn.BatchNorm2d) else {})
