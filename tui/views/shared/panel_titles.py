"""The summands of a fused kernel in words: what stands over and under each panel."""

from __future__ import annotations

from dataclasses import dataclass

from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.branch_spec import names_of
from tui.views.shared.branch_words import folded_into, title_of


@dataclass(frozen=True, slots=True)
class PanelTitle:
    """One panel: the study's name of it, the sign before it, its title, what was folded in.

    The sign is "" or "+", and before the fused kernel "=", or "≠" where that is another one than the sum.
    """

    name: str
    sign: str
    title: str
    folded: str = ""


def panel_titles(spec: BlockSpec, *, adds_up: bool = True) -> list[PanelTitle]:
    """The branches, what a post norm adds, and the fused kernel that they come to, or should."""
    frame = "×".join(map(str, spec.fused_kernel_size))
    names = names_of(spec.branches)
    summands: list[PanelTitle] = []
    for name, branch in zip(names, spec.branches, strict=True):
        embedded = spec.embedded_kernel_size(branch) != spec.fused_kernel_size
        title = title_of(branch, name) + (f", as {frame}" if embedded else "")
        summands.append(PanelTitle(name, "+" if summands else "", title, folded_into(branch, spec)))
    if spec.post_norm:
        summands.append(PanelTitle("post norm", "+", "post norm's offset"))
    return [*summands, PanelTitle("fused", "=" if adds_up else "≠", f"fused {frame} conv")]
