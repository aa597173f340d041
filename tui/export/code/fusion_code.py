"""One branch as lines of a snippet: how it becomes a kernel, by the functions of `tui.export.code.pieces`."""

from __future__ import annotations

from collections.abc import Iterator

from tui.export.code.branch_code import named
from tui.export.code.by_layer import folding_code, kernel_code
from tui.fusion.layers import Branch, Chain, Layer
from tui.fusion.pair_text import Pair
from tui.fusion.specs.geometry import Geometry
from tui.fusion.specs.layer_spec import embedded_size, in_a_row
from tui.fusion.specs.padding import offset_in, taps_apart


def fusion_lines(branch: Branch, given: Geometry, frame: Pair) -> list[str]:
    """The statements that leave the branch's kernel in `kernel`, as a summand of the convolution given away.

    given: how that moves over an image; frame: its (kH, kW).
    """
    spacing, before = given.dilation, given.border_of(frame)
    first = (before[2] - branch.border[2]) // spacing[0], (before[0] - branch.border[0]) // spacing[1]
    return [*_chain_lines(branch, branch, ""), *_placed_lines(branch, given.groups, spacing, frame, first)]


def _placed_lines(
    chain: Chain, groups: int, spacing: Pair, frame: Pair, first: Pair | None = None
) -> Iterator[str]:
    """Written with these groups and this spacing, its first tap at that of the frame; None: centred in it."""
    own = chain.geometry
    if own.groups != groups:
        yield f"kernel = ungroup(kernel, {own.groups}, {groups})"
    steps = taps_apart(chain.kernel_size, own.dilation, spacing)
    if steps != (1, 1):
        yield f"kernel = dilate(kernel, {steps[0]}, {steps[1]})"
    size = embedded_size(chain, spacing)
    if first not in (None, offset_in(size, frame)):
        yield f"kernel = padded_at(kernel, {first[0]}, {first[1]}, {frame[0]}, {frame[1]})"
    elif size != frame:
        yield f"kernel = centred(kernel, {frame[0]}, {frame[1]})"


def _chain_lines(branch: Branch, chain: Chain, prefix: str) -> Iterator[str]:
    """The statements that leave the chain's kernel in `kernel`; `prefix`: of its layers' names."""
    groups, spacing = chain.geometry.groups, chain.dilation
    for place, (layer, taps) in enumerate(zip(chain.layers, in_a_row(chain.layers), strict=True)):
        module = f"block.{named(prefix + layer.name, branch)}"
        if place and layer.rescales:
            yield f"kernel = {folding_code(layer, module, groups)}"
            continue
        if place:
            yield "before = kernel"
        if layer.summands:
            yield from _sum_lines(branch, layer, f"{prefix}{layer.name}.", keeps=place > 0)
        else:
            yield f"kernel = {kernel_code(layer, module, groups)}"
        yield from _in_chain(layer, groups, taps_apart(taps.kernel_size, taps.dilation, spacing))
        if place:
            yield f"kernel = compose(before, kernel, {groups})"


def _in_chain(layer: Layer, groups: int, apart: Pair) -> Iterator[str]:
    """Written with the groups of the chain that it is in, and its taps so far apart."""
    own = layer.out_channels if layer.summands and layer.groups is None else layer.groups
    if own is not None and own != groups:
        yield f"kernel = ungroup(kernel, {own}, {groups})"
    if apart != (1, 1):
        yield f"kernel = dilate(kernel, {apart[0]}, {apart[1]})"


def _sum_lines(branch: Branch, layer: Layer, prefix: str, *, keeps: bool) -> Iterator[str]:
    """The sum of the chains' kernels; `keeps`: whether `before` must be what it was afterwards."""
    kept, total = (f"{part}_{prefix.replace('.', '_')}".rstrip("_") for part in ("before", "total"))
    if keeps:
        yield f"{kept} = before"
    for place, chain in enumerate(layer.summands):
        yield from _chain_lines(branch, chain, f"{prefix}{place + 1}.")
        groups = layer.groups or layer.out_channels
        yield from _placed_lines(chain, groups, layer.dilation, layer.kernel_size)
        yield f"{total} = add({total}, kernel)" if place else f"{total} = kernel"
    yield f"kernel = {total}"
    if keeps:
        yield f"before = {kept}"
