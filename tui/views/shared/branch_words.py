"""Branches in words: their titles, what they do step by step, what is folded into their kernels."""

from __future__ import annotations

import re

from tui.fusion.specs.block_spec import BlockSpec
from tui.fusion.specs.branch_spec import BranchKind, BranchSpec
from tui.fusion.specs.layer_spec import LayerKind

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
_SECOND_STEPS = {BranchKind.POINTWISE_KXK: "k×k conv", BranchKind.POINTWISE_AVERAGE: "average pool"}


def title_of(branch: BranchSpec, name: str) -> str:
    """The kind in words, and its number where the block has several of it."""
    title = _TITLES.get(branch.kind)
    if branch.kind is BranchKind.CHAIN:
        return with_times_sign(branch.title)
    if title is None:
        size, _, dilation = branch.title.partition("d")
        title = f"{with_times_sign(size)} conv" + (f", d{dilation}" if dilation else "")
    _, _, number = name.partition(" #")
    return f"{title} {number}".strip()


def with_times_sign(name: str) -> str:
    """A branch's name with a sign in its sizes: "1×1>sobelx"; "rbr_1x1" is somebody's name, and stays."""
    return re.sub(r"(?<!\w)([0-9]+|k)x([0-9]+|k)(?!_)", r"\1×\2", name)


def folded_into(branch: BranchSpec, spec: BlockSpec) -> str:
    """What was folded into its kernel."""
    layers = tuple(spec.chain_of(branch).all_layers())
    norms = sum(layer.eps is not None for layer in layers) + spec.post_norm
    parts = ["" if not norms else "norm folded" if norms == 1 else f"{norms} norms folded"]
    return ", ".join([*filter(None, parts), *(_SCALES[each.kind] for each in layers if each.kind in _SCALES)])


def steps_of(branch: BranchSpec, title: str) -> tuple[str, ...]:
    """What a branch does, in its order."""
    second = _SECOND_STEPS.get(branch.kind)
    steps = [title] if second is None else ["1×1 conv", *["norm"] * branch.inner_norm, second]
    return (*steps, *["norm"] * branch.batch_norm, *filter(None, [_SCALES.get(branch.scale, "")]))
