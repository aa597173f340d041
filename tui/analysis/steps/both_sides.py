"""The last step: both sides run on the whole input, the difference, and what torch.allclose says of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch

from tui.analysis.numerics.outputs import signed_difference
from tui.analysis.numerics.pixel import Pixel
from tui.analysis.side import WrongSide
from tui.analysis.steps import code, words
from tui.analysis.steps.code import Code, Names
from tui.analysis.steps.step import Check, Line, Shows, Step, StepKernel, Written, step_kernel
from tui.analysis.study import Study
from tui.analysis.verdict.runs import run
from tui.fusion.kernel import Kernel
from tui.fusion.tap import Tap

LEAST_WRITTEN = 0.1
"""The least of a largest difference that four columns can show; a smaller one is shown multiplied."""


def last_step(study: Study, suffixes: Mapping[str, str]) -> Step:
    """Both outputs, their difference, and the arithmetic of one element, as the study found them."""
    weight = study.fused_kernel.kernel.weight
    products = int(weight.shape[1] * weight.shape[2] * weight.shape[3])
    names = [branch.name for branch in study.block.branches]
    check = Check(
        "fused conv = the branches' sum, in float64",
        study.float64.max_abs_diff,
        None,
        study.verdict.ruling.agrees,
    )
    return Step(
        "",
        "both sides run",
        words.on_purpose(study.alterations.mistake, WrongSide.UNFUSED)
        + words.both_run(study.verdict, len(names), products),
        (
            step_kernel("fused", Kernel(study.outputs.fused, None)),
            step_kernel("unfused", Kernel(study.outputs.unfused, None), sign="−"),
        ),
        _difference(study),
        _at_an_element(study, names, products),
        check,
        code=_code(study, suffixes),
        shows=Shows.MAPS,
    )


def _difference(study: Study) -> StepKernel:
    """fused - unfused, times a power of ten where its digits would not be seen in a cell."""
    difference = signed_difference(study.outputs.unfused, study.outputs.fused)
    largest, title = study.comparison.max_abs_diff, "difference"
    if 0 < largest < LEAST_WRITTEN:
        power = -math.floor(math.log10(largest))
        difference, title = difference.mul_(10.0**power), f"difference × 1e{power}"
    return step_kernel(title, Kernel(difference.to(torch.float32), None), sign="=")


def _code(study: Study, suffixes: Mapping[str, str]) -> Code:
    fused, closeness = study.fused_kernel.kernel, study.comparison.closeness
    alone = len(study.summands) == 1 and not study.in_effect.alters_fusion
    own = Names(suffixes[study.summands[0].name]) if alone else Names("")
    tensors = {"weight": own.weight, "bias": "" if fused.bias is None else own.bias}
    return Code(
        code.both_run(
            tensors,
            fused.kernel_size,
            study.fusion.geometry,
            study.spec.dtype,
            closeness.rtol,
            closeness.atol,
            closeness.passes,
        ),
        weight="fused",
    )


def _at_an_element(study: Study, names: Sequence[str], products: int) -> Callable[[Tap], tuple[Line, ...]]:
    """By the place of an element, (batch, channel, row, column), what became of it."""
    digits, batch = study.spec.dtype.digits, study.spec.batch_size
    outputs, worst = study.outputs, study.comparison.worst
    sums = _sum_at_the_worst(study, names)

    def lines(tap: Tap) -> tuple[Line, ...]:
        pixel = Pixel(*tap)
        unfused, fused = float(outputs.unfused[pixel]), float(outputs.fused[pixel])
        where = pixel.words(batch)
        if pixel == worst:
            most = study.comparison.max_abs_diff > 0
            told: tuple[Line, ...] = (
                (f"Where they differ most, {where}:" if most else f"For example {where}:",),
                ("unfused: ", *sums, " = ", Written(f"{unfused:.{digits}g}")),
                (f"fused: {products} products and the bias, added up = ", Written(f"{fused:.{digits}g}")),
            )
        else:
            told = (
                (
                    f"{where}: unfused ",
                    Written(f"{unfused:.{digits}g}"),
                    ", fused ",
                    Written(f"{fused:.{digits}g}"),
                ),
                (f"They differ most at {worst.words(batch)}.",),
            )
        return *told, *_closeness(study, unfused, fused)

    return lines


def _closeness(study: Study, unfused: float, fused: float) -> tuple[Line, ...]:
    """What torch.allclose asks of an element, and of how many that is so."""
    closeness, dtype = study.comparison.closeness, study.spec.dtype
    allowed = closeness.atol + closeness.rtol * abs(unfused)
    close = bool(
        torch.isclose(
            torch.tensor(fused, dtype=study.outputs.fused.dtype),
            torch.tensor(unfused, dtype=study.outputs.fused.dtype),
            closeness.rtol,
            closeness.atol,
        )
    )
    within = closeness.elements - closeness.failing
    return (
        (f"fused − unfused in {dtype} = ", fused - unfused),
        (
            "≤" if close else ">",
            " atol + rtol × |unfused| = ",
            allowed,
            f": {'close' if close else 'not close'}; {within} of {closeness.elements} are",
        ),
    )


def _sum_at_the_worst(study: Study, names: Sequence[str]) -> list[str]:
    """The sum of the branches at the element where the sides differ most."""
    worst, digits = study.comparison.worst, study.spec.dtype.digits
    block = study.fusion.block
    outputs = [float(run(branch, study.x)[worst]) for branch in block.branches]
    terms: list[str] = []
    for name, value in zip(names, outputs, strict=True):
        terms += [f"{' + ' if terms else ''}{name} ", Written(f"{value:.{digits}g}")]
    return terms if block.post_norm is None else ["post norm of (", *terms, ")"]
