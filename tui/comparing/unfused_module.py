"""unfused_in(looked): the blocks of a module as those of a file, to be held against what was made of them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from torch import Tensor, nn

from tui.checkpoints.comparison.counterparts import names_under
from tui.checkpoints.comparison.unfused import Names, Unfused
from tui.checkpoints.contents import Entry
from tui.checkpoints.found import FoundBlock, FoundBranch, LeftAlone, Recognition
from tui.checkpoints.held_tensors import HeldTensors
from tui.fusion.block import ReparamBlock
from tui.fusion.specs.layer_spec import ChainSpec
from tui.modules.found import FoundBlock as InModule
from tui.modules.looking import LookedAt
from tui.modules.outline import path_of
from tui.modules.reading import names_read, tensors_of

FUSED_NAMES = ("", "fused", "conv_kxk", "reparam", "fused_conv", "deploy_conv")
"""What authors call the fused convolution, beside what every family of files does; "": it is the module."""

_ASKED = 10**9


@dataclass(frozen=True, eq=False, slots=True)
class UnfusedModule:
    """A module to be compared.

    Attributes:
        unfused: every block in it once; one that runs twice has the same numbers both times.
        reads: by each block of the module the names of its tensors, which tell it in `unfused`.
    """

    unfused: Unfused
    reads: Mapping[InModule, tuple[str, ...]]


def unfused_in(looked: LookedAt) -> UnfusedModule:
    """What was found in a module, as what was found in a file."""
    tensors = tensors_of(looked.module)
    blocks: dict[FoundBlock, InModule] = {}
    reads: dict[InModule, tuple[str, ...]] = {}
    known: set[tuple[str, ...]] = set()
    for found in looked.findings.blocks:
        made = _as_in_a_file(found, looked, tensors)
        if made.reads not in known:
            blocks[made] = found
        known.add(made.reads)
        reads[found] = made.reads
    left_alone = tuple(LeftAlone(each.path, None, each.reason) for each in looked.findings.left_alone)
    taken = set(chain.from_iterable(reads.values()))
    rest = tuple(name for name in tensors if name not in taken)

    def block(found: FoundBlock) -> ReparamBlock:
        return copy.deepcopy(blocks[found].block).requires_grad_(False).eval()

    def roots(found: FoundBlock) -> tuple[str, ...]:
        return _roots(blocks[found], found, tensors)

    def names(found: FoundBlock) -> Names:
        return tuple(_names(roots(found)))

    recognition = Recognition(tuple(blocks), left_alone, rest)
    unfused = Unfused(HeldTensors(tensors, looked.name), recognition, block, names, roots, _ASKED)
    return UnfusedModule(unfused, reads)


def _as_in_a_file(found: InModule, looked: LookedAt, tensors: Mapping[str, Tensor]) -> FoundBlock:
    block, groups = found.block64, found.block64.geometry.groups
    dtype = str(found.dtype).removeprefix("torch.")
    dot = f"{found.title}." if found.title else ""
    out = block.out_channels
    eps = {each.eps for each in block.modules() if isinstance(each, nn.BatchNorm2d)}
    return FoundBlock(
        prefix="" if found is looked.whole else path_of(found),
        family=_class_of(found, looked.module),
        branches=tuple(
            FoundBranch(branch.name, (), ChainSpec(()), ", ".join(layer.name for layer in branch.layers))
            for branch in block.branches
        ),
        post_norm=None,
        in_channels=block.in_channels,
        out_channels=out,
        kernel_size=block.kernel_size,
        groups=groups,
        reads=names_read(found, tensors),
        dtype=dtype,
        fused=(
            Entry(f"{dot}weight", (out, block.in_channels // groups, *block.kernel_size), dtype),
            Entry(f"{dot}bias", (out,), dtype),
        ),
        placeholders=(),
        eps=min(eps, default=0.0),
        has_norm=len(eps) == 1,
        assumed=(),
    )


def _class_of(found: InModule, module: nn.Module) -> str:
    """The class in whose forward it runs."""
    try:
        return type(module.get_submodule(found.owner)).__name__
    except AttributeError:
        return type(module).__name__


def _roots(found: InModule, in_file: FoundBlock, tensors: Iterable[str]) -> tuple[str, ...]:
    """Where its fused convolution may stand: where it does, or in the place of a module that is it alone."""
    own = set(in_file.reads)
    others = [f".{name}" for name in tensors if name not in own]
    places = [found.title]
    for place in _up_from(found.owner):
        start = f".{place}." if place else "."
        if any(name.startswith(start) for name in others):
            break
        places.append(place)
    return tuple(dict.fromkeys(places))


def _up_from(path: str) -> Iterator[str]:
    """A module's path, and those of the modules that it is in, up to the whole: "a.b", "a", ""."""
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""


def _names(roots: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for root in roots:
        for word in FUSED_NAMES:
            path = ".".join(each for each in (root, word) if each)
            dot = f"{path}." if path else ""
            yield f"{dot}weight", f"{dot}bias"
        yield from names_under(root)
