"""Seconds to know a block by its answers, and to fuse whole models beside timm's own fusion of them.

Run by hand: python -m tests.bench.bench_modules
timm stands in no list of what this project needs: install it beside torch for the second table.
"""

from __future__ import annotations

import gc
import importlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import accumulate
from typing import Any, ClassVar, NamedTuple
from unittest import mock

import torch
from torch import Tensor, nn

from tui.modules.by_answers.response import response_of
from tui.modules.fusing import fuse
from tui.modules.whole import model as fusing
from tui.modules.whole.model import fuse_model

RUNS = 9
CHANNELS, SIZE = 512, 7
MODELS = (
    *("repvgg_a0", "mobileone_s0", "fastvit_t8", "repvit_m1_0"),
    *("repghostnet_100", "ghostnetv3_100"),
)


class Seconds(NamedTuple):
    """On the clock, and of the processor."""

    wall: float
    process: float

    def __str__(self) -> str:
        return f"{self.wall:6.2f} s, {self.process:6.2f} s of the processor"


class Unclear(nn.Module):
    """A 7x7 and a 1x1 with their batch norms, put together out of two halves, which no step of a graph is."""

    def __init__(self) -> None:
        super().__init__()
        self.large = nn.Conv2d(CHANNELS, CHANNELS, SIZE, padding=SIZE // 2, bias=False)
        self.large_bn = nn.BatchNorm2d(CHANNELS)
        self.point = nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False)
        self.point_bn = nn.BatchNorm2d(CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        y = self.large_bn(self.large(x)) + self.point_bn(self.point(x))
        return torch.cat(y.chunk(2, dim=1), dim=1)


def with_statistics(model: nn.Module) -> nn.Module:
    """In eval mode, with random statistics in every batch norm."""
    torch.manual_seed(0)
    for each in model.modules():
        if (
            isinstance(each, nn.BatchNorm2d)
            and each.running_mean is not None
            and each.running_var is not None
        ):
            nn.init.normal_(each.running_mean, 0, 0.1)
            nn.init.uniform_(each.running_var, 0.5, 2)
            if each.affine:
                nn.init.uniform_(each.weight, 0.5, 1.5)
                nn.init.normal_(each.bias, 0, 0.1)
    return model.eval()


def seconds(run: Callable[[], Any]) -> Seconds:
    wall, process = time.perf_counter(), time.process_time()
    run()
    return Seconds(time.perf_counter() - wall, time.process_time() - process)


def responses() -> None:
    """A block by its response, beside the convolution of as many impulses that it takes at least."""
    module, x = with_statistics(Unclear()), torch.randn(1, CHANNELS, 14, 14)
    weight, images = torch.randn(CHANNELS, CHANNELS, SIZE, SIZE), torch.zeros(CHANNELS, CHANNELS, SIZE, SIZE)
    print(f"{CHANNELS} channels, {SIZE}x{SIZE}, {torch.get_num_threads()} threads")
    for _ in range(3):
        least = seconds(lambda: torch.nn.functional.conv2d(images, weight, padding=SIZE // 2))
        answers, all_of_it = seconds(lambda: response_of(module, x)), seconds(lambda: fuse(module, x))
        print(f"  its impulses alone   {least}")
        print(f"  by its response      {answers}   {answers.process / least.process:.2f} times that")
        print(f"  fuse(block)          {all_of_it}   {all_of_it.process / least.process:.2f} times that")


library: Any = torch.library
OPERATORS = library.Library("torchvision", "FRAGMENT")
"""timm imports torchvision, whose own operators are not there beside a torch for the processor alone."""


def timms() -> Any:
    """timm, or why it is not there."""
    for each in ("nms", "qnms"):
        OPERATORS.define(f"{each}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    try:
        importlib.import_module("timm.utils")
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:
        return str(error)


class Parts:
    """Seconds of the processor within parts of fuse_model, which are timed where it calls them."""

    CALLS: ClassVar[Mapping[str, Sequence[str]]] = {
        "recording": ("record",),
        "verifying": ("verify",),
        "trying": ("on_example", "tried_on_other_sizes", "agrees_on_other_sizes"),
    }

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(self.CALLS, 0.0)

    @contextmanager
    def timed(self) -> Iterator[None]:
        with ExitStack() as stack:
            for part, names in self.CALLS.items():
                for name in names:
                    call = partial(self._timed, part, getattr(fusing, name))
                    stack.enter_context(mock.patch.object(fusing, name, call))
            yield

    def _timed(self, part: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        begun = time.process_time()
        try:
            return call(*args, **kwargs)
        finally:
            self.seconds[part] += time.process_time() - begun


def beside_timm() -> None:
    """fuse_model beside reparameterize_model, in turns; of the processor, the median.

    On one thread, since two that wait for each other take time of the processor too, and without Python's
    collector between, as timeit has it: what it takes depends on all else that was imported.
    """
    timm = timms()
    if isinstance(timm, str):
        print(f"timm: skipped, it cannot be imported: {timm}")
        return
    torch.set_num_threads(1)
    print(
        f"milliseconds of the processor on one thread, median of {RUNS} in turns\n"
        "  recording: the run in which the graph is seen; folding: copying the model, finding, folding and\n"
        "  replacing; verifying: each convolution; trying: the whole on the example and on another size,\n"
        "  beside the model; timm verifies and tries nothing"
    )
    print(f"{'':16} {'':>6}  of fuse_model: {'':28}  times timm's, all but recording")
    columns = ("timm", "recording", "folding", "verifying", "trying", "folding", "+verifying", "+trying")
    print(f"{'':16} " + "  ".join(f"{each:>9}" for each in (*columns, "fused", "left alone")))
    for name in MODELS:
        print_beside(timm, name, with_statistics(timm.create_model(name, pretrained=False)))


def print_beside(timm: Any, name: str, model: nn.Module) -> None:
    x = torch.randn(1, 3, 224, 224)
    report = fuse_model(model, x).report
    every = [in_turns(timm, model, x) for _ in range(RUNS)]
    theirs, recording, folding, verifying, trying = map(statistics.median, zip(*every, strict=True))
    times = (each / theirs for each in accumulate((folding, verifying, trying)))
    told = [f"{each * 1e3:9.0f}" for each in (theirs, recording, folding, verifying, trying)]
    told += [f"{each:{width}.2f}" for each, width in zip(times, (9, 10, 9), strict=True)]
    print(f"{name:16} {'  '.join(told)}  {len(report.fused):9}  {len(report.left_alone):10}", flush=True)
    _, exact = fuse_model(model.double(), x.double())
    print(f"{'':16} in float64 max |fused - unfused| / max |unfused|: {exact.apart / exact.largest:.1e}")


def in_turns(timm: Any, model: nn.Module, x: Tensor) -> tuple[float, ...]:
    """Of timm's, of recording, of folding and all that is not told apart, of verifying, of trying."""
    parts = Parts()
    gc.collect()
    gc.disable()
    try:
        theirs = seconds(lambda: timm.utils.reparameterize_model(model)).process
        with parts.timed():
            ours = seconds(lambda: fuse_model(model, x)).process
    finally:
        gc.enable()
    recording, verifying, trying = parts.seconds.values()
    return theirs, recording, ours - recording - verifying - trying, verifying, trying


def main() -> None:
    responses()
    beside_timm()


if __name__ == "__main__":
    main()
