"""Fuses a block wrongly in each way of the gallery: what is run, and the kernel that it is compared with."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from operator import add as add_up

import torch
from torch import Tensor, nn

from tui.analysis.alterations.count_inside import InsideAverage
from tui.analysis.alterations.fusion import Fusion
from tui.analysis.alterations.gallery import MISTAKES, obstacle
from tui.analysis.alterations.variances import unbiased, values_seen, with_variances_times
from tui.fusion.block import Folded, ReparamBlock
from tui.fusion.kernel import FusionError, Kernel, add, pad_to
from tui.fusion.layers import (
    Average,
    Branch,
    Convolution,
    Factor,
    Identity,
    Layer,
    Norm,
    OffsetConvolution,
)
from tui.fusion.specs.block_spec import BlockSpec, Pair
from tui.fusion.specs.layer_spec import USUAL_EPS, YOLO_EPS
from tui.fusion.specs.padding import centre, same_border
from tui.fusion.structure import structure_of
from tui.fusion.unfilled_conv import unfilled_conv2d

_Maker = Callable[[ReparamBlock, Folded], Fusion]
_Edit = Callable[[ReparamBlock], None]


def wrongly_fused(
    name: str,
    block: ReparamBlock,
    x: Tensor,
    folded: Folded | None = None,
    structure: BlockSpec | None = None,
) -> Fusion:
    """The block fused with the mistake of that name; the block itself stays as it is.

    x is the input that both sides will see, (batch, in_channels, H, W); only its shape counts. It says how
    many values of a channel a batch norm sees, for the mistake that needs to know.
    `folded`: what the block comes to; it is folded where that is not known yet.
    `structure`: that of the block on this input, likewise.

    Raises:
        FusionError: this mistake cannot be made on this block, or the block cannot be fused at all.
        KeyError: no mistake has that name.
    """
    hindrance = obstacle(name, structure or structure_of(block, x))
    if hindrance is not None:
        raise FusionError(hindrance)
    if name == "var-unbiased":
        wrong = with_variances_times(block, *map(unbiased, values_seen(block, x)))
        return Fusion(block, wrong.kernel(), block.geometry)
    return _MAKERS[name](block, folded or block.folded())


def _fused_after(edit: _Edit) -> _Maker:
    """The kernel is that of a copy of the block on which the edit was made."""

    def make(block: ReparamBlock, _: Folded) -> Fusion:
        edited = copy.deepcopy(block).double()
        with torch.no_grad():
            edit(edited)
        return Fusion(block, edited.kernel(), edited.geometry)

    return make


def _run_after(edit: _Edit) -> _Maker:
    """The kernel is right; what is run is a copy of the block on which the edit was made."""

    def make(block: ReparamBlock, folded: Folded) -> Fusion:
        edited = copy.deepcopy(block)
        edit(edited)
        return Fusion(edited, folded.kernel, block.geometry)

    return make


def _with_kernel(change: Callable[[Kernel], Kernel]) -> _Maker:
    """The kernel is the right one, changed."""
    return lambda block, folded: Fusion(block, change(folded.kernel), block.geometry)


def _with_summands(chosen: Callable[[Branch], bool], change: Callable[[Kernel, Pair], Kernel]) -> _Maker:
    """The kernel is the sum in which those of the chosen branches are changed, given the sum's (kH, kW)."""

    def make(block: ReparamBlock, folded: Folded) -> Fusion:
        kernels = [folds[-1].kernel for _, folds in folded.summands]
        frame = folded.kernel.kernel_size
        for place, branch in enumerate(block.branches):
            if chosen(branch):
                kernels[place] = change(kernels[place], frame)
        return Fusion(block, add(kernels), block.geometry)

    return make


def _is_pointwise(branch: Branch) -> bool:
    only = branch.layers[branch.main]
    return branch.main == 0 and isinstance(only, Convolution) and only.kernel_size == (1, 1)


def _is_identity(branch: Branch) -> bool:
    return branch.main == 0 and isinstance(branch.layers[0], Identity)


