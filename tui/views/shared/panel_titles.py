"""The summands of a fused kernel in words: what stands over and under each panel."""

from __future__ import annotations

from dataclasses import dataclass

from tui.fusion.branch_spec import BranchKind, BranchSpec, names_of
from tui.fusion.layer_spec import LayerKind
from tui.fusion.spec import BlockSpec

_TITLES = {
    BranchKind.KXK: "k×k conv",
    BranchKind.POINTWISE: "1×1 conv",
    BranchKind.IDENTITY: "identity",
    BranchKind.ROW: "1×k conv",
    BranchKind.COLUMN: "k×1 conv",
    BranchKind.AVERAGE: "average pool",
    BranchKind.POINTWISE_KXK: "1×1, then k×k",
    BranchKind.POINTWISE_AVERAGE: "1×1, then average",
}
_SCALES: dict[str, str] = {LayerKind.ALPHA: "× alpha", LayerKind.GAMMA: "× gamma"}


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
        summands.append(PanelTitle(name, "+" if summands else "", title, _folded(branch, spec)))
    if spec.post_norm:
        summands.append(PanelTitle("post norm", "+", "post norm's offset"))
    return [*summands, PanelTitle("fused", "=" if adds_up else "≠", f"fused {frame} conv")]


def title_of(branch: BranchSpec, name: str) -> str:
    """The kind in words, and its number where the block has several of it."""
    title = _TITLES.get(branch.kind)
    if branch.kind is BranchKind.CHAIN:
        return branch.title.replace("x", "×")
    if title is None:
        size, _, dilation = branch.title.partition("d")
        title = f"{size.replace('x', '×')} conv" + (f", d{dilation}" if dilation else "")
    _, _, number = name.partition(" #")
    return f"{title} {number}".strip()


def _folded(branch: BranchSpec, spec: BlockSpec) -> str:
    layers = tuple(spec.chain_of(branch).all_layers())
    norms = sum(layer.kind == LayerKind.NORM for layer in layers) + spec.post_norm
    parts = ["" if not norms else "norm folded" if norms == 1 else f"{norms} norms folded"]
    return ", ".join([*filter(None, parts), *(_SCALES[each.kind] for each in layers if each.kind in _SCALES)])
