"""What a CurvePlot shows: lines of points with error bars over an axis of numbers or of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """One point: its number, and the ends of its error bar."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: a mark for each place of the axis, None where there is none.

    Attributes:
        label: in the legend.
        sign: the character of its marks, which tells it from the others without colours.
    """

    label: str
    sign: str
    marks: tuple[Mark | None, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """All lines of a plot.

    Attributes:
        places: on the x axis, one for each name.
        names: what is written at these places.
        curves: over them.
        log_x, log_y: whether an axis is logarithmic; its numbers are above zero then.
        rule: a number to be marked by a horizontal line; None for none.
        written: a number of the y axis as it is written there.
    """

    places: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    log_x: bool = False
    log_y: bool = False
    rule: float | None = None
    written: Callable[[float], str] = str

    @property
    def numbers(self) -> list[float]:
        """All that the y axis has to hold."""
        ends = [end for curve in self.curves for mark in curve.marks if mark for end in (mark.low, mark.high)]
        return ends if self.rule is None or not ends else [*ends, self.rule]
