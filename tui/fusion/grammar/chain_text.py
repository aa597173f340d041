"""A chain of layers as text, "1x1+x2 > (3x3 + identity) > 1x1": each layer a word and options after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import isfinite
from typing import NamedTuple

from tui.fusion.grammar.number_text import number_in, show_number
from tui.fusion.grammar.text_error import TextError
from tui.fusion.pair_text import Pair, shortest
from tui.fusion.quoting import quoted
from tui.fusion.specs.layer_spec import CONVOLUTIONS, LayerKind
from tui.fusion.specs.part import DEPTHWISE, FIXED, Part

_NUMBER = r"[0-9]{1,6}"
_SIZE = rf"(?P<kH>k|{_NUMBER})x(?P<kW>k|{_NUMBER})(?:d(?P<dH>{_NUMBER})(?:x(?P<dW>{_NUMBER}))?)?"
_CONV = re.compile(_SIZE)
_AVERAGE = re.compile(rf"avg(?:(?P<kH>{_NUMBER})x(?P<kW>{_NUMBER}))?")
_TAPS = re.compile(r"taps\((?P<rows>[^()]*)\)")
_WORD = re.compile(r"\(.*\)|taps\([^()]*\)|[a-z0-9]+", re.DOTALL)
_OPTION = re.compile(
    r"(?P<sign>[+-])(?P<name>norm|bias|alpha|gamma|idconv|zeros|dw|eps|[gxcp])"
    r"(?P<value>[0-9]+x[0-9]+|[0-9]+(?:[./][0-9]+)?(?:e[+-]?[0-9]+)?)?"
)
_PLAIN = {
    "norm": LayerKind.NORM,
    "alpha": LayerKind.ALPHA,
    "gamma": LayerKind.GAMMA,
    "identity": LayerKind.IDENTITY,
}

LAYERS = (
    "kxk, 1xk, 3x3, 3x3d2, norm, identity, avg, avg3x3, alpha, gamma, sobelx, sobely, laplacian, "
    "taps(1 0 -1), (3x3 + identity)"
)
OPTIONS = "-bias, +norm, +alpha, +gamma, +g4, +dw, +x2, +x1/4, +c16, +idconv, +eps1e-3, +zeros, +p1"
MOST_LAYERS = 16
MOST_DEPTH = 4


class Written(NamedTuple):
    """Layers as they were written, and what was said of the whole chain.

    Attributes:
        zeros: whether each pads zeros of its own (+zeros).
        padding: that of the chain (+p1), None where it has none of its own.
    """

    parts: tuple[Part, ...]
    zeros: bool = False
    padding: Pair | None = None


def parse_chain(text: str) -> Written:
    """The layers of a chain.

    Raises:
        TextError: with words for the user.
    """
    return _chain(text, text, 0)


def _chain(text: str, whole: str, depth: int) -> Written:
    if depth > MOST_DEPTH:
        raise TextError(f"sums stand in sums at most {MOST_DEPTH} deep, not as in {quoted(whole)}")
    parts: list[Part] = []
    zeros, paddings = False, set[Pair]()
    for each in split_outside(text, ">"):
        made = _layer(each.strip(), whole, depth)
        parts += made.parts
        zeros = zeros or made.zeros
        paddings |= set() if made.padding is None else {made.padding}
    if len(parts) > MOST_LAYERS:
        raise TextError(f"a chain has at most {MOST_LAYERS} layers here, not {len(parts)}")
    if len(paddings) > 1:
        both = " and ".join(f"+p{shortest(padding)}" for padding in sorted(paddings))
        raise TextError(f"{both} contradict each other in {quoted(whole)}: a chain is padded once, up front")
    return Written(tuple(parts), zeros, next(iter(paddings), None))


def split_outside(text: str, mark: str) -> list[str]:
    """The pieces between the marks that stand in no parentheses."""
    pieces, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and place >= start and text.startswith(mark, place):
            pieces.append(text[start:place])
            start = place + len(mark)
    return [*pieces, text[start:]]


def _layer(text: str, whole: str, depth: int) -> Written:
    """A layer and those that its options put behind it, and what it says of the chain."""
    if text.count("(") != text.count(")"):
        raise TextError(f"the branch {quoted(whole)} has a parenthesis that is not closed, or not opened")
    match = _WORD.match(text)
    if match is None:
        raise _unknown(text, whole)
    word, rest = match[0], text[match.end() :]
    if word.startswith("("):
        end = _closing(word, whole)
        word, rest = word[: end + 1], word[end + 1 :] + rest
    return _with_options(_part(word, whole, depth), rest.strip(), text)


def _closing(text: str, whole: str) -> int:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place
    raise TextError(f"the branch {quoted(whole)} has a parenthesis that is not closed, or not opened")


def _unknown(text: str, whole: str) -> TextError:
    there = f" in {quoted(whole)}" if text != whole else ""
    return TextError(f"a branch's layer must be one of {LAYERS}, not {quoted(text)}{there}")


def _part(word: str, whole: str, depth: int) -> Part:
    if word in _PLAIN:
        return Part(_PLAIN[word], bias=False)
    if word in FIXED:
        return Part(LayerKind.DEPTHWISE, (3, 3), fixed=word, taps=FIXED[word])
    if word.startswith("("):
        return Part(LayerKind.SUM, bias=False, summands=tuple(_summands(word[1:-1], whole, depth)))
    if match := _TAPS.fullmatch(word):
        taps = _taps(match["rows"], whole)
        return Part(LayerKind.DEPTHWISE, (len(taps), len(taps[0])), fixed="taps", taps=taps)
    if match := _AVERAGE.fullmatch(word):
        _refuse_size_of_0(match, whole)
        size = (int(match["kH"]), int(match["kW"])) if match["kH"] else (0, 0)
        return Part(LayerKind.AVERAGE, size, bias=False)
    if match := _CONV.fullmatch(word):
        _refuse_size_of_0(match, whole)
        height, width = (0 if match[axis] == "k" else int(match[axis]) for axis in ("kH", "kW"))
        own = int(match["dH"] or 1)
        follows = 0 in (height, width) and not match["dH"]
        return Part(
            LayerKind.CONVOLUTION, (height, width), None if follows else (own, int(match["dW"] or own))
        )
    raise _unknown(word, whole)


def _refuse_size_of_0(match: re.Match[str], whole: str) -> None:
    """A number in a kernel size must be 1 or more; 0 stands for the block's own size here."""
    if any((match[axis] or "1").strip("0") == "" for axis in ("kH", "kW")):
        raise TextError(
            f"the kernel size {quoted(match[0])} in {quoted(whole)} must be 1 or more on both axes"
        )


