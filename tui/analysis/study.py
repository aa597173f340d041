"""run_study(subject): build the block, fuse it, run both sides, compare; one immutable Study comes out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, overload

import torch
from torch import Tensor, nn

from tui.analysis.alterations.alterations import FUSED, INPUT, NOTHING_ALTERED, Alterations
from tui.analysis.alterations.applying import (
    alter_block,
    alter_input,
    fusion_of,
    parameters_of,
    taking_effect,
)
from tui.analysis.alterations.fusion import Fusion, block_in_float64
from tui.analysis.bounds.budget import Budget
from tui.analysis.cost import Cost, cost_of
from tui.analysis.numerics.comparison import Comparison, Distance, compare, distance_of
from tui.analysis.numerics.devices import device_named, ran_on, refuse_dtype
from tui.analysis.numerics.magnitude import Magnitude, magnitude_of, shares_of
from tui.analysis.numerics.outputs import Outputs
from tui.analysis.numerics.ran_on import CPU, ON_THE_CPU, RanOn
from tui.analysis.origin import Origin
from tui.analysis.other_subjects import refuse_other_subject
from tui.analysis.progress import Doing
from tui.analysis.subject import Subject
from tui.analysis.verdict.error_split import ErrorSplit
from tui.analysis.verdict.evidence import Evidence, verdict_on
from tui.analysis.verdict.runs import run, run_componentwise, run_in_float64, run_rightly, split_between
from tui.analysis.verdict.stored_judging import framed, judge_stored
from tui.analysis.verdict.verdict import Verdict
from tui.fusion.block import Folded, ReparamBlock, build_block, conv_of
from tui.fusion.fill import fill_block, make_input
from tui.fusion.kernel import FusionError, Kernel, pad_to
from tui.fusion.layers import Fold
from tui.fusion.specs.block_spec import BlockSpec, Dtype, Pair
from tui.fusion.structure import structure_of
from tui.fusion.torch_dtypes import dtype_of, torch_dtype


@dataclass(frozen=True, eq=False)
class Summand:
    """One summand of the fused kernel as the study found it, or the fused kernel itself.

    Attributes:
        name: the branch's: "kxk", "1x1 #2", "identity"; "post norm" for the offset of a batch norm after the
            sum, a kernel of zeros with a bias.
        kernel: float64, all folded, the post norm's scale too; with the fused kernel's groups and spacing of
            taps, in a frame of its own size.
        magnitude: how large its weights are.
        folds: those by which it came about, the last of them `kernel`; none for the fused one.
    """

    name: str
    kernel: Kernel
    magnitude: Magnitude
    folds: tuple[Fold, ...] = ()


@dataclass(frozen=True, eq=False)
class FusedKernels:
    """What fusing a block gave, before anything was run.

    Attributes:
        subject: what it is about.
        in_effect: what of it changed a number: an edit that sets the number that is there is none. Its values
            are rounded to the spec's dtype.
        summands: each branch's kernel, in the spec's order, and after them the post norm's offset if there
            is one; their sum is the fused kernel.
        fused_kernel: the fused kernel in the spec's dtype; another one than that sum where it was altered.
        adds_up: whether the fused kernel is the sum of the summands.
        frame: (kH, kW) in which all kernels are shown: that of the fused one, if it is right.
    """

    subject: Subject
    in_effect: Alterations
    summands: tuple[Summand, ...]
    fused_kernel: Summand
    adds_up: bool
    frame: Pair

    @property
    def spec(self) -> BlockSpec:
        """The block as it was chosen."""
        return self.subject.spec

    @property
    def alterations(self) -> Alterations:
        """What was changed by hand on top of it."""
        return self.subject.alterations

    @property
    def origin(self) -> Origin | None:
        """Where the block's numbers come from; None where the spec filled it."""
        return self.subject.origin

    @property
    def shares(self) -> tuple[float, ...]:
        """The norm of each branch's kernel as a part of the sum of these norms; a post norm has none."""
        branches = self.summands[: len(self.spec.branches)]
        return shares_of([branch.magnitude for branch in branches])


