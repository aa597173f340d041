"""The way from the branches to one convolution, one step at a time, each with a check that was run."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from torch import nn

from tui.analysis.progress import Doing
from tui.analysis.steps.both_sides import last_step
from tui.analysis.steps.branch_names import suffixes_of
from tui.analysis.steps.check import input_of_checks
from tui.analysis.steps.of_block import post_norm_step, sum_steps
from tui.analysis.steps.of_branch import BranchSteps
from tui.analysis.steps.step import Step, Walkthrough
from tui.analysis.study import Study

__all__ = ["Walkthrough", "walkthrough"]


def walkthrough(study: Study) -> Iterator[Doing | Walkthrough]:
    """Yield a Doing before each check, and the Walkthrough last.

    Raises:
        RuntimeError: torch could not do it, out of memory for instance.
    """
    steps: list[Step] = []
    for item in _steps(study):
        if isinstance(item, Step):
            steps.append(item)
        else:
            yield item
    yield Walkthrough(tuple(steps))


def _steps(study: Study) -> Iterator[Doing | Step]:
    block = copy.deepcopy(study.block64).requires_grad_(False)  # its branches are taken apart
    sizes = [branch.kernel.kernel_size for branch in study.summands]
    frame = max(size[0] for size in sizes), max(size[1] for size in sizes)
    x, part = input_of_checks(study.block, study.x, frame)
    suffixes = suffixes_of(block.branches)
    for branch, found in zip(block.branches, study.summands, strict=False):
        yield Doing(f"checking the steps of {found.name}")
        yield from BranchSteps(branch, suffixes[found.name], found.folds, block, frame, x, part)
    if isinstance(block.post_norm, nn.BatchNorm2d):
        offset = study.summands[-1].kernel
        yield post_norm_step(block.post_norm, offset, block, x, part)
    yield Doing("checking the sum")
    yield from sum_steps(study, suffixes, frame, x, part)
    yield Doing("running both sides")
    yield last_step(study, suffixes)
