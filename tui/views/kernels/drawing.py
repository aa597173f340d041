"""What the diagram of a block shows: its branches step by step, what both sides cost, each branch's share."""

from __future__ import annotations

from functools import lru_cache

from tui.analysis.cost import cost_of
from tui.analysis.quantities import short_count
from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.branch_spec import names_of
from tui.views.shared.branch_words import steps_of, title_of, with_times_sign
from tui.widgets.block_diagram import BlockDrawing


@lru_cache(maxsize=8)
def drawing_of(spec: BlockSpec, shares: tuple[float, ...] = ()) -> BlockDrawing:
    """The block of a spec; `shares` of its branches, where they are known."""
    names = names_of(spec.branches)
    params, macs = cost_of(spec).params, cost_of(spec).macs
    frame = "×".join(map(str, spec.fused_kernel_size))
    return BlockDrawing(
        branches=tuple(
            steps_of(branch, title_of(branch, name))
            for name, branch in zip(names, spec.branches, strict=True)
        ),
        names=tuple(with_times_sign(name) for name in names),
        after=("norm",) if spec.post_norm else (),
        fused=f"{frame} conv",
        costs=(_cost(params.unfused, macs.unfused), _cost(params.fused, macs.fused)),
        shares=shares,
    )


def _cost(params: int, macs: int) -> str:
    return f"{short_count(params)} parameters, {short_count(macs)} MACs"
