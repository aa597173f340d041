"""The steps of the whole block that add up: kernels added, biases added, and what a post norm adds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from tui.analysis.side import WrongSide
from tui.analysis.steps import arithmetic, code, layers, words
from tui.analysis.steps.check import check_kernel, run64
from tui.analysis.steps.code import Names
from tui.analysis.steps.step import Shows, Step, StepKernel, bias_column, step_kernel
from tui.analysis.study import Study
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import Kernel, pad_to
from tui.fusion.specs.block_spec import Pair
from tui.fusion.specs.branch_spec import POST_NORM
from tui.fusion.specs.padding import offset_in
from tui.fusion.tap import Tap


def post_norm_step(norm: nn.BatchNorm2d, offset: Kernel, block: ReparamBlock, x: Tensor, part: str) -> Step:
    """What the batch norm after the sum adds, as a kernel of zeros with a bias."""
    geometry, shape = block.geometry, (x.shape[2], x.shape[3])
    zeros = x.new_zeros((1, len(offset.weight), *block.frame.output(shape, geometry.stride)))
    kernel = offset if geometry.border is None else pad_to(offset, block.kernel_size)
    return Step(
        POST_NORM,
        "post norm's offset",
        words.POST_OFFSET,
        (),
        bias_column("its offset", offset),
        arithmetic.offset_of_norm(norm),
        check_kernel("this bias = the post norm of 0", kernel, geometry, x, run64(norm, zeros), part),
        code=code.offset_of_post_norm(),
        shows=Shows.BIASES,
        layers=(POST_NORM,),
    )


def sum_steps(study: Study, suffixes: Mapping[str, str], frame: Pair, x: Tensor, part: str) -> Iterator[Step]:
    """Kernels added and biases added; neither where a single branch has nothing to be added to.

    `suffixes`: those of `suffixes_of`. `frame`: (kH, kW) that holds every branch's kernel.
    """
    if len(study.summands) == 1 and not study.in_effect.alters_fusion:
        return
    fusion = study.fusion64
    fused = step_kernel("fused", fusion.kernel)
    summands = [
        step_kernel(branch.name, branch.kernel, frame, _between_frames(fused.frame, frame))
        for branch in study.summands
    ]
    yield _kernels_added(study, suffixes, summands, fused, x, part)
    if fusion.kernel.bias is not None or any(summand.kernel.bias is not None for summand in summands):
        yield _biases_added(study, suffixes, summands, fused, x, part)


def _kernels_added(
    study: Study,
    suffixes: Mapping[str, str],
    summands: list[StepKernel],
    fused: StepKernel,
    x: Tensor,
    part: str,
) -> Step:
    fusion = study.fusion64
    weighted = _with_signs(summand for summand in summands if summand.title != POST_NORM)
    weight = Kernel(fusion.kernel.weight, None)
    return Step(
        "",
        "kernels added",
        words.on_purpose(study.alterations.mistake, WrongSide.FUSED) + words.kernels_added(len(weighted)),
        weighted,
        step_kernel("fused", weight, sign=_equals(study)),
        arithmetic.added(weighted, fused, study.fused_kernel.kernel, study.spec.dtype),
        check_kernel(
            "conv = the block, both without bias",
            weight,
            fusion.geometry,
            x,
            _less_the_value_at_zero(study.block64, x),
            part,
        ),
        code=code.added([Names(suffixes[each.title]).weight for each in weighted], "w", right=study.adds_up),
        layers=(layers.SUM,),
    )


def _biases_added(
    study: Study,
    suffixes: Mapping[str, str],
    summands: list[StepKernel],
    fused: StepKernel,
    x: Tensor,
    part: str,
) -> Step:
    fusion = study.fusion64
    names = [
        "b_post" if each.title == POST_NORM else Names(suffixes[each.title]).bias
        for each in summands
        if each.kernel.bias is not None
    ]
    zeros = torch.zeros_like(x)
    return Step(
        "",
        "biases added",
        words.on_purpose(study.alterations.mistake, WrongSide.FUSED) + words.BIASES_ADDED,
        _with_signs(bias_column(each.title, each.kernel) for each in summands),
        bias_column("fused", fusion.kernel, _equals(study)),
        arithmetic.added_biases(summands, fused, study.fused_kernel.kernel, study.spec.dtype),
        check_kernel(
            "the summed bias = the block's output for 0",
            fusion.kernel,
            fusion.geometry,
            zeros,
            run64(study.block64, zeros),
            part,
        ),
        code=code.added(names, "b", right=study.adds_up),
        shows=Shows.BIASES,
        layers=(layers.BIASES,),
    )


def _with_signs(summands: Iterator[StepKernel]) -> tuple[StepKernel, ...]:
    return tuple(replace(each, sign="+" if place else "") for place, each in enumerate(summands))


def _equals(study: Study) -> str:
    return "=" if study.adds_up else "≠"


def _less_the_value_at_zero(block: ReparamBlock, x: Tensor) -> Tensor:
    return run64(block, x) - run64(block, torch.zeros_like(x))


def _between_frames(fused: Pair, frame: Pair) -> Callable[[Tap], Tap]:
    """From a place in the fused kernel to that in the branches' frame, another one in a wrong fusion."""
    top, left = offset_in(fused, frame)

    def origin(tap: Tap) -> Tap:
        return tap._replace(ky=tap.ky + top, kx=tap.kx + left)

    return origin
