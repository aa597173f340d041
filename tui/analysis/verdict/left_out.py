"""What outputs cannot tell because they are NaN or infinite, and what the weights tell in their place."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from tui.analysis.alterations.alterations import INPUT
from tui.analysis.alterations.applying import parameters_of
from tui.analysis.bounds.fold_sizes import FoldSizes
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.precision import UNIT64, gamma_n
from tui.analysis.verdict.not_finite import ALL_FINITE, NotFinite
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel


def left_out(
    block: ReparamBlock,
    x: Tensor,
    outputs: Outputs,
    outputs64: Outputs,
    kernels: tuple[Kernel, Kernel],
    sizes: FoldSizes,
) -> NotFinite:
    """What is not finite among the data and both outputs, of all channels.

    `block` and x: in float64. `outputs`: of the dtype; those in float64 tell of the channels, too, and where
    neither does the weights are compared. `kernels`: the fused one that was run and the right one, float64.
    """
    difference = outputs.difference
    if not difference.non_finite and not outputs64.difference.non_finite:
        return ALL_FINITE
    return NotFinite(
        next(_not_finite(block, x), ""),
        unfused=int((~outputs.unfused.isfinite()).sum()),
        fused=int((~outputs.fused.isfinite()).sum()),
        channels=_nowhere_finite(outputs),
        wrong=tuple(
            channel
            for channel in sorted({*_nowhere_finite(outputs64)} & {*_nowhere_finite(outputs)})
            if not _same_weights(*kernels, sizes, channel)
        ),
    )


def _not_finite(block: ReparamBlock, x: Tensor) -> Iterator[str]:
    """The input, then the parameters by their place or torch's name, then what batch norms multiply by."""
    places = {id(tensor): place for place, tensor in parameters_of(block).items()}
    if not bool(x.isfinite().all()):
        yield INPUT
    for name, tensor in block.state_dict(keep_vars=True).items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            yield places.get(id(tensor), name)
    for name, module in block.named_modules():
        if not isinstance(module, nn.BatchNorm2d) or module.running_var is None:
            continue
        if not bool((module.running_var + module.eps).rsqrt().isfinite().all()):
            norm = places.get(id(module.running_var), f"{name}.var").rpartition(".")[0]
            yield f"1 / sqrt(var + eps) of {norm}"


def _nowhere_finite(outputs: Outputs) -> tuple[int, ...]:
    """The output channels whose elements are all NaN or infinite on both sides alike."""
    alike = outputs.difference.alike
    if alike is None:
        return ()
    whole = alike.transpose(0, 1).flatten(1).all(dim=1)
    return tuple(channel for channel, left in enumerate(whole.tolist()) if left)


def _same_weights(fused: Kernel, right: Kernel, sizes: FoldSizes, channel: int) -> bool:
    """Whether one output channel's weights and bias are those of the right fold but for its rounding."""
    if fused.weight.shape != right.weight.shape:
        return False
    bound = gamma_n(sizes.roundings, UNIT64)
    if not _near(fused.weight[channel], right.weight[channel], bound * sizes.kernel.weight[channel]):
        return False
    one, other, size = (_bias(kernel, channel) for kernel in (fused, right, sizes.kernel))
    return _near(one, other, bound * size)


def _bias(kernel: Kernel, channel: int) -> Tensor:
    return kernel.weight.new_zeros(()) if kernel.bias is None else kernel.bias[channel]


def _near(one: Tensor, other: Tensor, bound: Tensor) -> bool:
    alike = (one == other) | (one.isnan() & other.isnan())
    return bool((alike | ((one - other).abs() <= bound)).all())
