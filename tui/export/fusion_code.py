"""One branch as lines of a snippet: how it becomes a kernel, by the functions of `tui.export.pieces`."""

from __future__ import annotations

from torch import nn

from tui.export.branch_code import named
from tui.fusion.branches import AverageBranch, Branch, ConvBranch, OffsetIdentityConv, SequenceBranch
from tui.fusion.geometry import Geometry
from tui.fusion.spec import Pair


def fusion_lines(branch: Branch, block: Geometry, frame: Pair) -> list[str]:
    """The statements that leave the branch's kernel in `kernel`, as a summand of a block of that geometry.

    frame: (kH, kW) of the fused kernel.
    """
    own = branch.geometry
    lines = _mapped_fusion(branch)
    if branch.norm is not None:
        lines.append(f"kernel = fold_batch_norm(kernel, block.{named('norm', branch)})")
    lines += [
        f"kernel = scale(kernel, block.{named(part, branch)})"
        for part in ("alpha", "gamma")
        if getattr(branch, part) is not None
    ]
    if own.groups != block.groups:
        lines.append(f"kernel = ungroup(kernel, {own.groups}, {block.groups})")
    steps = [
        mine // fused if size > 1 else 1
        for size, mine, fused in zip(branch.kernel_size, own.dilation, block.dilation, strict=True)
    ]
    if steps != [1, 1]:
        lines.append(f"kernel = dilate(kernel, {steps[0]}, {steps[1]})")
    size = [taps if step == 1 else 0 for taps, step in zip(branch.kernel_size, steps, strict=True)]
    if (size[0], size[1]) != frame:
        lines.append(f"kernel = centred(kernel, {frame[0]}, {frame[1]})")
    return lines


def _mapped_fusion(branch: Branch) -> list[str]:
    groups, (height, width) = branch.geometry.groups, branch.kernel_size
    pool = f"average_pool({branch.out_channels}, {groups}, {height}, {width})"
    if isinstance(branch, ConvBranch):
        return [f"kernel = kernel_of(block.{named('conv', branch)})"]
    if isinstance(branch, AverageBranch):
        return [f"kernel = {pool}"]
    if not isinstance(branch, SequenceBranch):
        return [f"kernel = identity({branch.out_channels}, {groups})"]
    lines = [f"kernel = kernel_of(block.{named('first', branch)})"]
    if isinstance(branch.first.conv, OffsetIdentityConv):
        lines.append(f"kernel = add(kernel, identity({branch.first.conv.out_channels}, {groups}))")
    if branch.first.norm is not None:
        lines.append(f"kernel = fold_batch_norm(kernel, block.{named('inner_norm', branch)})")
    is_conv = isinstance(branch.second, nn.Conv2d)
    second = f"kernel_of(block.{named('second', branch)})" if is_conv else pool
    lines.append(f"kernel = compose(kernel, {second}, {groups})")
    return lines
