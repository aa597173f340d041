"""Plan: what a sweep is going to run: a block, and one or two axes over which it is varied."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product

from tui.analysis.speed.conditions import Conditions
from tui.analysis.sweep.axes import AXES, BRANCHES, THREADS, Axis, Value, has_kxk, spec_at
from tui.analysis.sweep.ranges import Range, parse_range
from tui.fusion.refusal import Refusal
from tui.fusion.specs.block_spec import BlockSpec, InvalidSpecError

MOST_POINTS = 400
"""Of one sweep: more would take hours."""


class PlanError(Refusal, ValueError):
    """Axes that make no sweep; the message says why, for the user."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of values.

    Attributes:
        values: one of each axis.
        spec: the block; None where there is no such block.
        conditions: under which it is timed.
        problem: why there is none, in the block's own words.
    """

    values: tuple[Value, ...]
    spec: BlockSpec | None
    conditions: Conditions
    problem: str = ""


@dataclass(frozen=True)
class Plan:
    """A sweep of `base` over one range or two, the last of which varies fastest.

    Raises:
        PlanError: the ranges do not go together, or with the block; or there are too many points.
    """

    base: BlockSpec
    ranges: tuple[Range, ...]
    conditions: Conditions = field(default_factory=Conditions)

    def __post_init__(self) -> None:
        names = [each.axis.name for each in self.ranges]
        if not 1 <= len(names) <= 2:
            raise PlanError(f"a sweep goes over one parameter or over two, not over {len(names)}")
        if len(set(names)) < len(names):
            raise PlanError(f"{names[0]} is given twice: put all its values into one list, apart by commas")
        fields = [name for each in self.ranges for name in each.axis.fields]
        if len(set(fields)) < len(fields):
            raise PlanError(
                "channels sets in and out channels: vary it alone, or in-channels and out-channels"
            )
        if BRANCHES in names and not has_kxk(self.base):
            raise PlanError("branches varies the number of kxk branches, and this block has none: add one")
        if self.count > MOST_POINTS:
            raise PlanError(
                f"that makes {self.count} points, and {MOST_POINTS} are the most: take fewer values"
            )

    @property
    def count(self) -> int:
        """How many points there are."""
        count = 1
        for each in self.ranges:
            count *= len(each.values)
        return count

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every combination, in the order in which they are run."""
        return tuple(map(self._cell, product(*(each.values for each in self.ranges))))

    @property
    def allowed(self) -> list[Cell]:
        """Those of which there is a block."""
        return [cell for cell in self.cells if cell.spec is not None]

    def _cell(self, values: tuple[Value, ...]) -> Cell:
        chosen = {each.axis.name: value for each, value in zip(self.ranges, values, strict=True)}
        conditions = self.conditions
        if THREADS in chosen:
            conditions = replace(conditions, threads=chosen[THREADS].number)
        try:
            return Cell(values, spec_at(self.base, chosen), conditions)
        except InvalidSpecError as error:
            return Cell(values, None, conditions, str(error))


def axis_offered_first(base: BlockSpec) -> Axis:
    """The input's channels, where the block allows half of their example's values; else what it does."""
    first = AXES["in-channels"]
    ways = (Plan(base, (parse_range(axis, axis.example),)) for axis in (first, *AXES.values()) if axis.fields)
    fitting = (each.ranges[0].axis for each in ways if 2 * len(each.allowed) >= each.count)
    return next(fitting, first)
