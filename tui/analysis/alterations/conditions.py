"""Why a mistake of the gallery can not be made on a block, told from the block's spec alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tui.fusion.padding import same_padding
from tui.fusion.spec import BlockSpec, BranchKind, BranchSpec, PaddingMode, Scale, show_pair

_SINGLE_CONVS = (
    BranchKind.KXK,
    BranchKind.POINTWISE,
    BranchKind.ROW,
    BranchKind.COLUMN,
    BranchKind.SIZED,
)
_POOLED = (BranchKind.AVERAGE, BranchKind.POINTWISE_AVERAGE)
_NO_NORM = "the block has no batch norm"


def obstacle(name: str, spec: BlockSpec) -> str | None:
    """Why the mistake of that name can not be made on this block; None where it can.

    Only what follows from the block's structure: a mistake that the parameters or the input happen to hide is
    none that can not be made.

    Raises:
        KeyError: no mistake has that name.
    """
    return next(_OBSTACLES[name](spec), None)


def _pointwise(spec: BlockSpec) -> list[BranchSpec]:
    """The branches that are one 1 x 1 convolution, whatever their kind."""
    return [
        branch
        for branch in spec.branches
        if branch.kind in _SINGLE_CONVS and spec.branch_kernel_size(branch) == (1, 1)
    ]


def _identities(spec: BlockSpec) -> list[BranchSpec]:
    return [branch for branch in spec.branches if branch.kind is BranchKind.IDENTITY]


def _has_norm(spec: BlockSpec) -> bool:
    return spec.post_norm or any(branch.batch_norm or branch.inner_norm for branch in spec.branches)


def _no_pointwise(spec: BlockSpec) -> Iterator[str]:
    if not _pointwise(spec):
        yield "no branch is a 1x1 convolution"


def _no_identity(spec: BlockSpec) -> Iterator[str]:
    if not _identities(spec):
        yield "no branch is the identity"


def _one_tap(spec: BlockSpec) -> Iterator[str]:
    if spec.fused_kernel_size == (1, 1):
        yield "the fused kernel is 1x1: it has no tap but the centre"


def _pointwise_misplaced(spec: BlockSpec) -> Iterator[str]:
    yield from _no_pointwise(spec)
    yield from _one_tap(spec)


def _pointwise_bias(spec: BlockSpec) -> Iterator[str]:
    yield from _no_pointwise(spec)
    if not any(branch.bias or branch.batch_norm for branch in _pointwise(spec)):
        yield "the 1x1 has neither bias nor batch norm"


def _identity_misplaced(spec: BlockSpec) -> Iterator[str]:
    yield from _no_identity(spec)
    yield from _one_tap(spec)


def _identity_column(spec: BlockSpec) -> Iterator[str]:
    yield from _no_identity(spec)
    if spec.fused_groups == 1:
        yield "the fused convolution has 1 group: column i is the right one"


def _identity_norm(spec: BlockSpec) -> Iterator[str]:
    yield from _no_identity(spec)
    if not any(branch.batch_norm for branch in _identities(spec)):
        yield "the identity has no batch norm"


def _channels_transposed(spec: BlockSpec) -> Iterator[str]:
    columns = spec.in_channels // spec.fused_groups
    if spec.out_channels != columns:
        yield (
            f"the fused weight has {spec.out_channels} rows and {columns} columns: transposed it fits nowhere"
        )
    if columns == 1:
        yield "one channel transposed is the same"
    if not any(_mixes_channels(spec, branch) for branch in spec.branches):
        yield "no branch mixes channels: transposed, the kernel is the same"


def _mixes_channels(spec: BlockSpec, branch: BranchSpec) -> bool:
    return branch.kind.has_weight and spec.branch_groups(branch) < spec.in_channels


def _taps_transposed(spec: BlockSpec) -> Iterator[str]:
    height, width = spec.fused_kernel_size
    if height != width:
        yield f"a {show_pair(spec.fused_kernel_size)} kernel is not square: transposed it is another shape"
    yield from _one_tap(spec)
    yield from _no_taps_of_its_own(spec)


def _flipped(spec: BlockSpec) -> Iterator[str]:
    yield from _one_tap(spec)
    yield from _no_taps_of_its_own(spec)


def _no_taps_of_its_own(spec: BlockSpec) -> Iterator[str]:
    for branch in spec.branches:
        weighted = branch.kind.has_weight and branch.kind is not BranchKind.POINTWISE_AVERAGE
        if weighted and spec.branch_kernel_size(branch) != (1, 1):
            return
    yield "no branch has a weight of more than one tap"


def _bias_unscaled(spec: BlockSpec) -> Iterator[str]:
    for branch in spec.branches:
        ends_in_conv = branch.kind is not BranchKind.POINTWISE_AVERAGE
        if branch.bias and (branch.inner_norm or (branch.batch_norm and ends_in_conv)):
            return
    yield "no convolution has both a bias and a batch norm of its own"


def _conv_bias(spec: BlockSpec) -> Iterator[str]:
    if not any(branch.bias for branch in spec.branches):
        yield "no convolution has a bias"


def _any_bias(spec: BlockSpec) -> Iterator[str]:
    if not _has_norm(spec) and not any(branch.bias for branch in spec.branches):
        yield "the block has neither biases nor batch norms"


def _no_norm(spec: BlockSpec) -> Iterator[str]:
    if not _has_norm(spec):
        yield _NO_NORM


def _train_mode(spec: BlockSpec) -> Iterator[str]:
    yield from _no_norm(spec)
    behind = spec.batch_size * spec.output_nchw[2] * spec.output_nchw[3]
    before = spec.batch_size * spec.input_shape[0] * spec.input_shape[1]
    inner_only = not spec.post_norm and not any(branch.batch_norm for branch in spec.branches)
    if (before if inner_only else behind) == 1:
        yield "a batch norm in train mode needs more than one value in each channel"


def _zero_border(spec: BlockSpec) -> Iterator[str]:
    sequences = [branch for branch in spec.branches if branch.kind.is_sequence]
    if not sequences:
        yield "no branch is a 1x1 with something behind it"
    if spec.padding_mode is not PaddingMode.ZEROS:
        yield f"the block pads {spec.padding_mode}, not zeros"
    offset = [branch for branch in sequences if branch.bias or branch.inner_norm]
    if not offset:
        yield "the 1x1 in front has neither bias nor batch norm: its value at zero is zero"
    if not any(_sees_outside(spec, branch) for branch in offset):
        yield "no output sees what is padded behind the 1x1"


def _average(spec: BlockSpec) -> Iterator[str]:
    pooled = [branch for branch in spec.branches if branch.kind in _POOLED]
    if not pooled:
        yield "no branch is an average pooling"
    if spec.padding_mode is not PaddingMode.ZEROS:
        yield f"the block pads {spec.padding_mode}: no pixel is left out of an average"
    if not any(_sees_outside(spec, branch) for branch in pooled):
        yield "no window of the average reaches beyond the image"


def _sees_outside(spec: BlockSpec, branch: BranchSpec) -> bool:
    """Whether at some pixel that the stride visits, the branch's taps reach beyond the image."""
    axes = zip(
        spec.input_shape,
        spec.stride,
        spec.branch_kernel_size(branch),
        spec.branch_dilation(branch),
        strict=True,
    )
    for size, step, taps, gap in axes:
        before, after = same_padding(taps, gap)
        last = (size - 1) // step * step
        if before > 0 or last + after >= size:
            return True
    return False


