"""One branch as lines of a snippet: its modules, their numbers, and how it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tui.export.code.by_layer import forward_code, is_padded_with_values, module_code, tensors_of
from tui.fusion.layers import Branch, Chain, Layer
from tui.fusion.layers.border import pad_function_mode
from tui.fusion.specs.block_spec import PaddingMode
from tui.fusion.specs.padding import Border, grown_and_cropped

if TYPE_CHECKING:
    from torch import Tensor


def named(part: str, branch: Branch) -> str:
    """What a snippet calls a part of the branch: "conv_1x1_2" is the conv of "1x1 #2"."""
    return f"{_identifier(part)}_{_identifier(branch.name)}"


def _identifier(name: str) -> str:
    return re.sub(r"[^0-9a-zA-Z]+", "_", name)


def modules_of(branch: Branch) -> dict[str, str]:
    """The names of its modules and parameters, and the expression that makes each."""
    return {
        named(name, branch): code
        for name, layer in branch.all_layers()
        if (code := module_code(layer)) is not None
    }


def parameters_of(branch: Branch) -> dict[str, Tensor]:
    """Every tensor of the branch that its run depends on, by its name in the snippet's state_dict."""
    return {
        f"{named(name, branch)}{tensor and '.'}{tensor}": values
        for name, layer in branch.all_layers()
        for tensor, values in tensors_of(layer).items()
    }


def forward_lines(branch: Branch) -> list[str]:
    """The statements that leave the branch's output for x in the variable `named("y", branch)`."""
    return list(_lines(branch, branch, named("y", branch), "x", ""))


def _lines(branch: Branch, chain: Chain, y: str, x: str, prefix: str) -> Iterator[str]:
    """Those of a chain of the branch; `prefix`: of its layers' names, with which it is given its border."""
    borders = [(0, 0, 0, 0) if prefix else chain.border_before(place) for place in range(len(chain))]
    _bring_up_front(chain, borders)
    for place, layer in enumerate(chain.layers):
        border = borders[place]
        if _holds_values(chain, place):
            modules = (f"self.{named(each.name, branch)}" for each in chain.layers[:place])
            padded = partial(_padded_with, values=f"value_at_zero({', '.join(modules)})", border=border)
        else:
            mode = PaddingMode.ZEROS if chain.pads_zeros(place) else chain.padding_mode
            padded = partial(_padded, border=border, mode=mode)
        if layer.summands:
            yield from _sum_lines(branch, layer, (y, padded(x)), prefix)
        else:
            module = f"self.{named(prefix + layer.name, branch)}"
            code = forward_code(layer, module, x, padded, border)
            if code != y:
                yield f"{y} = {code}"
        x = y


def _bring_up_front(chain: Chain, borders: list[Border]) -> None:
    """Pad zeros in front of the whole chain, which is the same, where their values later are not at hand."""
    for place, border in enumerate(borders):
        known = all(map(is_padded_with_values, chain.layers[:place]))
        if any(border) and _holds_values(chain, place) and not known:
            borders[0], borders[place] = border, (0, 0, 0, 0)


def _sum_lines(branch: Branch, layer: Layer, names: tuple[str, str], prefix: str) -> Iterator[str]:
    """The chains of a sum, each of its own crop of what the sum is given."""
    y, x = names
    given = f"{y}_in"
    yield f"{given} = {x}"
    outputs = []
    for place, chain in enumerate(layer.summands):
        output = f"{y}_{place + 1}"
        yield f"{output} = {_padded(given, layer.crop_of(chain), PaddingMode.ZEROS)}"
        yield from _lines(branch, chain, output, output, f"{prefix}{layer.name}.{place + 1}.")
        outputs.append(output)
    yield f"{y} = {' + '.join(outputs)}"


def _holds_values(chain: Chain, place: int) -> bool:
    """Whether what zeros have become is padded in front of that layer."""
    return place > 0 and not chain.zeros_between and chain.padding_mode is PaddingMode.ZEROS


def _padded(x: str, border: Border, mode: PaddingMode) -> str:
    other = "" if mode is PaddingMode.ZEROS else f', mode="{pad_function_mode(mode)}"'
    grown, cropped = grown_and_cropped(border)
    padded = f"functional.pad({x}, {grown}{other})" if any(grown) else x
    return _cropped(padded, cropped)


def _padded_with(x: str, values: str, border: Border) -> str:
    grown, cropped = grown_and_cropped(border)
    padded = f"pad_with({values}, {x}, {', '.join(map(str, grown))})" if any(grown) else x
    return _cropped(padded, cropped)


def _cropped(x: str, border: Border) -> str:
    return f"functional.pad({x}, {border})" if any(border) else x
