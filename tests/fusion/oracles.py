"""What a convolution is, told a second time: nothing here uses tui's padding, kernels or branches."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui.fusion.specs.block_spec import BlockSpec, Pair


def convolve(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
    groups: int = 1,
    padding: Pair | str = "same",
) -> Tensor:
    """y[o, p] = bias[o] + sum over j, t of weight[o, j, t] x[first(o) + j, stride p + dilation t - before].

    As torch's padding="same" has it, dilation (k - 1) / 2, rounded down, stand before, and there are
    ceil(H / stride) outputs; with a padding in numbers, that stands before, and as much after. x is zero
    outside, first(o) is the first input channel of o's group. Written tap by tap.
    """
    out_channels, columns, *taps = weight.shape
    size = x.shape[2:]
    reach = [step * (count - 1) for step, count in zip(dilation, taps, strict=True)]
    before = (reach[0] // 2, reach[1] // 2) if isinstance(padding, str) else padding
    room = reach if isinstance(padding, str) else (2 * padding[0], 2 * padding[1])
    margin = [few + more for few, more in zip(reach, room, strict=True)]
    wide = functional.pad(x, (margin[1], margin[1], margin[0], margin[0]))
    rows, cols = (
        torch.arange(0, length + more - far, step) + around
        for length, more, far, step, around in zip(size, room, reach, stride, margin, strict=True)
    )
    grouped = weight.view(groups, out_channels // groups, columns, *taps)
    y = x.new_zeros(x.shape[0], out_channels, len(rows), len(cols))
    for ky in range(taps[0]):
        for kx in range(taps[1]):
            seen = wide[:, :, rows + dilation[0] * ky - before[0]]
            seen = seen[..., cols + dilation[1] * kx - before[1]]
            seen = seen.reshape(x.shape[0], groups, columns, len(rows), len(cols))
            y += torch.einsum("bgjhw,goj->bgohw", seen, grouped[..., ky, kx]).reshape(y.shape)
    return y if bias is None else y + bias.view(-1, 1, 1)


def dense(weight: Tensor, groups: int) -> Tensor:
    """A grouped weight as (out_channels, in_channels, kH, kW): zero between channels of different groups."""
    blocks = weight.chunk(groups)
    columns = weight.shape[1]
    full = weight.new_zeros(weight.shape[0], columns * groups, *weight.shape[2:])
    for group, block in enumerate(blocks):
        rows = slice(group * len(block), (group + 1) * len(block))
        full[rows, group * columns : (group + 1) * columns] = block
    return full


@torch.no_grad()
def kernel_by_impulses(module: nn.Module, spec: BlockSpec) -> tuple[Tensor, Tensor]:
    """The dense weight and the bias of any affine module, read off its outputs in float64.

    One output pixel is watched while a single 1 stands on each input channel and tap in turn; what a zero
    input gives there is the bias.
    """
    (kh, kw), (dy, dx), (sy, sx) = spec.fused_kernel_size, spec.fused_dilation, spec.stride
    before = (dy * (kh - 1) // 2, dx * (kw - 1) // 2) if spec.padding == "same" else spec.padding
    row, column = -(-before[0] // sy), -(-before[1] // sx)  # an output pixel that sees every tap
    shape = row * sy - before[0] + dy * (kh - 1) + 1, column * sx - before[1] + dx * (kw - 1) + 1
    shape = max(shape[0], before[0] + 1), max(shape[1], before[1] + 1)  # no fewer pixels can be reflected
    taps = torch.cartesian_prod(torch.arange(spec.in_channels), torch.arange(kh), torch.arange(kw)).T
    x = torch.zeros(taps.shape[1], spec.in_channels, *shape, dtype=torch.float64)
    rows, columns = row * sy - before[0] + dy * taps[1], column * sx - before[1] + dx * taps[2]
    x[torch.arange(len(x)), taps[0], rows, columns] = 1
    bias = module(torch.zeros_like(x[:1]))[0, :, row, column]
    response = module(x)[:, :, row, column] - bias
    return response.T.reshape(spec.out_channels, spec.in_channels, kh, kw), bias
