"""Tensors as Python code that gives back every bit: as numbers, or as bytes where they are many."""

from __future__ import annotations

import base64
import math
import textwrap
from collections.abc import Iterator

import torch
from torch import Tensor

from tui.export.raw import little_endian

WIDTH = 100
"""Columns of a line."""
DIGITS = {torch.float32: 9, torch.float16: 5, torch.bfloat16: 4}
"""Significant digits that tell any two numbers of a dtype apart."""
FEW = 10_000
"""Numbers for which fewer digits are tried, too."""
INDENT = 4


def numbers_code(tensor: Tensor, indent: int = 0) -> str:
    """A call of `numbers`, its numbers written with as few digits as give each back in the tensor's dtype."""
    return f"numbers({_nested(iter(shortest_numbers(tensor)), tuple(tensor.shape), indent)})"


def bytes_code(tensor: Tensor) -> str:
    """A call of `decoded`, which finds the tensor in its bytes."""
    letters = base64.b64encode(little_endian(tensor)).decode("ascii")
    text = "\n".join(letters[start : start + WIDTH] for start in range(0, len(letters), WIDTH))
    return "decoded({})".format(", ".join([f'"""\n{text}\n"""', *map(str, tensor.shape)]))


def shortest_numbers(tensor: Tensor) -> list[str]:
    """Each number as the shortest text that Python and torch read back as that number of the dtype.

    Where they are many, all have the digits that any of them could need. Numbers that are not finite are
    "nan", "inf" and "-inf".
    """
    flat = tensor.detach().flatten()
    values: list[float] = flat.double().tolist()
    texts = [repr(value) for value in values]  # of a float64 this is the shortest
    most = DIGITS.get(tensor.dtype, 0)
    left = [place for place, value in enumerate(values) if math.isfinite(value)]
    for digits in range(1 if len(values) <= FEW else most, most + 1):
        tried = [repr(float(f"{values[place]:.{digits}g}")) for place in left]
        fits = (torch.tensor([*map(float, tried)], dtype=tensor.dtype) == flat[left]).tolist()
        for place, text, fit in zip(left, tried, fits, strict=True):
            if fit:
                texts[place] = text
        left = [place for place, fit in zip(left, fits, strict=True) if not fit]
    return texts


def _nested(texts: Iterator[str], shape: tuple[int, ...], indent: int) -> str:
    """The texts as lists in lists of that shape, in lines of WIDTH from a column `indent` on."""
    if not shape:
        return next(texts)
    items = [_nested(texts, shape[1:], indent + INDENT) for _ in range(shape[0])]
    line = f"[{', '.join(items)}]"
    if indent + len(line) <= WIDTH and "\n" not in line:
        return line
    margin = " " * (indent + INDENT)
    if len(shape) == 1:
        inside = textwrap.fill(", ".join(items), WIDTH, initial_indent=margin, subsequent_indent=margin)
    else:
        inside = ",\n".join(margin + item for item in items)
    return f"[\n{inside},\n{' ' * indent}]"
