"""The cost of fusing, in ratios: `python -m tests.bench.bench_engine`. Run by hand; asserts no clock.

To hold: the fused kernel of a RepVGG block with batch norm, 512 x 512 x 3 x 3, in at most 3 times three
elementwise passes over a float64 weight of that shape, each pass into a new tensor as the engine's own; that
of 2048 depthwise channels in a tenth of a loop over channels at most.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from tests.fusion.strategies import filled_block
from tui.fusion.block import ReparamBlock
from tui.fusion.branches import Branch, ConvBranch
from tui.fusion.presets import PRESETS
from tui.fusion.spec import BlockSpec

ROUNDS = 11


def median_seconds(*works: Callable[[], object]) -> list[float]:
    """The median time of each, run in turn so that all see the same machine."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS + 1):
        for work, seconds in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds[1:]) for seconds in times]  # the first warms up


def float32_block(spec: BlockSpec) -> ReparamBlock:
    return filled_block(spec).float()


@torch.no_grad()
def kernel_against_three_passes(channels: int) -> None:
    spec = replace(PRESETS["repvgg"].spec, in_channels=channels, out_channels=channels)
    block = float32_block(spec)
    weight = block.kernel().weight

    def three_passes() -> Tensor:
        y: Tensor = weight * 1.5
        y = y + weight
        return y * 0.5

    kernel, fuse, passes = median_seconds(block.kernel, block.fuse, three_passes)
    print(
        f"repvgg {channels}x{channels}x3x3, batch norm: kernel {kernel * 1e3:.1f} ms, "
        f"fuse {fuse * 1e3:.1f} ms, three float64 passes {passes * 1e3:.1f} ms; "
        f"ratios {kernel / passes:.2f} and {fuse / passes:.2f}"
    )


@torch.no_grad()
def depthwise_by_channel(block: ReparamBlock) -> Tensor:
    """The fused depthwise kernel as one writes it at first: a loop over channels."""
    kxk, pointwise, identity = block.branches
    assert isinstance(kxk, ConvBranch)
    assert isinstance(pointwise, ConvBranch)
    assert isinstance(identity, Branch)
    fused = torch.zeros(len(_scale(kxk)), 1, 3, 3, dtype=torch.float64)
    scales = _scale(kxk), _scale(pointwise), _scale(identity)
    for channel in range(len(fused)):
        fused[channel, 0] = kxk.conv.weight[channel, 0].double() * scales[0][channel]
        fused[channel, 0, 1, 1] += pointwise.conv.weight[channel, 0, 0, 0].double() * scales[1][channel]
        fused[channel, 0, 1, 1] += scales[2][channel]
    return fused


def _scale(branch: Branch) -> Tensor:
    norm = branch.norm
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_var is not None
    return norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)


@torch.no_grad()
def depthwise_against_a_loop(channels: int) -> None:
    spec = replace(PRESETS["repvgg"].spec, in_channels=channels, out_channels=channels, groups=channels)
    block = float32_block(spec)
    torch.testing.assert_close(depthwise_by_channel(block), block.kernel().weight)
    kernel, loop = median_seconds(block.kernel, lambda: depthwise_by_channel(block))
    print(
        f"depthwise {channels}, batch norm: kernel {kernel * 1e3:.2f} ms, loop over channels "
        f"{loop * 1e3:.1f} ms; {loop / kernel:.0f} times"
    )


if __name__ == "__main__":
    kernel_against_three_passes(512)
    depthwise_against_a_loop(2048)
