"""The fused kernel that another tool made, as numbers set by hand, to see it beside the right one."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from tui.analysis.alterations.alterations import FUSED, Alterations, Edit
from tui.checkpoints.comparison.compared import ComparedBlock
from tui.checkpoints.contents import Checkpoint

MOST_NUMBERS = 20_000
"""Numbers that are set; of a larger kernel the first wrong output channels."""


def alterations_of(block: ComparedBlock, given: Checkpoint) -> tuple[Alterations, str]:
    """What makes the bench's fused kernel the given one, and what the user should know of it.

    Nothing of a right kernel is set, whose numbers are rounded otherwise at most; nor of one that has another
    shape. The numbers of a wrong one are set channel by channel, the wrong channels first.

    Raises:
        CheckpointError: the other file has changed or is gone.
    """
    if block.agrees or block.verdict is None or block.weight_name is None:
        return Alterations(), "" if block.agrees else f"as the block comes to: {block.sentence}"
    found = block.found
    shape = (found.out_channels, found.in_channels // found.groups, *found.kernel_size)
    weight = given.tensor(block.weight_name).detach().double()
    if weight.numel() != shape[0] * shape[1] * shape[2] * shape[3]:
        return Alterations(), "as the block comes to: the given one has another shape"
    bias = None if block.bias_name is None else given.tensor(block.bias_name).detach().double()
    weight = weight.reshape(shape)
    wrong = block.verdict.channels
    order = [*wrong, *(channel for channel in range(shape[0]) if channel not in set(wrong))]
    fitting = order[: max(1, MOST_NUMBERS // (weight[0].numel() + 1))]
    edits = tuple(edit for channel in sorted(fitting) for edit in _channel(weight, bias, channel))
    whole = len(fitting) == len(order)
    some = f"as given in {len(fitting)} of {len(order)} output channels, the wrong ones first"
    return Alterations(edits), "as given" if whole else some


def _channel(weight: Tensor, bias: Tensor | None, channel: int) -> Iterator[Edit]:
    """All numbers of an output channel; without a bias it is 0."""
    rows = weight[channel].tolist()
    for column, kernel in enumerate(rows):
        for y, row in enumerate(kernel):
            for x, value in enumerate(row):
                yield Edit(f"{FUSED}.weight", (channel, column, y, x), value)
    yield Edit(f"{FUSED}.bias", (channel,), 0.0 if bias is None else float(bias[channel]))
