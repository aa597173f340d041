"""candidates_of(looked): the blocks of a module as what is timed, and the whole beside its two copies."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from torch import Tensor

from tui.analysis.speed.report import Side
from tui.analysis.speed.several import Candidate, Made, made_of
from tui.analysis.speed.to_time import WHOLE
from tui.fusion.kernel import FusionError
from tui.fusion.refusal import Refusal
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.structure import structure_of
from tui.fusion.torch_dtypes import torch_dtype
from tui.modules.folding import fold_norms
from tui.modules.found import FoundBlock
from tui.modules.looking import LookedAt
from tui.modules.outline import path_of
from tui.modules.whole.model import fuse_model

ALL_OF_IT = "(all of it)"
"""What a module is called that is one block as a whole."""


def title_of(looked: LookedAt, found: FoundBlock) -> str:
    """What a block is called: its path in the module."""
    return ALL_OF_IT if found is looked.whole else path_of(found)


def candidates_of(looked: LookedAt) -> list[Candidate]:
    """Each block on what reached it, then the module as a whole, where it is not one block."""
    made = [
        Candidate(title_of(looked, found), partial(_in_module, looked, found), specs=_specs(found))
        for found in looked.findings.blocks
    ]
    if looked.whole is None:
        specs = tuple(spec for each in made for spec in each.specs)
        made.append(Candidate(WHOLE, partial(_whole, looked), is_whole=True, specs=specs))
    return made


def _specs(found: FoundBlock) -> tuple[BlockSpec, ...]:
    """What it is on what reached it; nothing where that is more than can be looked at."""
    try:
        return (structure_of(found.block64, found.region.source.tensor),)
    except Refusal:
        return ()


def _in_module(looked: LookedAt, found: FoundBlock) -> Made:
    origin = looked.on_the_bench(found)
    x = found.region.source.value.detach().to("cpu", torch_dtype(origin.spec.dtype))
    return made_of(origin.block(origin.spec), x)


def _whole(looked: LookedAt) -> Made:
    image = _only_image(looked.example)
    fused, _ = fuse_model(looked.module, image)
    sides = {Side.UNFUSED: looked.module}
    with suppress(FusionError):  # one that looks at its norms is timed on two sides
        sides[Side.FOLDED] = fold_norms(looked.module, image)
    return Made({**sides, Side.FUSED: fused}, image)


def _only_image(example: Any) -> Tensor:
    """What the whole is timed on.

    Raises:
        FusionError: it takes something else than one image.
    """
    if isinstance(example, tuple) and len(example) == 1:
        (example,) = example
    if isinstance(example, Tensor) and example.dim() == 4:
        return example
    raise FusionError("it is timed as a whole only on one image (batch, channels, H, W)")
