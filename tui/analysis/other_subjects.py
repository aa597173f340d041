"""What is given in the place of a block that can be studied, refused with what to call instead."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from tui.analysis.subject import Subject
from tui.fusion.block import ReparamBlock
from tui.fusion.kernel import FusionError
from tui.fusion.specs.block_spec import BlockSpec

_EXPECTED = "a BlockSpec, or a ReparamBlock and its input, are expected"


def refuse_other_subject(subject: Any, after: Any) -> None:
    """What is neither told as a spec nor a ReparamBlock with an input.

    `after`: what was given after it, None where nothing was.

    Raises:
        FusionError: it is; the message says what to call instead.
    """
    if isinstance(subject, ReparamBlock):
        if not isinstance(after, Tensor):
            raise FusionError(
                f"a block is studied on an input: a tensor (batch, {subject.in_channels}, H, W) in "
                f"{subject.dtype} is expected after it"
            )
    elif isinstance(subject, nn.Module):
        raise FusionError(
            f"a {type(subject).__name__} was given, and {_EXPECTED}: tui.explore(module, x) shows any, "
            "tui.blocks_of(module, x).blocks has the blocks in it, each with its ReparamBlock as .block, and "
            "tui.fuse(module, x) fuses it"
        )
    elif not isinstance(subject, (Subject, BlockSpec)):
        kind = f"the class {subject.__name__}" if isinstance(subject, type) else type(subject).__name__
        raise FusionError(f'{kind} was given, and {_EXPECTED}: tui.PRESETS["repvgg"].spec is one')
    elif isinstance(after, Tensor):
        raise FusionError("an input was given after a spec, which says its own: leave it out")