def _summands(text: str, whole: str, depth: int) -> Iterator[tuple[Part, ...]]:
    """Those between "+" with a blank on both sides; without one it is an option's."""
    for piece in split_outside(text, " + "):
        if not piece.strip():
            raise TextError(f"a sum in {quoted(whole)} lacks a chain: write it as (3x3 + identity)")
        made = _chain(piece.strip(), whole, depth + 1)
        if made.zeros or made.padding:
            option = "+zeros" if made.zeros else "+p"
            raise TextError(f"{option} in {quoted(whole)} stands inside of a sum; it is of the whole branch")
        yield made.parts


def _taps(text: str, whole: str) -> tuple[tuple[float, ...], ...]:
    rows = [[number_in(number) for number in row.split()] for row in text.split(";")]
    numbers = [[number for number in row if number is not None and isfinite(number)] for row in rows]
    if numbers != rows or not numbers[0] or len({len(row) for row in numbers}) > 1:
        raise TextError(
            f"taps in {quoted(whole)} must be rows of equally many numbers, as taps(1 0 -1; 2 0 -2; 1 0 -1)"
        )
    return tuple(map(tuple, numbers))


def _with_options(part: Part, text: str, layer: str) -> Written:
    behind: list[Part] = []
    given: dict[str, str] = {}
    place, eps, zeros, padding = 0, None, False, None
    while place < len(text):
        match = _OPTION.match(text, place)
        if match is None:
            raise TextError(
                f"{quoted(text[place:])} in {quoted(layer)} is not an option; there are {OPTIONS}"
                f"{_hint_of_sum(text[place:])}"
            )
        place = match.end()
        name, value, on = match["name"], match["value"], match["sign"] == "+"
        kind = {"dw": "g", "c": "x", "gamma": "alpha"}.get(name, name)
        if kind in given and given[kind] != match[0]:
            both = f"{quoted(given[kind])} and {quoted(match[0])}"
            raise TextError(f"{both} contradict each other in {quoted(layer)}: keep one")
        if kind in given:
            continue
        given[kind] = match[0]
        if name in ("norm", "alpha", "gamma") and on and value is None:
            behind.append(Part(_PLAIN[name], bias=False))
        elif name == "zeros" and on and value is None:
            zeros = True
        elif name == "p" and on and value is not None and (padding := _padding_in(value)):
            pass
        elif name == "eps" and on and value is not None:
            eps = _eps(value, layer)
        else:
            part = _changed(part, name, value, on, layer)
    return Written(tuple(_with_eps([part, *behind], eps, layer)), zeros, padding)


