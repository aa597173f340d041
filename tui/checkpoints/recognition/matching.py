"""A family held against the names under a prefix: the block that they make, or why they make none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tui.checkpoints.contents import Entry
from tui.checkpoints.families import Family
from tui.checkpoints.families.patterns import BranchPattern, Factor, Norm
from tui.checkpoints.found import Assumption, FoundBlock, FoundBranch, FoundLayer
from tui.checkpoints.recognition.chain_words import text_of
from tui.checkpoints.recognition.channels import (
    Channels,
    channels_of,
    common_kernel_size,
    names_read,
)
from tui.checkpoints.recognition.misfit import Misfit
from tui.checkpoints.recognition.presence import all_names, present_branches
from tui.checkpoints.recognition.shaping import Shaping
from tui.fusion.pair_text import Pair
from tui.fusion.specs.layer_spec import ChainSpec, common_groups, embedded_size

FLOATING = ("float64", "float32", "float16", "bfloat16")
"""The dtypes that a convolution is run in here."""

GROUPS = "groups"
"""What an assumption of groups is called."""


def matched(family: Family, names: Mapping[str, Entry], in_channels: int | None = None) -> FoundBlock:
    """The block of that family that these names make, the names under its prefix: one without a prefix.

    `in_channels`: those of its input where no shape of its own says, by what stands before it.

    Raises:
        Misfit: the names or shapes make none.
    """
    branches = present_branches(family, names)
    patterns = [_without_absent(each, names) for each in branches]
    channels = channels_of(patterns, names)
    if family.in_order:
        _refuse_uncertain_order(patterns, channels, names)
    kernel_size = common_kernel_size(patterns, names)
    inside, how = _inside(channels, in_channels)
    shaping = Shaping(names, kernel_size, family.eps)
    found = _branches(shaping, patterns, inside, channels)
    post_norm = shaping.norm(Norm(family.post_norm), channels.outside) if family.post_norm else None
    reads = [*names_read(patterns, names)]
    behind = all_names(Norm(family.post_norm)) if family.post_norm else ()
    reads += [name for name in (*behind, *family.unused) if name in names]
    dtype = _dtype(found, post_norm, names)
    groups = _groups(found, inside)
    size = _fused_size(found)
    fused = _fused(family, patterns, names, (channels.outside, inside // groups, *size), dtype)
    normed = post_norm is not None or any(
        name.endswith("running_var") for each in found for layer in each.layers for name in layer.all_names()
    )
    return FoundBlock(
        "",
        family.name,
        found,
        post_norm,
        inside,
        channels.outside,
        size,
        groups,
        tuple(dict.fromkeys(reads)),
        dtype,
        fused,
        tuple(entry.name for entry in fused if entry.name in names and entry.name not in reads),
        family.eps,
        normed,
        (*_assumed(family, normed, size, groups, how), *_taken_for(family, fused[0], channels)),
    )


def _refuse_uncertain_order(
    patterns: Iterable[BranchPattern], channels: Channels, names: Mapping[str, Entry]
) -> None:
    """A norm of as many channels as the convolution reads may as well stand in front of it.

    Raises:
        Misfit: neither do channels differ, nor does one stand right behind the other in the file.
    """
    order = list(names_read(patterns, names))
    places = {name: place for place, name in enumerate(names)}
    behind = [places[name] for name in order] == [*range(places[order[0]], places[order[0]] + len(order))]
    if not behind and channels.columns in (1, channels.outside):
        raise Misfit("which of the convolution and the norm stands first is not certain", certain=True)


def _without_absent(pattern: BranchPattern, names: Mapping[str, Entry]) -> BranchPattern:
    """The branch without the factors that may be absent, and are."""
    layers = tuple(
        layer
        for layer in pattern.layers
        if not (isinstance(layer, Factor) and layer.optional and layer.name not in names)
    )
    return BranchPattern(pattern.name, layers, pattern.optional, pattern.zeros_between)


def _inside(channels: Channels, hint: int | None) -> tuple[int, str]:
    """Channels of the input, and how they are known: "" where a shape says."""
    columns = channels.columns
    if channels.inside is not None:
        if columns is not None and channels.inside % columns:
            raise Misfit(f"{channels.inside} input channels are not groups of {columns}", disagree=True)
        return channels.inside, ""
    assert columns is not None  # a head that tells nothing else is such a convolution
    if hint is not None:
        return hint, "the output channels of the block before it"
    if columns == 1 and channels.outside > 1:
        return channels.outside, "one input channel for each output channel, as depthwise blocks have"
    return columns, "nothing in the file says more; the fused weight is the same for any"


def _branches(
    shaping: Shaping, patterns: Iterable[BranchPattern], inside: int, channels: Channels
) -> tuple[FoundBranch, ...]:
    every = list(patterns)
    groups = 1 if channels.columns is None else inside // channels.columns
    made = [shaping.layers(each.layers, inside, groups) for each in every]
    for each, (_, out_channels) in zip(every, made, strict=True):
        if out_channels != channels.outside:
            raise Misfit(
                f"{each.name} gives {out_channels} channels, the others {channels.outside}", disagree=True
            )
    mixing = common_groups(
        ChainSpec(tuple(layer.spec for layer in layers)).mixing_groups for layers, _ in made
    )
    own_groups = mixing or inside
    return tuple(
        FoundBranch(
            each.name,
            layers,
            chain := ChainSpec(
                tuple(layer.spec for layer in layers), own_groups, zeros_between=each.zeros_between
            ),
            text_of(layers, chain, own_groups),
        )
        for each, (layers, _) in zip(every, made, strict=True)
    )


def _groups(branches: Iterable[FoundBranch], inside: int) -> int:
    return common_groups(each.chain.mixing_groups for each in branches) or inside


def _fused_size(branches: Iterable[FoundBranch]) -> Pair:
    sizes = [embedded_size(each.chain, (1, 1)) for each in branches]
    return max(size[0] for size in sizes), max(size[1] for size in sizes)


def _dtype(
    branches: Iterable[FoundBranch],
    post_norm: FoundLayer | None,
    names: Mapping[str, Entry],
) -> str:
    """That of the convolutions' weights.

    Raises:
        Misfit: they have several, or one in which nothing can be fused, or a tensor is empty.
    """
    weights: dict[str, str] = {}
    layers = [layer for each in branches for layer in each.layers]
    for layer in [*layers, *([post_norm] if post_norm is not None else [])]:
        for name in layer.all_names():
            entry = names[name]
            if name.endswith("num_batches_tracked"):
                continue
            if entry.dtype not in FLOATING:
                raise Misfit(
                    f"{name} is {entry.dtype}: only {', '.join(FLOATING)} are fused",
                    certain=True,
                )
            if len(entry.shape) > 1 or not weights:
                weights.setdefault(entry.dtype, name)
    convs = _conv_dtypes(layers, names) or set(weights)
    if len(convs) > 1:
        raise Misfit(
            f"its convolutions are {' and '.join(sorted(convs))}: their sum has no one dtype", certain=True
        )
    return convs.pop()


def _conv_dtypes(layers: Iterable[FoundLayer], names: Mapping[str, Entry]) -> set[str]:
    found: set[str] = set()
    for layer in layers:
        if layer.spec.groups is not None and not layer.chains:
            found |= {names[name].dtype for part, name in layer.names if part == "weight"}
        for chain in layer.chains:
            found |= _conv_dtypes(chain, names)
    return found


def _fused(
    family: Family,
    patterns: Iterable[BranchPattern],
    names: Mapping[str, Entry],
    shape: tuple[int, ...],
    dtype: str,
) -> tuple[Entry, Entry]:
    """The fused weight and bias, of as many dimensions as the weights that are read."""
    ranks = {len(names[layer.weight].shape) for each in patterns for layer in each.convs}
    if len(ranks) > 1:
        raise Misfit(f"its weights have {' and '.join(map(str, sorted(ranks)))} dimensions")
    rank = ranks.pop() if ranks else 4
    whole = shape if rank == 4 else (*shape[:2], *shape[4 - rank + 2 :])
    weight, bias = family.fused_names
    return Entry(weight, whole, dtype), Entry(bias, shape[:1], dtype)


def _assumed(family: Family, normed: bool, size: Pair, groups: int, how: str) -> Iterable[Assumption]:
    if normed:
        yield Assumption("eps", f"{family.eps:g}", f"as {family.name} has it; it is in no file")
    yield Assumption("stride", "1", "it is in no file; the fused weight is the same for any")
    if size != (1, 1):
        yield Assumption("padding", "same", "it is in no file; the fused weight is the same for any")
        yield Assumption("dilation", "1", "it is in no file; the fused weight is the same for any")
    if how:
        yield Assumption(GROUPS, str(groups), how)
    if family.note:
        yield Assumption("family", family.name, family.note)


def _taken_for(family: Family, weight: Entry, channels: Channels) -> Iterator[Assumption]:
    """That an ordinary convolution is none that is transposed, where names and shapes would be the same."""
    rank = len(weight.shape) - 2
    if family.plain and family.in_order and rank and channels.columns in (1, channels.outside):
        why = f"a ConvTranspose{rank}d has a weight of the same shape"
        yield Assumption("convolution", f"Conv{rank}d", why, doubtful=True)
