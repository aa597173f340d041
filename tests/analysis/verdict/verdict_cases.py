"""Fusions to judge, right ones and wrong ones, drawn at random from all that a block can be."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import torch
from torch import Tensor, nn

from tests.analysis.verdict.kinds_of_data import KINDS
from tests.fusion.strategies import EVERYTHING, with_wild_norms
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.verdict.evidence import Evidence, verdict_on
from tui.analysis.verdict.runs import run, run_componentwise
from tui.analysis.verdict.verdict import Verdict
from tui.fusion.block import ReparamBlock, build_block, conv_of
from tui.fusion.fill import fill_block, make_input
from tui.fusion.grammar.branch_text import parse_branches
from tui.fusion.kernel import Kernel
from tui.fusion.presets import PRESETS
from tui.fusion.specs.block_spec import (
    BlockSpec,
    Dtype,
    InputFill,
    InvalidSpecError,
    PaddingMode,
    WeightFill,
)
from tui.fusion.torch_dtypes import torch_dtype

BRANCHES = (
    "kxk,1x1,identity",
    "kxk+norm-bias,1x1+norm-bias,identity+norm",
    "kxk+norm,1x1+norm",
    "kxk-bias",
    "kxk,kxk,kxk,1x1",
    "kxk+norm-bias,1xk+norm-bias,kx1+norm-bias",
    "kxk+norm-bias,1x1+norm-bias,1x1-avg+norm+inner-bias,1x1-kxk+norm+inner+idconv-bias",
    "kxk+alpha,1x1+gamma,avg+norm,identity",
    "1x1-kxk+inner+norm-bias+x2,1x1-avg",
    "kxk,3x3d2,1x1-kxk+zeros-bias",
    EVERYTHING,
)
KERNEL_SIZES = (1, 2, 3, 3, 4, 5, 7, 13)
NORMS = ("as filled", "wild", "var 1e-7")


@dataclass(frozen=True)
class Case:
    """A block with its values.

    Attributes:
        norms: the kind of its batch norms' statistics.
        loudness: a factor on the input.
        data: what else was done to its numbers, of KINDS.
        channels_last: how its input lies in memory.
    """

    spec: BlockSpec
    norms: str = NORMS[0]
    loudness: float = 1.0
    data: str = "plain"
    channels_last: bool = False


def cases(seed: int, count: int, channels: tuple[int, ...], *, padded: bool = False) -> Iterator[Case]:
    """That many cases, each dtype in turn; `padded`: by numbers in the place of "same"."""
    draw, dtypes = random.Random(seed), list(Dtype)
    found = 0
    while found < count:
        try:
            spec = _drawn(draw, channels, dtypes[found % len(dtypes)])
            if padded:
                spec = replace(spec, padding=(draw.randint(0, 3), draw.randint(0, 3)))
        except InvalidSpecError:
            continue
        found += 1
        yield Case(spec, draw.choice(NORMS), draw.choice((1.0, 1.0, 1.0, 1e-3, 8.0)))


def _drawn(draw: random.Random, channels: tuple[int, ...], dtype: Dtype) -> BlockSpec:
    count = draw.choice(channels)
    if draw.random() < 0.3:
        spec = PRESETS[draw.choice(list(PRESETS))].spec.with_in_channels(count)
    else:
        spec = BlockSpec(
            in_channels=count,
            out_channels=count if draw.random() < 0.7 else draw.choice(channels),
            kernel_size=(draw.choice(KERNEL_SIZES), draw.choice(KERNEL_SIZES)),
            stride=draw.choice(((1, 1), (1, 1), (2, 2))),
            dilation=draw.choice(((1, 1), (1, 1), (2, 2))),
            groups=draw.choice((1, 1, 4, count)),
            branches=parse_branches(draw.choice(BRANCHES)),
            post_norm=draw.random() < 0.2,
            padding_mode=draw.choice([PaddingMode.ZEROS, PaddingMode.ZEROS, *PaddingMode]),
        )
    return replace(
        spec,
        input_shape=(draw.randint(3, 14), draw.randint(3, 14)),
        batch_size=draw.choice((1, 1, 2)),
        weights=draw.choice([WeightFill.RANDOM, *WeightFill]),
        input=draw.choice([InputFill.RANDOM, *InputFill]),
        dtype=dtype,
        seed=draw.randrange(1000),
    )


def hard_cases(
    seed: int, count: int, channels: tuple[int, ...], kinds: Sequence[str] = tuple(KINDS)
) -> Iterator[Case]:
    """That many cases, each dtype and each kind of data in turn; any stride, some kernels large."""
    draw, dtypes = random.Random(seed), list(Dtype)
    found = 0
    while found < count:
        data, dtype = kinds[found // len(dtypes) % len(kinds)], dtypes[found % len(dtypes)]
        try:
            spec = _drawn(draw, channels, dtype)
            large = draw.random() < 0.1
            spec = replace(
                spec,
                stride=(draw.randint(1, 5), draw.randint(1, 5)) if draw.random() < 0.3 else spec.stride,
                kernel_size=(draw.choice((9, 17, 31)), draw.choice((3, 31))) if large else spec.kernel_size,
                padding_mode=PaddingMode.ZEROS if large else spec.padding_mode,
                batch_size=draw.choice((1, 2, 2, 16, 64)),
                weights=WeightFill.RANDOM,
                input=InputFill.RANDOM,
            )
        except InvalidSpecError:
            continue
        found += 1
        yield Case(spec, draw.choice(NORMS), data=data, channels_last=draw.random() < 0.25)


@dataclass(frozen=True, eq=False)
class Run:
    """A case built and run in its dtype and in float64: the block, the input and the unfused outputs."""

    dtype: Dtype
    block: ReparamBlock
    block64: ReparamBlock
    x: Tensor
    unfused: Tensor
    unfused64: Tensor

    @cached_property
    def x64(self) -> Tensor:
        """The input, widened."""
        return self.x.double()

    @cached_property
    def right(self) -> Kernel:
        """The block's own fused kernel, in float64."""
        return self.block64.kernel()

    def judged(self, kernel: Kernel | None = None) -> Verdict:
        """The verdict on this float64 kernel for this block; on the right one if none is given."""
        geometry = self.block.geometry
        kernel = kernel or self.right
        conv = conv_of(kernel.to(torch_dtype(self.dtype)), geometry)
        outputs = Outputs(self.unfused, run(conv, self.x))
        outputs64 = Outputs(self.unfused64, run(conv_of(kernel, geometry), self.x64))
        again = partial(run_componentwise, self.block, conv, self.x)
        return self.judged_by(outputs, outputs64, kernel, again)

    def judged_by(
        self,
        outputs: Outputs,
        outputs64: Outputs,
        kernel: Kernel | None = None,
        again: Callable[[], Outputs] | None = None,
    ) -> Verdict:
        """The verdict on these outputs, the fused ones those of this float64 kernel."""
        kernels = self.right, kernel or self.right
        evidence = Evidence(self.dtype, self.block64, self.x64, *kernels, outputs, outputs64, again=again)
        return verdict_on(evidence)[1]


