"""Branches as text, "kxk+norm,1x1-bias,identity": as the command line takes and the form writes them."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tui.fusion.grammar.chain_text import parse_chain, show_chain, split_outside
from tui.fusion.grammar.not_linear import WHY, not_linear_in
from tui.fusion.grammar.text_error import TextError
from tui.fusion.pair_text import shortest
from tui.fusion.quoting import quoted
from tui.fusion.specs.branch_spec import BranchKind, BranchSpec, Scale
from tui.fusion.specs.layer_spec import LayerKind
from tui.fusion.specs.part import Part

_NAMED_KINDS = [kind for kind in BranchKind if kind not in (BranchKind.SIZED, BranchKind.CHAIN)]
_BY_LENGTH = sorted(_NAMED_KINDS, key=len, reverse=True)  # "1x1-kxk" before "1x1"
_NUMBER = r"[0-9]{1,6}"
_SIZE = re.compile(rf"(?P<kH>{_NUMBER})x(?P<kW>{_NUMBER})(?:d(?P<dH>{_NUMBER})(?:x(?P<dW>{_NUMBER}))?)?")
_OPTIONS = rf"(?:\+p{_NUMBER}x{_NUMBER}|[+-][a-z]+(?:{_NUMBER})?)*"
_BRANCH = re.compile(
    rf"(?P<kind>{'|'.join(map(re.escape, _BY_LENGTH))}|{re.sub('P<.*?>', ':', _SIZE.pattern)})"
    rf"(?P<options>{_OPTIONS})"
)
_SEQUENCE = re.compile(
    rf"1x1-(?P<second>(?:avg)?{re.sub('P<.*?>', ':', _SIZE.pattern)})"
    rf"(?P<options>{_OPTIONS})"
)
_OF_LAYERS = re.compile(r"[+](?:dw|eps|c[0-9])")
"""Options that only layers have."""
_IS_CHAIN = re.compile(rf"[>()]|^(?:norm|alpha|gamma|avg|sobel|laplacian|taps)|{_OF_LAYERS.pattern}")
_BEFORE_OPTION = re.compile(r"\s+(?=[+-][a-z])")
_OPTION = re.compile(rf"(?P<sign>[+-])(?P<name>[a-z]+)(?P<number>{_NUMBER}(?:x{_NUMBER})?)?")

KINDS = f"{', '.join(_NAMED_KINDS)}, a kernel size such as 5x5 or 3x3d2, or layers as in 1x1 > 3x3"
OPTIONS = "+norm, -bias, +alpha, +gamma, +g4, +p1; 1x1-kxk, 1x1-avg: +inner, +idconv, +zeros; 1x1-kxk: +x2"

_APART = "; branches stand apart by commas"

_FLAGS = {"norm": "batch_norm", "inner": "inner_norm", "idconv": "identity_offset", "zeros": "zero_border"}
_NUMBERS = {"g": "groups", "x": "expansion"}


def parse_branches(text: str) -> tuple[BranchSpec, ...]:
    """Branches by name, with what is switched on (+) or off (-) after each.

    Names: kxk, 1x1, identity, 1xk, kx1, avg, 1x1-kxk, 1x1-avg, and kernel sizes such as 5x5 or, dilated by 2,
    3x3d2. A convolution has a bias unless "-bias" follows it, a batch norm only if "+norm" does. "+alpha" and
    "+gamma" scale the branch by one number or one a channel; "+g4" gives it 4 groups, "+p1" or "+p1x0" a
    padding of its own. In a sequence "+inner" puts a batch norm between the steps, "+idconv" stores the 1x1
    minus the identity, "+zeros" pads zeros between; in 1x1-kxk "+x2" doubles the channels between.

    Layers in a row stand between ">", each with its own options: "1x1+x2 > 3x3+c16 > 1x1", with norm, avg3x3,
    sobelx, sobely, laplacian, taps(1 0 -1) and sums such as (3x3 + identity) among them; "+dw" makes a
    convolution depthwise, "+eps1e-3" is a batch norm's, "+zeros" lets each layer pad zeros of its own.

    >>> [branch.title for branch in parse_branches("kxk+norm,3x3d2,identity")]
    ['kxk', '3x3d2', 'identity']

    Raises:
        TextError: with words for the user.
    """
    return tuple(_parse_branch(part.strip()) for part in split_outside(text, ",") if part.strip())


def _parse_branch(text: str) -> BranchSpec:
    curved = not_linear_in(text)
    if curved is not None:
        raise TextError(f"{quoted(curved)} {WHY}")
    text = _BEFORE_OPTION.sub("", text)
    match = _BRANCH.fullmatch(text)
    if match is None or _OF_LAYERS.search(match["options"]):
        return _parse_layers(text)
    values = _kind(match["kind"])
    given: dict[str, str] = {}
    for option in _OPTION.finditer(match["options"]):
        ((name, value),) = _option(option, text).items()
        if name in given and values[name] != value:
            raise TextError(
                f"{quoted(given[name])} and {quoted(option[0])} contradict each other in {quoted(text)}: "
                "keep one"
            )
        given[name], values[name] = option[0], value
    branch = BranchSpec(**values)
    dropped = [name for name, value in values.items() if getattr(branch, name) != value]
    if dropped:
        raise TextError(f"{branch.title} has no use for an option in {quoted(text)}; take it out")
    return branch


def _parse_layers(text: str) -> BranchSpec:
    """A branch of layers in a row, or of one that has no name of its own as a branch."""
    sequence = _SEQUENCE.fullmatch(text)
    if sequence is not None:
        return _sized_sequence(text, sequence)
    is_chain = _IS_CHAIN.search(text) is not None
    if not is_chain:
        raise TextError(
            f"a branch must be one of {KINDS}, with options such as +norm or -bias, not {quoted(text)}"
            f"{_APART if ' + ' in text else ''}"
        )
    written = parse_chain(text)
    return BranchSpec(
        BranchKind.CHAIN, parts=written.parts, zero_border=written.zeros, padding=written.padding
    )


def _sized_sequence(text: str, match: re.Match[str]) -> BranchSpec:
    """1x1-3x3 or 1x1-avg3x3: as 1x1-kxk and 1x1-avg, but of a size of its own."""
    pooled = match["second"].startswith("avg")
    told = _parse_branch(("1x1-avg" if pooled else "1x1-kxk") + match["options"])
    first, second = parse_chain(f"1x1 > {match['second']}").parts
    first = replace(
        first,
        kind=LayerKind.OFFSET_CONVOLUTION if told.identity_offset else LayerKind.CONVOLUTION,
        bias=told.bias,
        groups=told.groups,
        multiple=Fraction(told.expansion) if told.expansion != 1 else None,
    )
    if not pooled:
        second = replace(second, bias=told.bias, groups=told.groups)
    norm = Part(LayerKind.NORM, bias=False)
    inner, behind = [norm] * told.inner_norm, [norm] * told.batch_norm
    scale = [Part(LayerKind(told.scale), bias=False)] if told.scale else []
    parts = (first, *inner, second, *behind, *scale)
    return BranchSpec(BranchKind.CHAIN, parts=parts, zero_border=told.zero_border, padding=told.padding)


def _kind(text: str) -> dict[str, Any]:
    if text in _NAMED_KINDS:
        return {"kind": BranchKind(text)}
    size = _SIZE.fullmatch(text)
    assert size is not None
    height = int(size["dH"] or 1)
    return {
        "kind": BranchKind.SIZED,
        "kernel_size": (int(size["kH"]), int(size["kW"])),
        "dilation": (height, int(size["dW"] or height)),
    }


def _option(option: re.Match[str], text: str) -> dict[str, Any]:
    name, number, on = option["name"], option["number"], option["sign"] == "+"
    if name == "bias" and number is None:
        return {"bias": on}
    if name in _FLAGS and number is None:
        return {_FLAGS[name]: on}
    if name in (Scale.ALPHA, Scale.GAMMA) and number is None and on:
        return {"scale": Scale(name)}
    if name == "p" and number is not None and on:
        height, _, width = number.partition("x")
        return {"padding": (int(height), int(width or height))}
    if name in _NUMBERS and number is not None and number.isdigit() and on:
        return {_NUMBERS[name]: int(number)}
    apart = _APART if name in _NAMED_KINDS else ""
    raise TextError(f"{quoted(option[0])} in {quoted(text)} is not an option; there are {OPTIONS}{apart}")


def show_branches(branches: tuple[BranchSpec, ...]) -> str:
    """The text that `parse_branches` reads as these branches."""
    return ",".join(map(show_branch, branches))


def show_branch(branch: BranchSpec) -> str:
    """One branch as `parse_branches` reads it, its options in a fixed order."""
    if branch.kind is BranchKind.CHAIN:
        return show_chain(branch.parts, branch.zero_border, branch.padding) if branch.parts else branch.title
    flags = [f"+{flag}" for flag, name in _FLAGS.items() if getattr(branch, name)]
    bias = ["-bias"] if branch.kind.has_weight and not branch.bias else []
    scale = [f"+{branch.scale}"] if branch.scale else []
    groups = [f"+g{branch.groups}"] if branch.groups is not None else []
    expansion = [f"+x{branch.expansion}"] if branch.expansion != 1 else []
    padding = [] if branch.padding is None else [f"+p{shortest(branch.padding)}"]
    return "".join([branch.title, *flags, *bias, *scale, *groups, *expansion, *padding])
