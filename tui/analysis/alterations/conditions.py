"""Why a mistake of the gallery cannot be made on a block, told from the block's spec alone.

A condition yields each reason. Only what follows from the block's structure counts: a mistake that the
parameters or the input happen to hide can be made all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from tui.fusion.pair_text import show_pair
from tui.fusion.specs.block_spec import BlockSpec, PaddingMode
from tui.fusion.specs.frame import extent_of
from tui.fusion.specs.layer_spec import CONVOLUTIONS, ChainSpec, LayerKind, LayerSpec

_SCALES = (LayerKind.ALPHA, LayerKind.GAMMA)

Condition = Callable[[BlockSpec], Iterator[str]]
"""Yields each reason why a mistake cannot be made on a block of that spec."""

_NO_NORM = "the block has no batch norm"


def _layers(spec: BlockSpec, *kinds: str) -> list[LayerSpec]:
    """Every layer of these kinds."""
    return [layer for chain in spec.chains for layer in chain.all_layers() if layer.kind in kinds]


def _pointwise(spec: BlockSpec) -> list[ChainSpec]:
    """The branches that are one 1 x 1 convolution and what rescales it."""
    return [
        chain
        for chain in spec.chains
        if chain.main == 0
        and chain.layers[0].kind == LayerKind.CONVOLUTION
        and chain.layers[0].kernel_size == (1, 1)
    ]


def _identities(spec: BlockSpec) -> list[ChainSpec]:
    return [c for c in spec.chains if c.main == 0 and c.layers[0].kind == LayerKind.IDENTITY]


def _has_norm(spec: BlockSpec) -> bool:
    return spec.post_norm or any(
        layer.eps is not None for chain in spec.chains for layer in chain.all_layers()
    )


def _ends_in_norm(chain: ChainSpec) -> bool:
    return any(layer.eps is not None for layer in chain.tail)


def needs_pointwise(spec: BlockSpec) -> Iterator[str]:
    """A 1 x 1 convolution is needed."""
    if not _pointwise(spec):
        yield "no branch is a 1x1 convolution"


def needs_identity(spec: BlockSpec) -> Iterator[str]:
    """The identity is needed."""
    if not _identities(spec):
        yield "no branch is the identity"


def _one_tap(spec: BlockSpec) -> Iterator[str]:
    if spec.fused_kernel_size == (1, 1):
        yield "the fused kernel is 1x1: it has no tap but the centre"


def pointwise_misplaced(spec: BlockSpec) -> Iterator[str]:
    """A 1 x 1 convolution is needed, in a kernel that has another tap."""
    yield from needs_pointwise(spec)
    yield from _one_tap(spec)


def pointwise_bias(spec: BlockSpec) -> Iterator[str]:
    """A 1 x 1 convolution that adds something is needed."""
    yield from needs_pointwise(spec)
    if not any(chain.adds for chain in _pointwise(spec)):
        yield "the 1x1 has neither bias nor batch norm"


def identity_misplaced(spec: BlockSpec) -> Iterator[str]:
    """The identity is needed, in a kernel that has another tap."""
    yield from needs_identity(spec)
    yield from _one_tap(spec)


def identity_column(spec: BlockSpec) -> Iterator[str]:
    """The identity is needed, in a grouped kernel."""
    yield from needs_identity(spec)
    if spec.fused_groups == 1:
        yield "the fused convolution has 1 group: column i is the right one"


def identity_norm(spec: BlockSpec) -> Iterator[str]:
    """An identity with a batch norm is needed."""
    yield from needs_identity(spec)
    if not any(map(_ends_in_norm, _identities(spec))):
        yield "the identity has no batch norm"


def channels_transposed(spec: BlockSpec) -> Iterator[str]:
    """A kernel is needed that mixes as many channels as it gives."""
    columns = spec.in_channels // spec.fused_groups
    if spec.out_channels != columns:
        yield (
            f"the fused weight has {spec.out_channels} rows and {columns} columns: transposed it fits nowhere"
        )
    if columns == 1:
        yield "one channel transposed is the same"
    if all((chain.mixing_groups or spec.in_channels) == spec.in_channels for chain in spec.chains):
        yield "no branch mixes channels: transposed, the kernel is the same"


def taps_transposed(spec: BlockSpec) -> Iterator[str]:
    """A square kernel with taps of its own is needed."""
    height, width = spec.fused_kernel_size
    if height != width:
        yield f"a {show_pair(spec.fused_kernel_size)} kernel is not square: transposed it is another shape"
    yield from _one_tap(spec)
    yield from _no_taps_of_its_own(spec)


def flipped(spec: BlockSpec) -> Iterator[str]:
    """A kernel with taps of its own is needed."""
    yield from _one_tap(spec)
    yield from _no_taps_of_its_own(spec)


def _no_taps_of_its_own(spec: BlockSpec) -> Iterator[str]:
    weighted = _layers(spec, *CONVOLUTIONS, LayerKind.DEPTHWISE)
    if all(layer.kernel_size == (1, 1) for layer in weighted):
        yield "no branch has a weight of more than one tap"


def bias_unscaled(spec: BlockSpec) -> Iterator[str]:
    """A convolution with a bias and a batch norm right after it is needed."""
    for chain in spec.chains:
        for layer, behind in pairwise(chain.layers):
            if layer.kind in CONVOLUTIONS and layer.bias and behind.eps is not None:
                return
    yield "no convolution has both a bias and a batch norm of its own"


def needs_conv_bias(spec: BlockSpec) -> Iterator[str]:
    """A convolution with a bias is needed."""
    if not any(layer.bias for layer in _layers(spec, *CONVOLUTIONS)):
        yield "no convolution has a bias"


def needs_bias(spec: BlockSpec) -> Iterator[str]:
    """Something that adds is needed."""
    if not spec.post_norm and not any(chain.adds for chain in spec.chains):
        yield "the block has neither biases nor batch norms"


def needs_norm(spec: BlockSpec) -> Iterator[str]:
    """A batch norm is needed."""
    if not _has_norm(spec):
        yield _NO_NORM


def train_mode(spec: BlockSpec) -> Iterator[str]:
    """A batch norm is needed that sees more than one value a channel."""
    yield from needs_norm(spec)
    if _fewest_values(spec) == 1:
        yield "a batch norm in train mode needs more than one value in each channel"


def variance_unbiased(spec: BlockSpec) -> Iterator[str]:
    """A batch norm is needed that sees more than one value a channel: n / (n - 1) is infinite for n = 1."""
    yield from needs_norm(spec)
    if _fewest_values(spec) == 1:
        yield "a batch norm that sees one value in each channel has no n / (n - 1)"


def _fewest_values(spec: BlockSpec) -> int:
    """How many values of each channel the batch norm that sees the fewest sees."""
    behind = spec.batch_size * spec.output_nchw[2] * spec.output_nchw[3]
    before = spec.batch_size * spec.input_shape[0] * spec.input_shape[1]
    inner_only = not spec.post_norm and not any(map(_ends_in_norm, spec.chains))
    return before if inner_only else behind


def zero_border(spec: BlockSpec) -> Iterator[str]:
    """Layers in a row are needed of which one makes something of zero, at a border that is seen."""
    sequences = [chain for chain in spec.chains if chain.main > 0]
    if not sequences:
        yield "no branch is a 1x1 with something after it"
    if spec.padding_mode is not PaddingMode.ZEROS:
        yield f"the block pads {spec.padding_mode}, not zeros"
    adding = [chain for chain in sequences if any(layer.adds for layer in chain.layers[: chain.main])]
    if not adding:
        yield "the 1x1 in front has neither bias nor batch norm: its value at zero is zero"
    offset = [chain for chain in adding if _sees_behind_an_offset(chain)]
    if adding and not offset:
        yield "no layer behind a bias or a batch norm sees neighbours: nothing is padded there"
    if not any(_sees_outside(spec, chain) for chain in offset):
        yield "no output sees what is padded after the 1x1"


def _sees_behind_an_offset(chain: ChainSpec) -> bool:
    """Whether a layer that sees neighbours stands behind one that makes something of zero."""
    return any(
        layer.kernel_size != (1, 1) and any(each.adds for each in chain.layers[:place])
        for place, layer in enumerate(chain.layers)
    )


def needs_average(spec: BlockSpec) -> Iterator[str]:
    """An average pooling is needed that reaches beyond the image, among zeros."""
    pooled = [
        chain for chain in spec.chains if any(layer.kind == LayerKind.AVERAGE for layer in chain.all_layers())
    ]
    if not pooled:
        yield "no branch is an average pooling"
    if spec.padding_mode is not PaddingMode.ZEROS:
        yield f"the block pads {spec.padding_mode}: no pixel is left out of an average"
    if not any(_sees_outside(spec, chain) for chain in pooled):
        yield "no window of the average reaches beyond the image"


def _sees_outside(spec: BlockSpec, chain: ChainSpec) -> bool:
    """Whether at some pixel that the stride visits, the branch's taps reach beyond the image."""
    left, _, top, _ = chain.border
    axes = zip(
        spec.input_shape, spec.stride, spec.output_nchw[2:], extent_of(chain), (top, left), strict=True
    )
    return any(
        before > 0 or (outputs - 1) * step - before + reach > size
        for size, step, outputs, reach, before in axes
    )


def needs_dilation(spec: BlockSpec) -> Iterator[str]:
    """A dilated convolution is needed."""
    if all(layer.dilation == (1, 1) for chain in spec.chains for layer in chain.all_layers()):
        yield "no branch is dilated"


def needs_identity_offset(spec: BlockSpec) -> Iterator[str]:
    """A 1 x 1 that is stored minus the identity is needed."""
    if not _layers(spec, LayerKind.OFFSET_CONVOLUTION):
        yield "no 1x1 stores its weight minus the identity"


def needs_scale(spec: BlockSpec) -> Iterator[str]:
    """A branch with an alpha or gamma is needed."""
    if not any(layer.kind in _SCALES for chain in spec.chains for layer in chain.layers):
        yield "no branch has an alpha or gamma"


def needs_post_norm(spec: BlockSpec) -> Iterator[str]:
    """A batch norm after the sum is needed."""
    if not spec.post_norm:
        yield "no batch norm follows the sum of the branches"
