"""The steps of the whole block: kernels added, biases added, both sides run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.side import WrongSide
from tui.analysis.steps import arithmetic, words
from tui.analysis.steps.check import check_kernel, run64
from tui.analysis.steps.step import Check, Line, Step, Written, step_kernel
from tui.analysis.study import Study, run
from tui.fusion.block import POST_NORM, ReparamBlock
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import Kernel
from tui.fusion.padding import offset_in
from tui.fusion.spec import Pair
from tui.fusion.tap import Tap


def post_norm_step(norm: nn.BatchNorm2d, offset: Kernel, geometry: Geometry, x: Tensor, part: str) -> Step:
    """What the batch norm after the sum adds, as a kernel of zeros with a bias."""
    zeros = x.new_zeros((1, len(offset.weight), *x.shape[2:]))
    reference = run64(norm, zeros)[:, :, :: geometry.stride[0], :: geometry.stride[1]]
    return Step(
        POST_NORM,
        "post norm's offset",
        words.POST_OFFSET,
        (),
        step_kernel("its offset", offset),
        arithmetic.offset_of_norm(norm),
        check_kernel("this bias = the post norm of 0", offset, geometry, x, reference, part),
    )


def sum_steps(study: Study, frame: Pair, x: Tensor, part: str) -> Iterator[Step]:
    """Kernels added and biases added; neither where a single branch has nothing to be added to.

    `frame`: (kH, kW) that holds every branch's kernel.
    """
    if len(study.summands) == 1 and not study.in_effect.alters_fusion:
        return
    fusion = study.fusion64
    fused = step_kernel("fused", fusion.kernel)
    summands = [
        step_kernel(branch.name, branch.kernel, frame, _between_frames(fused.frame, frame))
        for branch in study.summands
    ]
    weighted = tuple(summand for summand in summands if summand.title != POST_NORM)
    block = study.block64  # as it should be, whatever ran as the unfused side
    linear = _less_the_value_at_zero(block, x)
    dtype = study.spec.dtype
    yield Step(
        "",
        "kernels added",
        _on_purpose(study, WrongSide.FUSED) + words.kernels_added(len(weighted)),
        weighted,
        step_kernel("fused", Kernel(fusion.kernel.weight, None)),
        arithmetic.added(weighted, fused, study.fused_kernel.kernel, dtype),
        check_kernel(
            "conv = the block, both without bias",
            Kernel(fusion.kernel.weight, None),
            fusion.geometry,
            x,
            linear,
            part,
        ),
    )
    if fusion.kernel.bias is None and all(summand.kernel.bias is None for summand in summands):
        return
    zeros = torch.zeros_like(x)
    yield Step(
        "",
        "biases added",
        _on_purpose(study, WrongSide.FUSED) + words.BIASES_ADDED,
        tuple(summand for summand in summands if summand.kernel.bias is not None),
        fused,
        arithmetic.added_biases(summands, fused, study.fused_kernel.kernel, dtype),
        check_kernel(
            "the summed bias = the block's output for 0",
            fusion.kernel,
            fusion.geometry,
            zeros,
            run64(block, zeros),
            part,
        ),
    )


def _less_the_value_at_zero(block: ReparamBlock, x: Tensor) -> Tensor:
    return run64(block, x) - run64(block, torch.zeros_like(x))


def _between_frames(fused: Pair, frame: Pair) -> Callable[[Tap], Tap]:
    """From a place in the fused kernel to that in the branches' frame, another one in a wrong fusion."""
    top, left = offset_in(fused, frame)

    def origin(tap: Tap) -> Tap:
        return tap._replace(ky=tap.ky + top, kx=tap.kx + left)

    return origin


def _on_purpose(study: Study, side: WrongSide) -> str:
    """The mistake that was made on that side; "" for none."""
    mistake = MISTAKES.get(study.alterations.mistake)
    return f"{mistake.on_purpose} " if mistake is not None and mistake.side is side else ""


def last_step(study: Study) -> Step:
    """Both sides run on the whole input, as the study did, and the element where they differ most."""
    weight = study.fused_kernel.kernel.weight
    products = int(weight.shape[1] * weight.shape[2] * weight.shape[3])
    names = [branch.name for branch in study.block.branches]
    check = Check(
        "fused conv = the branches' sum, in float64",
        study.float64.max_abs_diff,
        None,
        study.verdict.ruling.agrees,
    )
    lines = _at_the_worst(study, names, products)
    return Step(
        "",
        "both sides run",
        _on_purpose(study, WrongSide.UNFUSED) + words.both_run(study.verdict, len(names), products),
        (),
        step_kernel("fused", study.fused_kernel.kernel),
        lambda _: lines,
        check,
    )


def _at_the_worst(study: Study, names: Sequence[str], products: int) -> tuple[Line, ...]:
    """The sum of the branches and that of the fused convolution at the element where they differ most."""
    worst, dtype = study.comparison.worst, study.spec.dtype
    block, digits = study.fusion.block, dtype.digits
    outputs = [float(run(branch, study.x)[worst]) for branch in block.branches]
    where = worst.words(study.spec.batch_size)
    terms: list[str] = []
    for name, value in zip(names, outputs, strict=True):
        terms += [f"{' + ' if terms else ''}{name} ", Written(f"{value:.{digits}g}")]
    if block.post_norm is not None:
        terms = ["post norm of (", *terms, ")"]
    fused, unfused = study.comparison.fused, study.comparison.unfused
    return (
        (f"Where they differ most, {where}:" if fused != unfused else f"For example {where}:",),
        ("unfused: ", *terms, " = ", Written(f"{unfused:.{digits}g}")),
        (f"fused: {products} products and the bias, added up = ", Written(f"{fused:.{digits}g}")),
        (f"fused − unfused in {dtype} = ", fused - unfused),
    )
