"""Numbers as text: the export's CSV, rows of numbers, or nested brackets as torch prints them."""

from __future__ import annotations

import array
import math
import re
from collections.abc import Sequence

from tui.export.file_marks import CSV_HEADER
from tui.fusion.grammar.number_text import number_in
from tui.fusion.quoting import quoted
from tui.importing.errors import ImportingError
from tui.importing.given_numbers import GivenKernel, GivenNumbers, Shape

_APART = re.compile(r"[\s,;]+")
_CALL = re.compile(r"^\s*(?:[\w.]+\s*=\s*)?(?:[\w.]+\s*\(\s*)?(?=\[)")
_AFTER_CALL = re.compile(r"\]\s*,\s*(?:dtype|device|requires_grad|grad_fn)\s*=[^\[\]]*$")
_TOKEN = re.compile(r"[\[\]]|[^\s,;\[\]]+")


def kernel_in(text: str) -> GivenKernel:
    """The numbers that the text says: of the export's CSV weight and bias, else one tensor.

    Rows of numbers, apart by commas, semicolons, tabs or spaces, make (rows, columns); a line that begins
    with # is none of them. Brackets make as many axes as they are deep.

    Raises:
        ImportingError: it says no numbers, or not as many in each row.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise ImportingError("there are no numbers in it")
    if lines[0].replace(" ", "") == CSV_HEADER:
        return _exported(lines[1:])
    joined = "\n".join(lines)
    return GivenKernel(_nested(joined) if "[" in joined else _table(lines))


def _number(text: str, where: str = "") -> float:
    value = number_in(text)
    if value is None or "_" in text:
        raise ImportingError(f"{where}{quoted(text)} is not a number, or too large a one")
    return value


def _table(lines: Sequence[str]) -> GivenNumbers:
    rows = []
    for number, line in enumerate(lines, start=1):
        words = [word for word in _APART.split(line) if word]
        rows.append([_number(word, f"row {number}: ") for word in words])
        if len(rows[-1]) != len(rows[0]):
            given = f"row {number} has {len(rows[-1])} numbers and the first {len(rows[0])}"
            raise ImportingError(f"{given}: all must have as many")
    return GivenNumbers((len(rows), len(rows[0])), array.array("d", (value for row in rows for value in row)))


def _nested(text: str) -> GivenNumbers:
    """Lists in lists: as Python, torch and NumPy write them."""
    text = _CALL.sub("", text)
    text = _AFTER_CALL.sub("]", text).rstrip(" );\n")
    sizes: list[int | None] = []
    counts: list[int] = []
    values = array.array("d")
    closed = False
    for token in _TOKEN.findall(text):
        if closed:
            raise ImportingError(f"{quoted(token)} stands after the last bracket")
        if token == "[":
            _open(sizes, counts, bool(values))
        elif token == "]":
            closed = _close(sizes, counts)
        elif token == "...":
            raise ImportingError("the numbers were left out at the ...: print all of them")
        else:
            if not counts or len(counts) != len(sizes):
                raise ImportingError(f"{quoted(token)} does not stand in the innermost brackets")
            counts[-1] += 1
            values.append(_number(token))
    if not closed:
        raise ImportingError("a bracket is not closed: the text is cut short")
    return GivenNumbers(tuple(size or 0 for size in sizes), values)


def _open(sizes: list[int | None], counts: list[int], deepest_known: bool) -> None:
    if len(counts) == len(sizes):
        if deepest_known or len(sizes) == 8:
            raise ImportingError("the brackets are not equally deep everywhere, or deeper than 8")
        sizes.append(None)
    counts.append(0)


def _close(sizes: list[int | None], counts: list[int]) -> bool:
    """Count what the bracket holds; whether it was the outermost one."""
    if not counts:
        raise ImportingError("a bracket is closed that was not opened")
    axis, count = len(counts) - 1, counts.pop()
    known = sizes[axis]
    if known is not None and known != count:
        raise ImportingError(f"brackets hold {known} and {count} items where they should hold as many")
    sizes[axis] = count
    if counts:
        counts[-1] += 1
    return not counts


def _exported(lines: Sequence[str]) -> GivenKernel:
    """The rows of the export's CSV, in whatever order."""
    weights: dict[tuple[int, ...], float] = {}
    biases: dict[tuple[int, ...], float] = {}
    for number, line in enumerate(lines, start=2):
        tensor, place, value = _row(number, line)
        numbers = weights if tensor == "weight" else biases
        if place in numbers:
            raise ImportingError(f"line {number}: {quoted(line)} says a number again")
        numbers[place] = value
    if not weights:
        raise ImportingError("the CSV has no rows of weights")
    return GivenKernel(_filled("weight", weights), _filled("bias", biases) if biases else None)


def _row(number: int, line: str) -> tuple[str, tuple[int, ...], float]:
    tensor, *place, value = (word.strip() for word in line.split(","))
    axes = {"weight": 4, "bias": 1}.get(tensor, 0)
    indices = [word for word in place if word]
    known = axes and len(place) == 4 and place[:axes] == indices and len(indices) == axes
    if not known or not all(word.isascii() and word.isdigit() and len(word) < 8 for word in indices):
        raise ImportingError(
            f"line {number} must be as weight,0,1,2,2,0.5 or bias,0,,,,0.1, not {quoted(line)}"
        )
    return tensor, tuple(map(int, indices)), _number(value, f"line {number}: ")


def _filled(name: str, numbers: dict[tuple[int, ...], float]) -> GivenNumbers:
    """The numbers in C order; all of the tensor must be there."""
    shape: Shape = tuple(max(axis) + 1 for axis in zip(*numbers, strict=True))
    if math.prod(shape) != len(numbers):
        raise ImportingError(
            f"the CSV has {len(numbers):,} rows of the {name}, and its indices make {math.prod(shape):,}"
        )
    return GivenNumbers(shape, array.array("d", (numbers[place] for place in sorted(numbers))))