def _hint_of_sum(rest: str) -> str:
    """How a sum is written, where a layer stands as if it were an option."""
    word = _WORD.match(rest[1:].strip())
    is_layer = word and (word[0] in _PLAIN or word[0] in FIXED or _CONV.fullmatch(word[0]))
    return "; a sum has a blank on both sides of its +: (3x3 + identity)" if is_layer else ""


def _padding_in(value: str) -> Pair | None:
    match = re.fullmatch(rf"(?P<height>{_NUMBER})(?:x(?P<width>{_NUMBER}))?", value)
    return None if match is None else (int(match["height"]), int(match["width"] or match["height"]))


def _with_eps(parts: list[Part], eps: float | None, layer: str) -> list[Part]:
    if eps is None:
        return parts
    if all(part.kind is not LayerKind.NORM for part in parts):
        raise TextError(f"+eps in {quoted(layer)} is of no batch norm: write it behind norm or +norm")
    return [replace(part, eps=eps) if part.kind is LayerKind.NORM else part for part in parts]


def _eps(value: str, layer: str) -> float:
    eps = number_in(value)
    if eps is None or not 0 <= eps <= 10:
        raise TextError(f"eps in {quoted(layer)} must be a number from 0 to 10, such as 1e-3")
    return eps


def _changed(part: Part, name: str, value: str | None, on: bool, layer: str) -> Part:
    """The part with one more option."""
    conv = part.kind in CONVOLUTIONS
    if name == "bias" and value is None and not on and (conv or part.kind is LayerKind.DEPTHWISE):
        return replace(part, bias=False)
    if name == "idconv" and on and value is None and conv and part.kernel_size == (1, 1):
        return replace(part, kind=LayerKind.OFFSET_CONVOLUTION)
    if name == "dw" and on and value is None and conv:
        return replace(part, groups=DEPTHWISE)
    whole = value is not None and value.isdigit() and len(value) <= 6 and int(value) > 0
    if name == "g" and on and conv and whole and value:
        return replace(part, groups=int(value))
    if name == "c" and on and conv and whole and value:
        return replace(part, channels=int(value))
    if name == "x" and on and conv and value and (multiple := _multiple(value)):
        return replace(part, multiple=multiple)
    sign = "+" if on else "-"
    number = f"; the number of +{name} is 1 or more" if conv and on and value and name in "gcx" else ""
    raise TextError(
        f"{quoted(sign + name + (value or ''))} in {quoted(layer)} is not an option of that layer; "
        f"it takes {_options_of(part)}{number}"
    )


def _options_of(part: Part) -> str:
    """Those that such a layer takes."""
    own = ["-bias"] if part.kind in (*CONVOLUTIONS, LayerKind.DEPTHWISE) else []
    if part.kind in CONVOLUTIONS:
        own += ["+g4", "+dw", "+x2", "+x1/4", "+c16"]
    if part.kind in CONVOLUTIONS and part.kernel_size == (1, 1):
        own.append("+idconv")
    return ", ".join([*own, "+norm", "+alpha", "+gamma", "+eps1e-3", "+zeros", "+p1"])


def _multiple(value: str) -> Fraction | None:
    if not re.fullmatch(r"[0-9]{1,6}(?:[./][0-9]{1,6})?", value) or value.endswith("/0"):
        return None
    try:
        return Fraction(value) or None
    except ZeroDivisionError:
        return None


def show_chain(parts: tuple[Part, ...], zeros: bool = False, padding: Pair | None = None) -> str:
    """The text that `parse_chain` reads as these layers."""
    behind = "" if padding is None else f"+p{shortest(padding)}"
    return " > ".join(map(_show, parts)) + ("+zeros" if zeros else "") + behind


def _show(part: Part) -> str:
    word = part.word
    if part.kind is LayerKind.SUM:
        word = f"({' + '.join(map(show_chain, part.summands))})"
    if part.fixed == "taps":
        word = f"taps({'; '.join(' '.join(repr(number) for number in row) for row in part.taps)})"
    options = []
    learned = (*CONVOLUTIONS, LayerKind.DEPTHWISE)
    if part.kind is LayerKind.OFFSET_CONVOLUTION:
        options.append("+idconv")
    if part.kind in learned and not part.bias:
        options.append("-bias")
    if part.groups is not None:
        options.append("+dw" if part.groups == DEPTHWISE else f"+g{part.groups}")
    if part.multiple is not None:
        options.append(f"+x{part.multiple}")
    if part.channels is not None:
        options.append(f"+c{part.channels}")
    if part.eps is not None:
        options.append(f"+eps{show_number(part.eps)}")
    return word + "".join(options)