def _only_tap(kernel: Kernel) -> Tensor:
    """The weight of a kernel of one tap, which may stand among zeros already, (out, in / groups, 1, 1)."""
    return kernel.weight.sum(dim=(2, 3), keepdim=True)


def _at_every_tap(kernel: Kernel, frame: Pair) -> Kernel:
    return Kernel(_only_tap(kernel).expand(-1, -1, *frame).clone(), kernel.bias)


def _off_centre(kernel: Kernel, frame: Pair) -> Kernel:
    weight = kernel.weight.new_zeros((*kernel.weight.shape[:2], *frame))
    row, column = (min(centre(size) + 1, size - 1) for size in frame)
    weight[:, :, row, column] = _only_tap(kernel)[:, :, 0, 0]
    return Kernel(weight, kernel.bias)


def _missing(kernel: Kernel, _frame: Pair) -> Kernel:
    return Kernel(torch.zeros_like(kernel.weight), None)


def _twice(kernel: Kernel, _frame: Pair) -> Kernel:
    return Kernel(kernel.weight * 2, None if kernel.bias is None else kernel.bias * 2)


def _without_bias(kernel: Kernel) -> Kernel:
    return Kernel(kernel.weight, None)


def _first_group_only(kernel: Kernel, _frame: Pair) -> Kernel:
    """Row i has its entry at column i; rows beyond the columns have none."""
    weight = kernel.weight.clone()
    weight[weight.shape[1] :] = 0
    return Kernel(weight, kernel.bias)


def _norms(block: ReparamBlock) -> Iterator[nn.BatchNorm2d]:
    return (module for module in block.modules() if isinstance(module, nn.BatchNorm2d))


def _layers(block: ReparamBlock) -> Iterator[Layer]:
    return (layer for branch in block.branches for _, layer in branch.all_layers())


def _convs(block: ReparamBlock) -> Iterator[tuple[nn.Conv2d, nn.Module | None]]:
    """Each convolution and the batch norm right after it."""
    for branch in block.branches:
        behind = (*branch.layers[1:], None)
        for layer, after in zip(branch.layers, behind, strict=True):
            if isinstance(layer, Convolution):
                yield layer.conv, after.norm if isinstance(after, Norm) else None


def _drop_identity_norms(block: ReparamBlock) -> None:
    for branch in filter(_is_identity, block.branches):
        _drop_layers(branch, Norm)


def _drop_layers(branch: Branch, kind: type[Layer]) -> None:
    """Take the layers of that kind out of the branch."""
    for layer in branch.layers:
        if isinstance(layer, kind):
            delattr(branch, layer.name)


def _move_biases_behind_norms(block: ReparamBlock) -> None:
    for conv, norm in _convs(block):
        if conv.bias is not None and isinstance(norm, nn.BatchNorm2d):
            beta = conv.bias if norm.bias is None else norm.bias + conv.bias
            norm.bias = nn.Parameter(beta.clone())
            conv.bias = None


def _drop_conv_biases(block: ReparamBlock) -> None:
    for layer in _layers(block):
        if isinstance(layer, Convolution):
            layer.conv.bias = None


def _forget_means(block: ReparamBlock) -> None:
    for norm in _norms(block):
        if norm.running_mean is not None:
            norm.running_mean.zero_()


def _divide_by_variances(block: ReparamBlock) -> None:
    """One root less: gamma / sqrt(var + eps) in the place of gamma is divided by the other root."""
    for norm in _norms(block):
        if norm.running_var is not None:
            root = torch.sqrt(norm.running_var + norm.eps)
            norm.weight = nn.Parameter(1 / root if norm.weight is None else norm.weight / root)


def _exchange_eps(block: ReparamBlock) -> None:
    for norm in _norms(block):
        norm.eps = USUAL_EPS if norm.eps == YOLO_EPS else YOLO_EPS


def title_in(block: ReparamBlock, name: str) -> str:
    """What a mistake of the gallery is called where it was made on that block."""
    if name == "eps-1e-3" and all(norm.eps == YOLO_EPS for norm in _norms(block)):
        return "eps 1e-5 for 1e-3"
    return MISTAKES[name].title