def _dilation(spec: BlockSpec) -> Iterator[str]:
    for branch in spec.branches:
        axes = zip(spec.branch_kernel_size(branch), spec.branch_dilation(branch), strict=True)
        if any(size > 1 and dilation > 1 for size, dilation in axes):
            return
    yield "no branch is dilated"


def _identity_offset(spec: BlockSpec) -> Iterator[str]:
    if not any(branch.identity_offset for branch in spec.branches):
        yield "no 1x1 stores its weight minus the identity"


def _no_scale(spec: BlockSpec) -> Iterator[str]:
    if all(branch.scale is Scale.NONE for branch in spec.branches):
        yield "no branch has an alpha or gamma"


def _no_post_norm(spec: BlockSpec) -> Iterator[str]:
    if not spec.post_norm:
        yield "no batch norm follows the sum of the branches"


_OBSTACLES: Mapping[str, Callable[[BlockSpec], Iterator[str]]] = {
    "1x1-unpadded": _pointwise_misplaced,
    "1x1-off-centre": _pointwise_misplaced,
    "1x1-missing": _no_pointwise,
    "1x1-bias-lost": _pointwise_bias,
    "identity-off-centre": _identity_misplaced,
    "identity-missing": _no_identity,
    "identity-twice": _no_identity,
    "identity-column": _identity_column,
    "identity-norm-lost": _identity_norm,
    "channels-transposed": _channels_transposed,
    "taps-transposed": _taps_transposed,
    "flipped": _flipped,
    "bias-unscaled": _bias_unscaled,
    "conv-bias-dropped": _conv_bias,
    "bias-lost": _any_bias,
    "mean-ignored": _no_norm,
    "var-not-rooted": _no_norm,
    "eps-1e-3": _no_norm,
    "train-mode": _train_mode,
    "zero-border": _zero_border,
    "dilation-dropped": _dilation,
    "average-uncounted": _average,
    "idconv-raw": _identity_offset,
    "scale-forgotten": _no_scale,
    "post-norm-forgotten": _no_post_norm,
}