@dataclass(frozen=True, eq=False)
class Study(FusedKernels):
    """What became of one spec. Views read it and compute nothing.

    Attributes:
        block: the block as it is, in the spec's dtype; no mistake is in it. `block64`: the same in float64.
        fusion: what ran as the unfused side, and the fused kernel before its cast to the dtype. `fusion64`:
            the same with the block in float64.
        conv: the fused convolution, to take away; its weight is `fused_kernel`'s, in an odd frame where
            nn.Conv2d could not pad an even one.
        x: the input, (batch, in_channels, H, W).
        outputs: the block's output and the fused convolution's. `outputs64`: the same, everything re-run in
            float64 from the same parameters.
        right64: where another block ran than the one that is fused, what both sides should have given.
        comparison: the two outputs against each other. `float64`: how far apart the two in float64 are.
        budget: how far the outputs of a right fusion may lie apart, in the spec's dtype.
        verdict: whether the difference is rounding or a mistake.
        split: where the difference comes from; None in float64, whose rounding no float64 run can show.
        cost: parameters and MACs of both sides.
        finished: the fused kernel as it is stored, where it came finished; None where it was folded here.
        ran_on: where the two of `outputs` were computed; all else was on the CPU.
    """

    block: ReparamBlock
    block64: ReparamBlock
    fusion: Fusion
    fusion64: Fusion
    conv: nn.Conv2d
    x: Tensor
    outputs: Outputs
    outputs64: Outputs
    right64: Outputs | None
    comparison: Comparison
    float64: Distance
    budget: Budget
    verdict: Verdict
    split: ErrorSplit | None
    cost: Cost
    finished: Kernel | None = None
    ran_on: RanOn = ON_THE_CPU

    def number_at(self, place: str, index: tuple[int, ...]) -> Tensor:
        """The number, in its dtype, at a place of the input, of a branch or of the fused convolution.

        `place`: as `shapes_of` names it. A number of the fused kernel is counted in `frame`.
        """
        if place == INPUT:
            return self.x[index]
        fused = self.fused_kernel.kernel
        if place == f"{FUSED}.weight":
            return pad_to(fused, self.frame).weight[index]
        if place == f"{FUSED}.bias":
            return fused.weight.new_zeros(()) if fused.bias is None else fused.bias[index]
        return parameters_of(self.block)[place].detach()[index]


Piece = Doing | FusedKernels | Study
"""What a study yields: what it does next, the kernels as soon as they are fused, itself at the end."""


def run_study(subject: Subject, device: str = CPU) -> Iterator[Piece]:
    """Yield a Doing before each piece of work, the FusedKernels when they are there, and the Study last.

    To stop it, stop iterating: between two pieces nothing runs.

    `device`: where both sides run in the spec's dtype; the float64 runs and the bounds are the CPU's.

    Raises:
        DeviceError: that device is not here, or has no such numbers.
        FusionError: a branch is not a convolution, or the mistake cannot be made on this block.
        Refusal: the numbers cannot be read where the block comes from.
        StoredShapeError: the finished kernel has another shape than the block's own.
        RuntimeError: torch could not do it, out of memory for instance.
    """
    spec, origin = subject.spec, subject.origin
    doing = _doing(subject)
    if origin is None:
        yield doing("building the block", 1)
        block, x = fill_block(build_block(spec).to(torch_dtype(spec.dtype)), spec), None
    else:
        yield doing("reading the block", 1)
        block, x = origin.block(spec), origin.input(spec)
    yield from _studied(subject, block, make_input(spec) if x is None else x, device)


def run_study_of(
    block: ReparamBlock,
    x: Tensor,
    alterations: Alterations = NOTHING_ALTERED,
    finished: Kernel | None = None,
    *,
    device: str = CPU,
) -> Iterator[Piece]:
    """As `run_study`, of any block in eval mode, wherever it comes from, on that input.

    x: (batch, in_channels, H, W), in the block's dtype. The block and x stay as they are.

    Raises:
        FusionError: as `run_study`, and where the dtypes are not the same.
        InvalidSpecError: the block, or the input, is beyond what can be looked at here.
    """
    if x.dim() != 4 or x.shape[1] != block.in_channels or x.dtype is not block.dtype:
        raise FusionError(
            f"the block takes (batch, {block.in_channels}, H, W) in {block.dtype}, not "
            f"{tuple(x.shape)} in {x.dtype}"
        )
    spec = replace(structure_of(block, x), dtype=dtype_of(x.dtype))
    subject = Subject(spec, alterations, finished=finished)
    yield _doing(subject)("copying the block", 1)
    yield from _studied(subject, copy.deepcopy(block), x.detach().clone(), device)


def _doing(subject: Subject) -> Callable[[str, int], Doing]:
    """Says what is done next, as a piece of all that a study does."""
    return partial(Doing, count=_pieces(subject))


def _pieces(subject: Subject) -> int:
    return (5 if subject.spec.dtype is Dtype.FLOAT64 else 8) + subject.alterations.alters_run


