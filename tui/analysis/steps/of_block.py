"""The stages of the whole block: kernels added, biases added, both sides run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from tui.analysis.alterations.applying import Fusion, fusion_of
from tui.analysis.alterations.gallery import MISTAKES
from tui.analysis.steps import arithmetic, words
from tui.analysis.steps.check import check_kernel, run64
from tui.analysis.steps.step import Check, Line, Place, Stage, Written, staged
from tui.analysis.study import Study, run
from tui.fusion.block import POST_NORM, ReparamBlock
from tui.fusion.branches import Branch
from tui.fusion.geometry import Geometry
from tui.fusion.kernel import Kernel
from tui.fusion.padding import centre
from tui.fusion.spec import Dtype, Pair

_DIGITS = {Dtype.FLOAT64: 17, Dtype.FLOAT32: 9}
"""Significant digits that tell any two numbers of the dtype apart; 5 for 16 bit."""


def post_norm_stage(norm: nn.BatchNorm2d, offset: Kernel, geometry: Geometry, x: Tensor, part: str) -> Stage:
    """What the batch norm behind the sum adds, as a kernel of zeros with a bias."""
    zeros = x.new_zeros((1, len(offset.weight), *x.shape[2:]))
    reference = run64(norm, zeros)[:, :, :: geometry.stride[0], :: geometry.stride[1]]
    return Stage(
        POST_NORM,
        "post norm's offset",
        words.POST_OFFSET,
        (),
        staged("its offset", offset),
        arithmetic.offset_of_norm(norm),
        check_kernel("this bias = the post norm of 0", offset, geometry, x, reference, part),
    )


def fusion64(study: Study) -> Fusion:
    """The fusion of the study once more, in float64, with what was altered about it."""
    return fusion_of(copy.deepcopy(study.block).double(), study.x.double(), study.alterations)


def sum_stages(study: Study, fusion: Fusion, frame: Pair, x: Tensor, part: str) -> Iterator[Stage]:
    """Kernels added and biases added; neither where a single branch has nothing to be added to.

    `frame`: (kH, kW) that holds every branch's kernel.
    """
    spoilt = study.alterations.spoil_the_fusion
    if len(study.branches) == 1 and not spoilt:
        return
    fused = staged("fused", fusion.kernel)
    summands = [
        staged(branch.name, branch.kernel, frame, _between_frames(fused.frame, frame))
        for branch in study.branches
    ]
    weighted = tuple(summand for summand in summands if summand.title != POST_NORM)
    linear = _less_the_value_at_zero(fusion.block, x)
    dtype = study.spec.dtype
    yield Stage(
        "",
        "kernels added",
        _on_purpose(study) + words.kernels_added(len(weighted)),
        weighted,
        staged("fused", Kernel(fusion.kernel.weight, None)),
        arithmetic.added(weighted, fused, study.fused.kernel, dtype),
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
    yield Stage(
        "",
        "biases added",
        _on_purpose(study) + words.BIASES_ADDED,
        tuple(summand for summand in summands if summand.kernel.bias is not None),
        fused,
        arithmetic.added_biases(summands, fused, study.fused.kernel, dtype),
        check_kernel(
            "the summed bias = the block's output for 0",
            fusion.kernel,
            fusion.geometry,
            zeros,
            run64(fusion.block, zeros),
            part,
        ),
    )


def _less_the_value_at_zero(block: ReparamBlock, x: Tensor) -> Tensor:
    return run64(block, x) - run64(block, torch.zeros_like(x))


def _between_frames(fused: Pair, frame: Pair) -> Callable[[Place], Place]:
    """From a place in the fused kernel to that in the branches' frame, another one in a wrong fusion."""
    top, left = (centre(to) - centre(size) for size, to in zip(fused, frame, strict=True))

    def origin(place: Place) -> Place:
        return place[0], place[1], place[2] + top, place[3] + left

    return origin


def _on_purpose(study: Study) -> str:
    mistake = study.alterations.mistake
    return f"Fused wrongly on purpose: {MISTAKES[mistake].title}. " if mistake else ""


def last_stage(study: Study, fusion: Fusion) -> Stage:
    """Both sides run on the whole input, as the study did, and the element where they differ most."""
    weight = study.fused.kernel.weight
    products = int(weight.shape[1] * weight.shape[2] * weight.shape[3])
    names = [branch.name for branch in _branches(fusion.block)]
    check = Check(
        "fused conv = the branches' sum, in float64",
        study.float64.max_abs_diff,
        None,
        study.verdict.ruling.agrees,
    )
    lines = _at_the_worst(study, names, products)
    return Stage(
        "",
        "both sides run",
        words.both_run(study.verdict, len(names), products),
        (),
        staged("fused", study.fused.kernel),
        lambda _: lines,
        check,
    )


def _branches(block: ReparamBlock) -> list[Branch]:
    return [branch for branch in block.branches if isinstance(branch, Branch)]


def _at_the_worst(study: Study, names: Sequence[str], products: int) -> tuple[Line, ...]:
    """The sum of the branches and that of the fused convolution at the element where they differ most."""
    worst, dtype = study.comparison.worst, study.spec.dtype
    block = (
        fusion_of(study.block, study.x, study.alterations).block if study.alterations.mistake else study.block
    )
    outputs = [float(run(branch, study.x)[worst]) for branch in _branches(block)]
    digits = _DIGITS.get(dtype, 5)
    batch, out, row, column = worst
    where = f"out {out} ({row},{column})" + (f" of input {batch}" if study.spec.batch_size > 1 else "")
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
