"""The way from the branches to one convolution, one step at a time, each with a check that was run."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from torch import nn

from tui.analysis.progress import Progress
from tui.analysis.steps.check import input_of_checks
from tui.analysis.steps.of_block import fusion64, last_stage, post_norm_stage, sum_stages
from tui.analysis.steps.of_branch import BranchStages
from tui.analysis.steps.step import Stage, Walkthrough
from tui.analysis.study import Study
from tui.fusion.branches import Branch

__all__ = ["Walkthrough", "walkthrough"]


def walkthrough(study: Study) -> Iterator[Progress | Walkthrough]:
    """Yield a Progress before each check, and the Walkthrough last.

    Raises:
        RuntimeError: torch could not do it, out of memory for instance.
    """
    stages: list[Stage] = []
    for item in _stages(study):
        if isinstance(item, Stage):
            stages.append(item)
        else:
            yield item
    yield Walkthrough(tuple(stages))


def _stages(study: Study) -> Iterator[Progress | Stage]:
    block = copy.deepcopy(study.block).double().requires_grad_(False)
    sizes = [branch.kernel.kernel_size for branch in study.branches]
    frame = max(size[0] for size in sizes), max(size[1] for size in sizes)
    x, part = input_of_checks(study.run_block, study.x, frame)
    for branch, found in zip(block.branches, study.branches, strict=False):
        assert isinstance(branch, Branch)
        yield Progress(f"checking the steps of {found.name}")
        yield from BranchStages(branch, found.steps, block, frame, x, part)
    if isinstance(block.post_norm, nn.BatchNorm2d):
        offset = study.branches[-1].kernel
        yield post_norm_stage(block.post_norm, offset, block.geometry, x, part)
    yield Progress("checking the sum")
    fusion = fusion64(study)
    yield from sum_stages(study, fusion, frame, x, part)
    yield Progress("running both sides")
    yield last_stage(study, fusion)
