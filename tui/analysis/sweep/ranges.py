"""Ranges: the values that an axis takes, as they are typed: "8:512:x2", "8:64:+8", "3,5,7"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tui.analysis.sweep.axes import Axis, Value, axis_named
from tui.fusion.grammar.text_error import TextError
from tui.fusion.quoting import quoted

MOST_VALUES = 64
"""Of one axis: more would fit on no screen."""

_STEP = re.compile(r"(?P<kind>[x×*+])\s*(?P<size>\d{1,9})", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Range:
    """An axis and the values that it takes: at least one, each once, in the order given."""

    axis: Axis
    values: tuple[Value, ...]

    @property
    def text(self) -> str:
        """As it can be typed again: "in-channels=8,16,32"."""
        return f"{self.axis.name}={','.join(value.text for value in self.values)}"

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """The values as places on an axis; None where some have none."""
        numbers = tuple(value.number for value in self.values if value.number is not None)
        return numbers if len(numbers) == len(self.values) else None


def parse_over(text: str) -> Range:
    """The range that "in-channels=8:512:x2" names.

    Raises:
        TextError: there is no such axis, or that is no range of it.
    """
    name, equals, values = text.partition("=")
    if not equals:
        raise TextError(
            f"must be what varies, an equals sign and its values, such as in-channels=8:512:x2, "
            f"not {quoted(text)}"
        )
    axis = axis_named(name)
    return parse_range(axis, values)


def parse_range(axis: Axis, text: str) -> Range:
    """The values of that axis which the text lists: single ones and ranges, apart by commas.

    "8:512:x2" multiplies, "8:64:+8" adds, "1:4" adds 1; the end is a value too where it is reached.

    >>> from tui.analysis.sweep.axes import AXES
    >>> [value.text for value in parse_range(AXES["in-channels"], "8:64:x2,100").values]
    ['8', '16', '32', '64', '100']

    Raises:
        TextError: some part of it is neither, or there are too many.
    """
    if not text.strip():
        raise TextError(f"{axis.label}: give values, such as {axis.example}")
    values: dict[str, Value] = {}
    for part in text.split(","):
        for value in _values(axis, part):
            values.setdefault(value.text, value)
            if len(values) > MOST_VALUES:
                raise TextError(
                    f"{axis.label}: {quoted(text)} has more than {MOST_VALUES} values: take larger steps or "
                    "a shorter range"
                )
    return Range(axis, tuple(values.values()))


def _values(axis: Axis, part: str) -> Iterator[Value]:
    ends = part.split(":")
    if len(ends) == 1:
        yield _single(axis, part)
        return
    if axis.has_names:
        raise TextError(
            f"{axis.label}: {quoted(part.strip())} is a range, and names lie in no order: list them, "
            f"as in {axis.example}"
        )
    if len(ends) > 3:
        raise TextError(
            f"{axis.label}: {quoted(part.strip())} has too many parts: give first, last and step, "
            "as in 8:512:x2"
        )
    first, last = (_end(axis, end, part) for end in ends[:2])
    if last < first:
        raise TextError(
            f"{axis.label}: {quoted(part.strip())} ends before it begins: give the smaller one first"
        )
    following = _following(axis, ends[2] if len(ends) == 3 else "+1", first)
    number = first
    while number <= last:
        yield axis.value(str(number))
        number = following(number)


def _single(axis: Axis, text: str) -> Value:
    if not text.strip():
        raise TextError(f"{axis.label}: a value is missing beside a comma; list them as in {axis.example}")
    return axis.value(text)


def _end(axis: Axis, text: str, part: str) -> int:
    """Where a range begins or ends."""
    number = axis.value(text).number if text.strip() else None
    if number is None:
        raise TextError(
            f"{axis.label}: a range goes from one whole number to another, as in {_ranged(axis)}, "
            f"not {quoted(part.strip())}"
        )
    return number


def _ranged(axis: Axis) -> str:
    return axis.example if ":" in axis.example else "8:512:x2"


def _following(axis: Axis, text: str, first: int) -> Callable[[int], int]:
    """Gives the next number of a range."""
    match = _STEP.fullmatch(text.strip())
    if match is None:
        raise TextError(
            f"{axis.label}: the step must be x and a factor, as in 8:512:x2, or + and a number, as in "
            f"8:64:+8, not {quoted(text.strip())}"
        )
    size = int(match["size"])
    if match["kind"] == "+":
        if size < 1:
            raise TextError(f"{axis.label}: the step must be at least +1, not {quoted(text.strip())}")
        return lambda number: number + size
    if size < 2 or first < 1:
        what = (
            "the factor must be at least x2"
            if size < 2
            else "a range that multiplies must begin at 1 or more"
        )
        raise TextError(f"{axis.label}: {what}, not {quoted(text.strip() if size < 2 else str(first))}")
    return lambda number: number * size