def _train(block: ReparamBlock) -> None:
    block.train()
    for norm in _norms(block):
        norm.momentum = 0.0  # the running statistics stay: a second run gives what the first gave


def _pad_zeros_between(block: ReparamBlock) -> None:
    for branch in block.branches:
        if branch.main > 0:
            branch.zeros_between = True


def _drop_dilations(block: ReparamBlock, _: Folded) -> Fusion:
    """With the padding made to fit: about the centre of what the right kernel reads."""
    edited = copy.deepcopy(block).double()
    edited.geometry = replace(block.geometry, dilation=(1, 1), border=None)
    for branch in edited.branches:
        branch.own_border = None
    for layer in _layers(edited):
        layer.dilation = (1, 1)
    kernel, geometry = edited.kernel(), edited.geometry
    if block.geometry.border is not None:
        kernel = pad_to(kernel, block.frame.extent)
    return Fusion(block, kernel, replace(geometry, border=block.geometry.border))


def _count_inside_only(block: ReparamBlock) -> None:
    for branch in block.branches:
        more = [
            own - same
            for own, same in zip(branch.border, same_border(branch.kernel_size, branch.dilation), strict=True)
        ]
        for _, layer in branch.all_layers():
            if isinstance(layer, Average):
                left, right, top, bottom = map(add_up, same_border(layer.kernel_size), more)
                layer.pool = InsideAverage(layer.kernel_size, layer.stride, (left, right, top, bottom))


def _forget_idconv_identity(block: ReparamBlock) -> None:
    for branch in block.branches:
        for layer in branch.layers:
            if isinstance(layer, OffsetConvolution):
                stored = layer.conv
                plain = unfilled_conv2d(stored.in_channels, stored.out_channels, 1, groups=stored.groups)
                plain.weight, plain.bias = stored.weight, stored.bias
                branch.replace_layer(layer.name, Convolution(plain))


def _forget_scales(block: ReparamBlock) -> None:
    for branch in block.branches:
        _drop_layers(branch, Factor)


def _forget_post_norm(block: ReparamBlock) -> None:
    block.post_norm = None


_MAKERS: Mapping[str, _Maker] = {
    "1x1-unpadded": _with_summands(_is_pointwise, _at_every_tap),
    "1x1-off-centre": _with_summands(_is_pointwise, _off_centre),
    "1x1-missing": _with_summands(_is_pointwise, _missing),
    "1x1-bias-lost": _with_summands(_is_pointwise, lambda kernel, _: _without_bias(kernel)),
    "identity-off-centre": _with_summands(_is_identity, _off_centre),
    "identity-missing": _with_summands(_is_identity, _missing),
    "identity-twice": _with_summands(_is_identity, _twice),
    "identity-column": _with_summands(_is_identity, _first_group_only),
    "identity-norm-lost": _fused_after(_drop_identity_norms),
    "channels-transposed": _with_kernel(
        lambda kernel: Kernel(kernel.weight.transpose(0, 1).contiguous(), kernel.bias)
    ),
    "taps-transposed": _with_kernel(
        lambda kernel: Kernel(kernel.weight.transpose(2, 3).contiguous(), kernel.bias)
    ),
    "flipped": _with_kernel(lambda kernel: Kernel(kernel.weight.flip(2, 3), kernel.bias)),
    "bias-unscaled": _fused_after(_move_biases_behind_norms),
    "conv-bias-dropped": _fused_after(_drop_conv_biases),
    "bias-lost": _with_kernel(_without_bias),
    "mean-ignored": _fused_after(_forget_means),
    "var-not-rooted": _fused_after(_divide_by_variances),
    "eps-1e-3": _fused_after(_exchange_eps),
    "train-mode": _run_after(_train),
    "zero-border": _run_after(_pad_zeros_between),
    "dilation-dropped": _drop_dilations,
    "average-uncounted": _run_after(_count_inside_only),
    "idconv-raw": _fused_after(_forget_idconv_identity),
    "scale-forgotten": _fused_after(_forget_scales),
    "post-norm-forgotten": _fused_after(_forget_post_norm),
}
