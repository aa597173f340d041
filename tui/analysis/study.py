"""study(spec): build the block, fuse it, run both sides, compare; one immutable Study comes out."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tui.analysis.alterations.alterations import NOTHING_ALTERED, Alterations
from tui.analysis.alterations.applying import alter_block, alter_input, fusion_of
from tui.analysis.bounds.budget import Budget, budgets_of
from tui.analysis.cost import Cost, cost_of
from tui.analysis.numerics.comparison import Comparison, compare
from tui.analysis.numerics.float16 import Float16ThroughFloat32
from tui.analysis.numerics.magnitude import Magnitude, magnitude_of
from tui.analysis.progress import Progress
from tui.analysis.verdict.error_split import ErrorSplit, output_of_given, split_of
from tui.analysis.verdict.judging import judge
from tui.analysis.verdict.sampling import channels_to_judge
from tui.analysis.verdict.verdict import Verdict
from tui.fusion.block import ReparamBlock, build_block, conv_of
from tui.fusion.branches import Step
from tui.fusion.fill import fill_block, make_input
from tui.fusion.kernel import Kernel
from tui.fusion.spec import BlockSpec, Dtype, Pair


@dataclass(frozen=True, eq=False)
class BranchKernel:
    """One summand of the fused kernel as the study found it, or the fused kernel itself.

    Attributes:
        name: the branch's: "kxk", "1x1 #2", "identity"; "post norm" for the offset of a batch norm behind the
            sum, a kernel of zeros with a bias.
        kernel: float64, all folded, the post norm's scale too; with the fused kernel's groups and spacing of
            taps, in a frame of its own size.
        magnitude: how large its weights are.
        steps: the stages by which it came about, the last of them `kernel`; none for the fused one.
    """

    name: str
    kernel: Kernel
    magnitude: Magnitude
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, eq=False)
class Study:
    """What became of one spec. Views read it and compute nothing.

    Attributes:
        alterations: what was changed by hand on top of the spec.
        block: the block as it is, in the spec's dtype; no mistake is in it.
        run_block: what ran as the unfused side: `block`, or a changed copy where the mistake lies in running.
        branches: each branch's kernel, in the spec's order, and behind them the post norm's offset if there
            is one; their sum is the fused kernel.
        fused: the fused kernel in the spec's dtype; another one than that sum where it was spoilt on purpose.
        adds_up: whether the fused kernel is that sum.
        frame: (kH, kW) in which all kernels are shown: that of the fused one, if it is right.
        conv: the fused convolution, to take away; its weight is `fused`'s, in an odd frame where
            nn.Conv2d could not pad an even one.
        x: the input, (batch, in_channels, H, W).
        unfused: the block's output. `fused_output`: the fused convolution's.
        unfused64, fused64: the same outputs, everything re-run in float64 from the same parameters.
        comparison: the two outputs against each other. `float64`: the same for the two in float64.
        budget: how far the outputs of a right fusion may lie apart, in the spec's dtype.
        verdict: whether the difference is rounding or a mistake.
        split: where the difference comes from; None in float64, whose rounding no float64 run can show.
        cost: parameters and MACs of both sides.
    """

    spec: BlockSpec
    alterations: Alterations
    block: ReparamBlock
    run_block: ReparamBlock
    branches: tuple[BranchKernel, ...]
    fused: BranchKernel
    adds_up: bool
    frame: Pair
    conv: nn.Conv2d
    x: Tensor
    unfused: Tensor
    fused_output: Tensor
    unfused64: Tensor
    fused64: Tensor
    comparison: Comparison
    float64: Comparison
    budget: Budget
    verdict: Verdict
    split: ErrorSplit | None
    cost: Cost


def study(spec: BlockSpec, alterations: Alterations = NOTHING_ALTERED) -> Iterator[Progress | Study]:
    """Yield a Progress before each piece of work, and the Study last.

    To stop it, stop iterating: between two pieces nothing runs.

    Raises:
        FusionError: a branch is no convolution, or the mistake can not be made on this block.
        RuntimeError: torch could not do it, out of memory for instance.
    """
    yield Progress("building the block")
    block = fill_block(build_block(spec).to(getattr(torch, spec.dtype)), spec)
    block = alter_block(block, alterations)
    x = alter_input(make_input(spec), alterations)
    yield Progress("fusing the branches")
    branches = tuple(_branch_kernel(name, steps) for name, steps in block.steps())
    fusion = fusion_of(block, x, alterations)
    fused = fusion.kernel.to(block.dtype)
    conv = conv_of(fused, fusion.geometry)
    yield Progress("running the branches")
    unfused = run(fusion.block, x)
    yield Progress("running the fused convolution")
    fused_output = run(conv, x)
    yield Progress("comparing")
    comparison = compare(fused_output, unfused)
    split = None
    if spec.dtype is Dtype.FLOAT64:
        unfused64, fused64, reference = unfused, fused_output, comparison
    else:
        unfused64, fused64 = yield from in_float64(block, x, alterations)
        reference = compare(fused64, unfused64)
        yield Progress("splitting the difference")
        split = split_of(fused_output, unfused, unfused64, output_of_given(conv, x))
    yield Progress("bounding what rounding can do")
    budget, verdict = judged(block, x, (fused_output, unfused), (fused64, unfused64))
    yield Study(
        spec=spec,
        alterations=alterations,
        block=block,
        run_block=fusion.block,
        branches=branches,
        fused=BranchKernel("fused", fused, magnitude_of(fused)),
        adds_up=not alterations.spoil_the_fusion or _same(fusion.kernel, block.kernel()),
        frame=spec.fused_kernel_size,
        conv=conv,
        x=x,
        unfused=unfused,
        fused_output=fused_output,
        unfused64=unfused64,
        fused64=fused64,
        comparison=comparison,
        float64=reference,
        budget=budget,
        verdict=verdict,
        split=split,
        cost=cost_of(spec),
    )


def _branch_kernel(name: str, steps: tuple[Step, ...]) -> BranchKernel:
    kernel = steps[-1].kernel
    return BranchKernel(name, kernel, magnitude_of(kernel), steps)


def _same(one: Kernel, other: Kernel) -> bool:
    if one.bias is None or other.bias is None:
        missing = other.bias if one.bias is None else one.bias
        same_bias = missing is None or not missing.any()
    else:
        same_bias = torch.equal(one.bias, other.bias)
    return same_bias and torch.equal(one.weight, other.weight)


def finished(steps: Iterator[Progress | Study]) -> Study:
    """Run a study to its end; returns the Study."""
    for step in steps:
        if isinstance(step, Study):
            return step
    raise RuntimeError("the study ended without a result")


@torch.no_grad()
def run(module: nn.Module, x: Tensor) -> Tensor:
    """The module's output; float16 convolutions on a CPU go through float32."""
    with Float16ThroughFloat32():
        y: Tensor = module(x)
    return y


def in_float64(
    block: ReparamBlock, x: Tensor, alterations: Alterations
) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
    """Yield progress; return the unfused and the fused output, fusion and both sides re-run in float64."""
    yield Progress("running the branches in float64")
    fusion = fusion_of(copy.deepcopy(block).double(), x.double(), alterations)
    unfused = run(fusion.block, x.double())
    yield Progress("running the fused convolution in float64")
    return unfused, run(conv_of(fusion.kernel, fusion.geometry), x.double())


def judged(
    block: ReparamBlock, x: Tensor, outputs: tuple[Tensor, Tensor], outputs64: tuple[Tensor, Tensor]
) -> tuple[Budget, Verdict]:
    """The rounding budget and the verdict on the fused and the unfused output of two runs."""
    dtype = Dtype(str(block.dtype).removeprefix("torch."))
    block64 = copy.deepcopy(block).double()
    channels = channels_to_judge(block64, *outputs, *outputs64)
    dtypes = [dtype] if dtype is Dtype.FLOAT64 else [dtype, Dtype.FLOAT64]
    budgets = budgets_of(block64, x.double(), dtypes, channels)
    return budgets[0], judge(dtype, *outputs, *outputs64, budgets[0], budgets[-1])