def _studied(subject: Subject, block: ReparamBlock, x: Tensor, device: str) -> Iterator[Piece]:
    """All that comes after the block is there, and is altered."""
    refuse_dtype(x.dtype, device_named(device))
    spec, alterations = subject.spec, subject.alterations
    doing, pieces = _doing(subject), _pieces(subject)
    taken = taking_effect(alterations, parameters_of(block) | {INPUT: x})
    block, x = alter_block(block, taken), alter_input(x, taken)
    yield doing("fusing the branches", 2)
    folded = block.folded()
    fusion = fusion_of(block, folded, x, taken)
    if subject.finished is not None:
        framed(block, folded.kernel, subject.finished)
        fusion = replace(fusion, kernel=subject.finished.to(torch.float64))
    kernels = _kernels(subject, taken, folded, fusion)
    conv = conv_of(kernels.fused_kernel.kernel, fusion.geometry)
    yield kernels
    yield doing("running the branches", 3)
    unfused = run(fusion.block, x, device)
    yield doing("running the fused convolution", 4)
    outputs = Outputs(unfused, run(conv, x, device))
    comparison = compare(outputs)
    block64 = block_in_float64(block)
    fusion64 = fusion.in_float64(block, block64)
    outputs64, split = outputs, None
    reference: Distance = comparison
    if spec.dtype is not Dtype.FLOAT64:
        outputs64 = yield from run_in_float64(fusion64, x, doing, 5)
        reference = distance_of(outputs64)
    right64 = None
    if fusion.block is not block:
        yield doing("running the block as it should be", 5 if spec.dtype is Dtype.FLOAT64 else 7)
        right64 = run_rightly(block64, folded.kernel, fusion64, x, outputs64)
    if spec.dtype is not Dtype.FLOAT64:
        yield doing("splitting the difference", pieces - 1)
        split = split_between(outputs, outputs64, right64, fusion, x)
    yield doing("bounding what rounding can do", pieces)
    finished = subject.finished
    if finished is None and kernels.in_effect.brings_finished:
        finished = kernels.fused_kernel.kernel
    stored = None if finished is None else judge_stored(block64, finished)
    evidence = Evidence(
        spec.dtype,
        block64,
        x.double(),
        folded.kernel,
        fusion64.kernel,
        outputs,
        outputs64,
        stored,
        right64,
        partial(run_componentwise, fusion.block, conv, x),
    )
    budget, verdict = verdict_on(evidence)
    yield Study(
        **vars(kernels),
        block=block,
        block64=block64,
        fusion=fusion,
        fusion64=fusion64,
        conv=conv,
        x=x,
        outputs=outputs,
        outputs64=outputs64,
        right64=right64,
        comparison=comparison,
        float64=reference,
        budget=budget,
        verdict=verdict,
        split=split,
        cost=cost_of(spec),
        finished=finished,
        ran_on=ran_on(device_named(device), x.dtype),
    )


def _kernels(subject: Subject, taken: Alterations, folded: Folded, fusion: Fusion) -> FusedKernels:
    """`taken`: the alterations but for edits of the block and its input that set what was there."""
    spec = subject.spec
    fused = fusion.kernel.to(torch_dtype(spec.dtype))
    own = (edit for edit in taken.edits if not edit.is_of(FUSED))
    in_effect = replace(taken, edits=(*own, *fusion.edits))
    return FusedKernels(
        subject,
        in_effect,
        summands=tuple(_summand(name, folds) for name, folds in folded.summands),
        fused_kernel=Summand(FUSED, fused, magnitude_of(fused)),
        adds_up=fusion.kernel is folded.kernel or _same(fusion.kernel, folded.kernel),
        frame=spec.fused_kernel_size,
    )


@overload
def study_of(subject: Subject, /, *, device: str = CPU) -> Study: ...
@overload
def study_of(
    subject: BlockSpec,
    alterations: Alterations = NOTHING_ALTERED,
    /,
    *,
    finished: Kernel | None = None,
    device: str = CPU,
) -> Study: ...
@overload
def study_of(
    subject: ReparamBlock,
    x: Tensor,
    alterations: Alterations = NOTHING_ALTERED,
    /,
    *,
    finished: Kernel | None = None,
    device: str = CPU,
) -> Study: ...
def study_of(
    subject: Subject | BlockSpec | ReparamBlock, *given: Any, device: str = CPU, **options: Any
) -> Study:
    """The study of a block, run to its end: of one that is told as a spec, or of a module and an input.

    A Subject says all of it in one. `finished`: a fused kernel that another tool made, as in a Subject.
    `device`: where both sides run, as `run_study` takes it.

    >>> study = study_of(BlockSpec(in_channels=4, out_channels=4))
    >>> study.verdict.sentence.startswith("They agree: what differs in float32 is rounding")
    True
    >>> study_of(study.block, study.x).verdict.ruling.agrees
    True

    Raises:
        FusionError, RuntimeError: as `run_study`; FusionError, too, where something else is given.
    """
    refuse_other_subject(subject, given[0] if given else options.get("x"))
    if isinstance(subject, ReparamBlock):
        steps = run_study_of(subject, *given, device=device, **options)
    else:
        asked = subject if isinstance(subject, Subject) else Subject(subject, *given, **options)
        steps = run_study(asked, device)
    for step in steps:
        if isinstance(step, Study):
            return step
    raise RuntimeError("the study ended without a result")


def _summand(name: str, folds: tuple[Fold, ...]) -> Summand:
    kernel = folds[-1].kernel
    return Summand(name, kernel, magnitude_of(kernel), folds)


def _same(one: Kernel, other: Kernel) -> bool:
    if one.bias is None or other.bias is None:
        missing = other.bias if one.bias is None else one.bias
        same_bias = missing is None or not missing.any()
    else:
        same_bias = torch.equal(one.bias, other.bias)
    return same_bias and torch.equal(one.weight, other.weight)