def run_of(case: Case) -> Run:
    """Build the case and run its branches."""
    spec = case.spec
    dtype = torch_dtype(spec.dtype)
    block = fill_block(build_block(spec).to(dtype), spec)
    if case.norms != NORMS[0]:
        with_wild_norms(block, spec.seed)
    if case.norms == "var 1e-7":
        for norm in _norms(block):
            assert norm.running_var is not None
            norm.running_var.fill_(1e-7)
    x = make_input(spec) * case.loudness
    with torch.no_grad():
        KINDS[case.data](block, x, torch.Generator().manual_seed(spec.seed))
    if case.channels_last:
        x = x.contiguous(memory_format=torch.channels_last)
    block64 = copy.deepcopy(block).double()
    return Run(spec.dtype, block, block64, x, run(block, x), run(block64, x.double()))


def _norms(block: ReparamBlock) -> list[nn.BatchNorm2d]:
    return [module for module in block.modules() if isinstance(module, nn.BatchNorm2d)]


def _one_weight_off(block: ReparamBlock) -> Kernel:
    """By 1e-4 of itself."""
    kernel = block.kernel()
    weight = kernel.weight.clone(memory_format=torch.contiguous_format)
    place = int(weight.abs().flatten().argmax())
    weight.view(-1)[place] *= 1 + 1e-4
    return Kernel(weight, kernel.bias)


def _without_bias(block: ReparamBlock) -> Kernel:
    return Kernel(block.kernel().weight, None)


def _other_eps(block: ReparamBlock) -> Kernel:
    """1e-3 for 1e-5."""
    block = copy.deepcopy(block)
    for norm in _norms(block):
        norm.eps += 1e-3 - 1e-5
    return block.kernel()


def _shifted(block: ReparamBlock) -> Kernel:
    """All taps one to the right."""
    kernel = block.kernel()
    return Kernel(kernel.weight.roll(1, dims=3), kernel.bias)


FAULTS: dict[str, Callable[[ReparamBlock], Kernel]] = {
    "one weight off by 1e-4": _one_weight_off,
    "no bias": _without_bias,
    "eps 1e-3 for 1e-5": _other_eps,
    "taps shifted by one": _shifted,
}


def effect_of(run: Run, kernel: Kernel) -> float:
    """The largest difference that a wrong kernel makes to this input's output, by the kernels' difference."""
    right = run.right
    bias = None
    if right.bias is not None:
        bias = right.bias - (0.0 if kernel.bias is None else kernel.bias)
    difference = Kernel(right.weight - kernel.weight, bias)
    return float(run_conv(difference, run).abs().max())


@torch.no_grad()
def run_conv(kernel: Kernel, run: Run) -> Tensor:
    """This kernel on the run's input, in float64."""
    y: Tensor = conv_of(kernel, run.block.geometry)(run.x64)
    return y
