"""The cost of fusing and of a study, in ratios; run by hand, asserts no clock.

    python -m tests.bench.bench_engine [--against TREE] [--rounds N]

With another checkout of this repository, each study is timed in it and here by turns, on one thread, and
`old : new` is printed, once by the clock and once by the processor's time, which other programs disturb less.

To hold: the fused kernel of a RepVGG block with batch norm, 512 x 512 x 3 x 3, in at most 3 times three
elementwise passes over a float64 weight of that shape, each pass into a new tensor as the engine's own; that
of 2048 depthwise channels in a tenth of a loop over channels at most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.fusion.layer_parts import conv_in, norm_in
from tests.fusion.strategies import filled_block
from tui.fusion.block import ReparamBlock
from tui.fusion.layers import Branch
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import BlockSpec

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
    fused = torch.zeros(len(_scale(kxk)), 1, 3, 3, dtype=torch.float64)
    scales = _scale(kxk), _scale(pointwise), _scale(identity)
    for channel in range(len(fused)):
        fused[channel, 0] = conv_in(kxk).weight[channel, 0].double() * scales[0][channel]
        fused[channel, 0, 1, 1] += conv_in(pointwise).weight[channel, 0, 0, 0].double() * scales[1][channel]
        fused[channel, 0, 1, 1] += scales[2][channel]
    return fused


def _scale(branch: Branch) -> Tensor:
    norm = norm_in(branch)
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


STUDIES: dict[str, dict[str, Any]] = {
    "C 64": {},
    "C 256": {"in_channels": 256, "out_channels": 256},
    "C 512": {"in_channels": 512, "out_channels": 512},
    "depthwise k 31": {"groups": 64, "kernel_size": (31, 31)},
    "replknet": {"preset": "replknet"},
    "unireplknet": {"preset": "unireplknet"},
}
"""Blocks at 56 x 56: kxk, 1x1 and identity with a batch norm each, 3 x 3 and 64 channels where not told."""


class Timer:
    """Studies in one checkout, in a process of its own."""

    def __init__(self, tree: Path) -> None:
        script = Path(__file__).with_name("study_timer.py")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(script)],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def seconds(self, study: dict[str, Any]) -> tuple[float, float]:
        """By the clock and by the processor's time, of one study."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(study), file=self._process.stdin, flush=True)
        clock, processor = json.loads(self._process.stdout.readline())
        return clock, processor

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def studies_against(tree: Path, rounds: int) -> None:
    """Print old : new of each study, medians of pairs."""
    here = Path(__file__).parents[2]
    timers = Timer(tree), Timer(here)
    for name, study in STUDIES.items():
        pairs = [[timer.seconds(study) for timer in timers] for _ in range(rounds + 1)][1:]
        print(f"{name:16}", end="")
        for kind, title in enumerate(("clock", "processor")):
            old, new = (statistics.median(pair[side][kind] for pair in pairs) for side in (0, 1))
            ratio = statistics.median(pair[0][kind] / pair[1][kind] for pair in pairs)
            print(f"{title} {old * 1e3:7.0f} : {new * 1e3:5.0f} ms = {ratio:5.2f}   ", end="")
        print(flush=True)
    for timer in timers:
        timer.close()


def main() -> None:
    """Print the ratios of this tree, or of another one to it."""
    parser = argparse.ArgumentParser(description="The cost of fusing and of a study, in ratios.")
    parser.add_argument("--against", type=Path, help="another checkout, to time its studies by turns")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="pairs of studies")
    options = parser.parse_args()
    if options.against:
        studies_against(options.against.resolve(), options.rounds)
        return
    kernel_against_three_passes(512)
    depthwise_against_a_loop(2048)


if __name__ == "__main__":
    main()
