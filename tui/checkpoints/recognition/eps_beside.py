"""The eps of plain pairs, which no code gives them of its own: that of the blocks in the same file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from tui.checkpoints.families.family import USUAL_EPS
from tui.checkpoints.found import Assumption, FoundBlock, FoundBranch
from tui.fusion.specs.layer_spec import LayerSpec

EPS = "eps"
"""What an assumption of eps is called."""


def with_eps_beside(blocks: Sequence[FoundBlock], pairs: Collection[str]) -> Iterator[FoundBlock]:
    """The blocks in order, plain pairs with the eps that all others have.

    A net is built with one eps, as a rule: YOLO's sets it in every batch norm. Where the others have several,
    a pair keeps the usual one, and its assumption tells those.

    Args:
        blocks: those of a file.
        pairs: the names of the families of plain pairs.
    """
    beside: dict[float, list[str]] = {}
    for block in blocks:
        if block.family not in pairs and block.has_norm:
            families = beside.setdefault(block.eps, [])
            families += [block.family] * (block.family not in families)
    told = _told(beside)
    for block in blocks:
        yield _with_eps(block, told) if told is not None and block.family in pairs else block


def _told(beside: Mapping[float, Sequence[str]]) -> Assumption | None:
    """The eps of a pair beside these families; None where it is the usual one without a word."""
    if set(beside) <= {USUAL_EPS}:
        return None
    if len(beside) == 1:
        ((eps, families),) = beside.items()
        why = f"as {' and '.join(families)} beside it {'have' if len(families) > 1 else 'has'}"
        return Assumption(EPS, f"{eps:g}", f"{why}; it is in no file", doubtful=True)
    listed = " and ".join(f"{eps:g} ({', '.join(families)})" for eps, families in sorted(beside.items()))
    why = f"the usual one, as the blocks beside it have {listed}; it is in no file"
    return Assumption(EPS, f"{USUAL_EPS:g}", why, doubtful=True)


def _with_eps(block: FoundBlock, told: Assumption) -> FoundBlock:
    eps = float(told.value)
    return replace(
        block,
        eps=eps,
        branches=tuple(_branch_with_eps(branch, eps) for branch in block.branches),
        assumed=tuple(told if each.what == EPS else each for each in block.assumed),
    )


def _branch_with_eps(branch: FoundBranch, eps: float) -> FoundBranch:
    layers = tuple(replace(layer, spec=_spec_with_eps(layer.spec, eps)) for layer in branch.layers)
    return replace(
        branch, layers=layers, chain=replace(branch.chain, layers=tuple(layer.spec for layer in layers))
    )


def _spec_with_eps(spec: LayerSpec, eps: float) -> LayerSpec:
    return spec if spec.eps is None else replace(spec, eps=eps)
